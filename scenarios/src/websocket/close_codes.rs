//! The end of a WebSocket.

use proxyproof_harness::Patience;
use proxyproof_harness::probe::SocketEvent;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::socket::opened;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/close_codes",
    claim: "an upstream's close code and reason reach the client as they are",
    why: "CPA tells with 1009 and 1012 what the client should do; without the code it sends the same again (CLIProxyAPI#4420)",
    asks: "upstream ── Close 1012 upstream requires HTTP replay ──▶ candidate ──▶ client: the same",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[
        Break::new("cut_on_close", CHANGED.name),
        Break::new("lose_close_reason", CHANGED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "websocket.close_changed",
    "a close code or its reason is lost",
    "clients repeat what can never work",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (code, reason) in CODES {
        checks.about(format!("{code} {reason}"));
        let Some(mut socket) = opened(
            ask,
            checks,
            Script::new().accept_websocket().send_close(code, reason),
        )
        .await?
        else {
            return Ok(());
        };
        let event = socket.next_within(Patience::LOCK_STEP).await;
        let same = matches!(&event, Ok(SocketEvent::Close { code: Some(got), reason: why, .. }) if *got == code && why == reason);
        checks.ensure(same, || {
            CHANGED
                .finding()
                .expected(format!("Close {code} {reason}"))
                .observed(format!("{event:?}"))
        });
    }
    Ok(())
}

const CODES: [(u16, &str); 5] = [
    (1000, ""),
    (1008, "policy"),
    (1009, "too big"),
    (1012, "upstream requires HTTP replay"),
    (4999, "own"),
];
