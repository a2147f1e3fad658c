//! Upgrades to other protocols.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/only_websocket",
    claim: "an upgrade to anything but WebSocket does not reach an upstream",
    why: "`Upgrade: h2c` makes the proxy a blind tunnel past all its rules (h2c smuggling)",
    asks: "client ── Upgrade: h2c, HTTP2-Settings ──▶ candidate ── no Upgrade ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[PASSED],
    breaks: &[Break::new("upgrade_any_token", PASSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const PASSED: Code = Code::new(
    "websocket.any_token_upgraded",
    "an upgrade to a protocol other than WebSocket is passed on",
    "whoever gets a 101 speaks to the program past every rule of the proxy",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for token in ["h2c", "TLS/1.2", "tunnel"] {
        checks.about(format!("Upgrade: {token}"));
        let request = ask
            .plain()
            .header("Connection", "Upgrade, HTTP2-Settings")
            .header("Upgrade", token);
        let seen = answered(
            ask,
            request.header("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
        )
        .await?;
        if !seen.arrivals.is_empty() {
            checks.no_field(&seen, "Upgrade", PASSED);
        }
    }
    Ok(())
}
