//! The head of a stream that is still silent.

use futures_util::future::try_join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{BodyFraming, LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/head_before_first_event",
    claim: "the head of an answer reaches the client before any byte of its body exists",
    why: "an EventSource opens with the head: where it waits for the first event, the client times out (gbrain#2547, signal-cli#2033)",
    asks: "upstream ── head, nothing more ──▶ candidate ──▶ client has the status? only then the first event",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[WITHHELD],
    breaks: &[
        Break::new("hold_head", WITHHELD.name),
        Break::new("buffer_response", WITHHELD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WITHHELD: Code = Code::new(
    "streaming.head_withheld",
    "the head of an answer waits for its body",
    "a client that waits for the status gives up while the model still thinks",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let framings = [
        BodyFraming::Chunked,
        BodyFraming::Length,
        BodyFraming::Close,
    ];
    let answers = framings.map(|framing| one(ask, checks.beside(), framing));
    for own in try_join_all(answers).await? {
        checks.absorb(own);
    }
    Ok(())
}

async fn one(
    ask: &Ask<'_>,
    mut checks: Checks,
    framing: BodyFraming,
) -> Result<Checks, HarnessError> {
    checks.about(framing.name());
    let answer = LockStep::answer_to(streaming_request(ask)).framing(framing);
    answer.play_head(ask, &mut checks, WITHHELD).await?;
    Ok(checks)
}
