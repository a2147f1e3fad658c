//! A stream that waits, and its neighbours.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{EventFraming, Gate, Script};

use crate::held_request::is_held;
use crate::lock_step::streaming_request;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/one_slow_stream",
    claim: "a stream that waits does not hold up other requests of the same client",
    why: "a model that thinks for minutes must not stop the rest of a session; over HTTP/2 both share one connection",
    asks: "upstream writes nothing to stream A; client ── request B on the same HTTP/2 connection ──▶ answered",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::Endpoint(Purpose::Stream),
    ],
    stage: StageUse::Shared,
    findings: &[BLOCKED],
    breaks: &[Break::new("serial_upstream", BLOCKED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const BLOCKED: Code = Code::new(
    "streaming.neighbour_blocked",
    "a waiting stream holds up another request",
    "one thinking model stops everything else that the client asks",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let gate = Gate::new();
    let slow = streaming_request(ask);
    let script = Script::new()
        .read_body()
        .sse_head(EventFraming::Chunked)
        .gate(&gate)
        .last_chunk();
    ask.script(&slow, script);
    let connection = ask.client().connect().await?;
    let _waiting = connection.open(&slow).await?;
    if !is_held(ask, checks, &slow, BLOCKED).await {
        return Ok(());
    }
    let other = match ask.protocol().listener() {
        Protocol::H2 => connection,
        _ => ask.client().connect().await?,
    };
    let request = ask.plain();
    ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
    let mut quick = other.open(&request).await?.patience(Patience::LOCK_STEP);
    checks.head_comes(ask, &mut quick, BLOCKED).await;
    gate.open(1);
    Ok(())
}
