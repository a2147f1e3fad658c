//! A frame that comes with the answer to the handshake.

use proxyproof_harness::probe::FrameEvent;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Patience, Protocol, Purpose, Scenario,
    SiteNeed, StageUse,
};
use proxyproof_mocks::{Script, wire::websocket::Frame};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/early_frames",
    claim: "a frame that an upstream sends in one segment with its 101 reaches the client",
    why: "realtime APIs greet with an event as soon as they have answered, and their clients wait for it",
    asks: "upstream ── 101 and a frame in one segment ──▶ candidate ──▶ client: both",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[LOST],
    breaks: &[Break::new("lose_early_frames", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "websocket.early_frame_lost",
    "a frame that comes in one segment with the 101 is lost",
    "the first event of a session is missing now and then, and both sides wait for each other",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.websocket();
    let greeting = Frame::text("session.created");
    let answer = [ACCEPTANCE.as_bytes(), &greeting.to_bytes()].concat();
    ask.script(&request, Script::new().bytes(answer).until_peer_gone());
    let handshake = ask.client().websocket(&request).await?;
    if !handshake.is_accepted() {
        let seen = ask.observe_handshake(&handshake).await;
        checks.status(&seen, 101, LOST);
        return Ok(());
    }
    let event = handshake.frames()?.next_within(Patience::LOCK_STEP).await;
    let greeted = matches!(&event, Ok(FrameEvent::Frame { frame, .. }) if *frame == greeting);
    checks.ensure(greeted, || {
        let finding = LOST.finding().expected("the upstream's first frame");
        finding.observed(format!("{event:?}"))
    });
    Ok(())
}

/// With the accept value that belongs to the key that probes send (RFC 6455 section 1.3).
const ACCEPTANCE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
