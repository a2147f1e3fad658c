//! The opening handshake.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/upgrade",
    claim: "a WebSocket handshake reaches its upstream with all its fields, and the 101 the client",
    why: "Codex asks for a WebSocket first; where the upgrade is lost it needs seconds to fall back (codex#19821)",
    asks: "client ── GET, Upgrade: websocket ──▶ candidate ──▶ upstream ── 101 ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[LOST],
    breaks: &[Break::new("never_upgrade", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "websocket.upgrade_lost",
    "a WebSocket upgrade does not get through",
    "clients lose seconds at every start, as Codex does, or fail",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.websocket();
    ask.script(&request, Script::new().accept_websocket().echo_websocket());
    let handshake = ask.client().websocket(&request).await?;
    let seen = ask.observe_handshake(&handshake).await;
    checks.status(&seen, 101, LOST);
    // `keep-alive, Upgrade` is right, too (RFC 9110 section 7.8).
    checks.field_where(&seen, "Connection", "Connection: upgrade", LOST, |found| {
        let tokens = found.iter().flat_map(|value| value.split(','));
        tokens
            .into_iter()
            .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
    });
    checks.field_where(
        &seen,
        "Upgrade",
        "Upgrade: websocket",
        LOST,
        |found| matches!(found, [one] if one.eq_ignore_ascii_case("websocket")),
    );
    checks.ensure(
        !handshake.is_accepted() || handshake.has_right_accept(),
        || {
            LOST.finding()
                .seen(&seen)
                .expected("the Sec-WebSocket-Accept that belongs to the key")
                .observed("another one")
        },
    );
    Ok(())
}
