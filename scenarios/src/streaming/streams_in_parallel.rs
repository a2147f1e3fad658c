//! Many streams at once.

use futures_util::future::try_join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/streams_in_parallel",
    claim: "32 streams at once all arrive event by event",
    why: "a team of agents holds dozens of streams; buffers and workers that are shared show only then",
    asks: "32 clients, each in lock-step with its own stream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[Break::new("coalesce_events", HELD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "streaming.parallel_stream_held",
    "one of many streams is held back",
    "with many sessions at once some of them stall",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let streams = (0..STREAMS).map(|number| one(ask, checks.beside(), number));
    for own in try_join_all(streams).await? {
        checks.absorb(own);
    }
    Ok(())
}

async fn one(ask: &Ask<'_>, mut checks: Checks, number: usize) -> Result<Checks, HarnessError> {
    checks.about(format!("stream {number} of {STREAMS}"));
    let stream = LockStep::answer_to(streaming_request(ask));
    stream.play(ask, &mut checks, HELD).await?;
    Ok(checks)
}

const STREAMS: usize = 32;
