//! Events in a body that ends with the connection.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{BodyFraming, LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/close_delimited",
    claim: "events reach the client one by one in a body without length or chunks too",
    why: "programs behind HTTP/1.0 or without chunks stream so; NGINX with proxy_buffering on lets chunked events through and lumps these together",
    asks: "upstream ── event 1 (no Content-Length, no chunks) ──▶ candidate ──▶ client saw it? only then event 2, 3, then FIN",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[
        Break::new("buffer_response", HELD.name),
        Break::new("coalesce_events", HELD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "streaming.close_delimited_held",
    "events of a close-delimited body are held back",
    "the answer arrives in one lump when the program closes",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stream = LockStep::answer_to(streaming_request(ask)).framing(BodyFraming::Close);
    stream.play(ask, checks, HELD).await
}
