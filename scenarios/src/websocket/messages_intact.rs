//! Messages of several sizes.

use proxyproof_harness::Patience;
use proxyproof_harness::probe::SocketEvent;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::socket::opened;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/messages_intact",
    claim: "text and binary messages up to 1 MiB pass both ways unchanged",
    why: "a turn's last event has tens of kilobytes, images megabytes",
    asks: "client ── text, 64 KiB, 1 MiB ──▶ candidate ──▶ upstream echoes ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[DAMAGED],
    breaks: &[
        Break::new("limit_message", DAMAGED.name),
        Break::new("corrupt_frames", DAMAGED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DAMAGED: Code = Code::new(
    "websocket.messages_damaged",
    "WebSocket messages are lost, changed or refused",
    "turns break in the middle",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(mut socket) = opened(
        ask,
        checks,
        Script::new().accept_websocket().echo_websocket(),
    )
    .await?
    else {
        return Ok(());
    };
    for length in [5, 64 << 10, 1 << 20] {
        let text = "x".repeat(length);
        checks.about(format!("{length} bytes"));
        let sent = socket.send_text(text.clone()).await;
        let echoed = socket.next_within(Patience::STREAM).await;
        let intact = sent.is_ok()
            && matches!(&echoed, Ok(SocketEvent::Text { text: echo, .. }) if *echo == text);
        if !checks.ensure(intact, || {
            DAMAGED
                .finding()
                .expected(format!("{length} bytes echoed"))
                .observed("something else, or the end")
        }) {
            return Ok(());
        }
    }
    Ok(())
}
