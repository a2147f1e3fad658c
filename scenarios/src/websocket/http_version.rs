//! The version in which a handshake is passed on.

use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/http_version",
    claim: "a WebSocket handshake reaches its upstream in HTTP/1.1",
    why: "RFC 6455 section 4.2.1 wants at least 1.1: coder/websocket answers 426 to HTTP/1.0, hypercorn 400; others let it pass",
    asks: "client ── GET, Upgrade: websocket ──▶ candidate ── HTTP/1.1 ──▶ upstream",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[OLD],
    breaks: &[Break::new("upstream_http10", OLD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const OLD: Code = Code::new(
    "websocket.handshake_in_http_1_0",
    "a WebSocket handshake is passed on in HTTP/1.0",
    "some programs refuse it, and which do changes with their libraries",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.websocket();
    ask.script(&request, Script::new().accept_websocket().echo_websocket());
    let handshake = ask.client().websocket(&request).await?;
    let seen = ask.observe_handshake(&handshake).await;
    // Whether it arrives at all, another scenario asks.
    if !seen.arrivals.is_empty() {
        checks.version(&seen, "HTTP/1.1", OLD);
    }
    Ok(())
}
