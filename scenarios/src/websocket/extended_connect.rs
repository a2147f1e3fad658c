//! WebSocket over HTTP/2.

use proxyproof_harness::Patience;
use proxyproof_harness::probe::{ProbeError, SocketEvent};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::socket::opened_or;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/extended_connect",
    claim: "a WebSocket over HTTP/2 (RFC 8441) reaches its upstream as an upgrade, and messages pass",
    why: "without it browsers and h2 clients need a second connection, and the deployment a second listener (Xray-core#2111)",
    asks: "client ── CONNECT, :protocol websocket ──▶ candidate ── GET, Upgrade: websocket ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[proxyproof_harness::Feature::ExtendedConnect],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[LOST, NOT_OFFERED],
    breaks: &[
        Break::new("refuse_extended_connect", LOST.name),
        Break::new("hide_extended_connect", NOT_OFFERED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "websocket.extended_connect_lost",
    "an extended CONNECT is offered and does not work",
    "clients that believe the setting cannot open a WebSocket",
);

const NOT_OFFERED: Code = Code::new(
    "websocket.extended_connect_not_offered",
    "a listener that is said to take WebSockets over HTTP/2 does not offer that",
    "clients open a second connection for each WebSocket, or none",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let script = Script::new().accept_websocket().echo_websocket();
    let opened = opened_or(ask, checks, script, LOST).await;
    if let Err(HarnessError::Probe(error)) = &opened
        && matches!(**error, ProbeError::Unsendable { .. })
    {
        let finding = NOT_OFFERED.finding();
        let finding = finding.expected("SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3)");
        checks.push(finding.observed(error.to_string()));
        return Ok(());
    }
    let Some(mut socket) = opened? else {
        return Ok(());
    };
    let sent = socket.send_text("hello").await;
    let echoed = socket.next_within(Patience::LOCK_STEP).await;
    let intact =
        sent.is_ok() && matches!(&echoed, Ok(SocketEvent::Text { text, .. }) if text == "hello");
    checks.ensure(intact, || {
        LOST.finding()
            .expected("hello")
            .observed(format!("{echoed:?}"))
    });
    Ok(())
}
