//! Answers in small segments.

use bytes::Bytes;
use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;
use proxyproof_mocks::fault::{Fault, Way};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/sliced",
    claim: "an answer is passed on intact however the network cuts it",
    why: "a parser that expects a head, or a chunk size, in one read fails at random",
    asks: "upstream ── 70 KB in segments of 1000 bytes ──▶ candidate ──▶ client, every byte",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[DAMAGED],
    breaks: &[Break::new("corrupt_response", DAMAGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DAMAGED: Code = Code::new(
    "upstream.segmented_answer_damaged",
    "an answer in small segments is damaged or refused",
    "answers fail at random, with the network's segmentation",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(relay) = ask.stage().relays(&ask.endpoint(Purpose::Plain).upstream) else {
        checks.skip("nothing of the harness stands between the candidate and this upstream");
        return Ok(());
    };
    relay.set(Fault::Slice(Way::ToCandidate, SEGMENT));
    let request = ask.plain();
    let body = Bytes::from(vec![b'x'; LENGTH]);
    let script = Script::new().head(
        200,
        &[
            ("Content-Type", "text/plain"),
            ("Transfer-Encoding", "chunked"),
        ],
    );
    ask.script(&request, script.chunk(body.clone()).last_chunk());
    let seen = ask.exchange(request).await?;
    checks.answer_body(&seen, &body, DAMAGED);
    Ok(())
}

/// More than any buffer of a usual size.
const LENGTH: usize = 70_000;
const SEGMENT: usize = 1000;
