//! A gateway that dies over a handshake.

use proxyproof_harness::probe::ProbeError;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/failure_spares_the_turn",
    claim: "an upgrade that the program leaves without an answer is not refused as if the client were wrong",
    why: "measured: after a 5xx or a cut connection Codex still turns to HTTP, in 6.4 s; a 400 ends its turn",
    asks: "client ── Upgrade ──▶ candidate ──▶ upstream ── FIN, RST ──▶ candidate ── 502, 503 or 504 ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::WithErrors,
    findings: &[ENDED],
    breaks: &[
        Break::new("upgrade_failure_is_bad_request", ENDED.name),
        Break::new("upstream_down_is_ok", ENDED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const ENDED: Code = Code::new(
    "websocket.failure_ends_turn",
    "a gateway's failure over a handshake is not told as such",
    "a client that could turn to HTTP, or try again, gives up or waits: Codex ends its turn after a 400",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (how, cut) in [
        ("FIN", Script::fin as fn(Script) -> Script),
        ("RST", Script::rst),
    ] {
        checks.about(how);
        let request = ask.websocket();
        ask.script(&request, cut(Script::new()));
        let handshake = match ask.client().websocket(&request).await {
            Ok(handshake) => handshake,
            // To Codex a cut connection is worth what a 502 is.
            Err(ProbeError::Closed { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let seen = ask.observe_handshake(&handshake).await;
        let status = handshake.answer().status;
        checks.ensure((502..=504).contains(&status), || {
            ENDED
                .finding()
                .seen(&seen)
                .expected("status 502, 503 or 504")
                .observed(format!("status {status}"))
        });
    }
    Ok(())
}
