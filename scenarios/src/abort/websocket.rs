//! A WebSocket one end of which goes away.

use proxyproof_harness::probe::{FrameEvent, FrameProbe};
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Patience, Protocol, Purpose, Scenario,
    SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Gate, ProbeId, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "abort/websocket",
    claim: "each end of a WebSocket is told when the other one is gone",
    why: "a program that is not told keeps a dead session, and the model behind it busy; a client that is not told waits \
          instead of connecting again",
    asks: "client ── RST ──▶ candidate ──▶ upstream: its connection ends; upstream ── RST ──▶ candidate ──▶ client: the same",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::WithErrors,
    findings: &[UNNOTICED],
    breaks: &[Break::new("ignore_tunnel_abort", UNNOTICED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNNOTICED: Code = Code::new(
    "abort.websocket_unnoticed",
    "one end of a WebSocket is not told that the other one is gone",
    "sessions that nobody uses pile up, and clients wait for events that never come",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    checks.about("the client resets its connection");
    if let Some((socket, probe)) = opened(ask, checks, Script::until_peer_gone).await? {
        socket.reset()?;
        let gone = |arrivals: &[Arrival]| arrivals.first()?.peer_gone.map(|_| ());
        let told = ask.ledger().until(probe, Patience::SETTLE.scaled(), gone);
        let told = told.await.is_some();
        checks.ensure(told, || unnoticed("the upstream"));
    }
    checks.about("the upstream resets its connection");
    let gate = Gate::new();
    let cut = |script: Script| script.gate(&gate).rst();
    if let Some((mut socket, _)) = opened(ask, checks, cut).await? {
        gate.open(1);
        let event = socket.next_within(Patience::SETTLE).await;
        let told = matches!(event, Ok(FrameEvent::Gone { .. }));
        checks.ensure(told, || unnoticed("the client"));
    }
    Ok(())
}

/// A WebSocket whose upstream goes on like this.
async fn opened(
    ask: &Ask<'_>,
    checks: &mut Checks,
    goes_on: impl FnOnce(Script) -> Script,
) -> Result<Option<(FrameProbe, ProbeId)>, HarnessError> {
    let request = ask.websocket();
    ask.script(&request, goes_on(Script::new().accept_websocket()));
    let handshake = ask.client().websocket(&request).await?;
    if handshake.is_accepted() {
        return Ok(Some((handshake.frames()?, request.probe_id())));
    }
    let seen = ask.observe_handshake(&handshake).await;
    checks.status(&seen, 101, UNNOTICED);
    Ok(None)
}

fn unnoticed(end: &str) -> proxyproof_harness::Finding {
    let within = Patience::SETTLE.scaled();
    let finding = UNNOTICED.finding();
    let finding = finding.expected(format!("{end}'s connection ends, too"));
    finding.observed(format!("it was still open {within:?} later"))
}
