//! Streams that end without their last event.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{EventFraming, Script};

use crate::lock_step::streaming_request;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/clean_end",
    claim: "a stream that ends in order ends in order for the client, and the connection serves the next request",
    why: "CPA ends a failed turn as a clean body (CLIProxyAPI#2358): only a faithful end lets clients tell that from a cut",
    asks: "upstream ── two events, last chunk ──▶ candidate ──▶ client: a complete body; next request on the connection",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[
        Break::new("lose_last_event", CHANGED.name),
        Break::new("close_every_connection", CHANGED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "streaming.end_changed",
    "the orderly end of a stream does not reach the client as one",
    "clients retry turns that were done, or wait for an end that came",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let connection = ask.client().connect().await?;
    for step in ["first stream", "second stream on the same connection"] {
        checks.about(step);
        let request = streaming_request(ask);
        let script = Script::new()
            .read_body()
            .sse_head(EventFraming::Chunked)
            .event("one")
            .event("two")
            .last_chunk();
        ask.script(&request, script);
        let seen = match connection.is_usable() {
            true => ask.exchange_on(&connection, request).await?,
            false => {
                let unused = CHANGED
                    .finding()
                    .expected("a connection that stays open")
                    .observed("the connection was closed");
                checks.push(unused);
                return Ok(());
            }
        };
        checks.answer_body(&seen, b"data: one\n\ndata: two\n\n", CHANGED);
    }
    Ok(())
}
