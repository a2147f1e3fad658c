//! A refused handshake.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/refusal_delivered",
    claim: "an upstream's refusal of an upgrade reaches the client with its status and body",
    why: "only 426 makes Codex fall back at once; 404 and 502 cost it 6.4 s, 400 ends the turn",
    asks: "upstream ── 401, 403, 426, 503 ──▶ candidate ── the same ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::WithErrors,
    findings: &[CHANGED],
    breaks: &[Break::new("upgrade_refusal_lost", CHANGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "websocket.refusal_changed",
    "an upstream's refusal of an upgrade is changed",
    "Codex cannot fall back at once, and loses seconds or the turn",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for status in [401, 403, 426, 503] {
        checks.about(format!("status {status}"));
        let request = ask.websocket();
        ask.script(
            &request,
            Script::new().reply(status, "application/json", "{}"),
        );
        let handshake = ask.client().websocket(&request).await?;
        let seen = ask.observe_handshake(&handshake).await;
        checks.status(&seen, status, CHANGED);
        checks.answer_body(&seen, b"{}", CHANGED);
    }
    Ok(())
}
