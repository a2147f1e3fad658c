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
    claim: "messages up to 1 MiB pass both ways unchanged, and pings and pongs do",
    why: "a turn's last event has tens of kilobytes, images megabytes; pings are what keeps a silent turn alive along the way",
    asks: "client ── text, 64 KiB, 1 MiB, a ping ──▶ candidate ──▶ upstream echoes, a pong ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[DAMAGED, PING_LOST],
    breaks: &[
        Break::new("limit_message", DAMAGED.name),
        Break::new("corrupt_frames", DAMAGED.name),
        Break::new("swallow_pings", PING_LOST.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DAMAGED: Code = Code::new(
    "websocket.messages_damaged",
    "WebSocket messages are lost, changed or refused",
    "turns break in the middle",
);

const PING_LOST: Code = Code::new(
    "websocket.ping_lost",
    "a ping of the client's, or its pong, does not get through",
    "clients take the program for dead, and idle timers on the way are never reset",
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
    checks.about("a ping");
    let sent = socket.ping("p").await;
    let answered = socket.next_within(Patience::LOCK_STEP).await;
    let ponged = matches!(&answered, Ok(SocketEvent::Pong { payload, .. }) if payload == "p");
    checks.ensure(sent.is_ok() && ponged, || {
        let finding = PING_LOST
            .finding()
            .expected("a pong with the ping's payload");
        finding.observed(format!("{answered:?}"))
    });
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
