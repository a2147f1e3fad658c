//! A gateway that wants no WebSocket.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::completion::{at_cpa, completion};
use crate::fallback::Fallback;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/fallback_at_once",
    claim: "where CPA answers an upgrade with 426, Codex streams its turn by the next request",
    why: "measured: 426 costs Codex nothing; 404, 502 and a cut connection cost 6.4 s, 400 ends the turn",
    asks: "client ── Upgrade ──▶ candidate ──▶ cpa ── 426 ──▶ client ── POST ──▶ candidate ──▶ cpa ── events ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[proxyproof_harness::Feature::WebSocket],
    site: &[SiteNeed::Kind("cpa")],
    stage: StageUse::Shared,
    findings: &[DELAYED],
    breaks: &[
        Break::new("upgrade_refusal_lost", DELAYED.name),
        Break::new("drop_authorization", DELAYED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DELAYED: Code = Code::new(
    "websocket.fallback_delayed",
    "a client that may not use a WebSocket cannot turn to HTTP at once",
    "every session of Codex begins with seconds of silence, or fails",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    checks.about("the handshake");
    let request = ask.get(at_cpa(ask, "/v1/responses")).websocket();
    ask.cpa().script(
        request.probe_id(),
        Script::new().reply(426, "application/json", "{}"),
    );
    let handshake = ask.client().websocket(&request).await?;
    let seen = ask.observe_handshake(&handshake).await;
    let status = handshake.answer().status;
    let fallback = Fallback::from_refusal(Some(status));
    checks.ensure(fallback == Fallback::AtOnce, || {
        DELAYED
            .finding()
            .seen(&seen)
            .expected("426, after which Codex posts at once")
            .observed(format!("{status}: {}", fallback.told()))
    });
    checks.about("the turn that follows");
    let body = r#"{"model":"gpt-5-codex","stream":true,"input":"hi"}"#;
    let seen = ask.exchange(completion(ask, "/v1/responses", body)).await?;
    if checks.status(&seen, 200, DELAYED) {
        let completed = seen.answer.as_ref().is_ok_and(|answer| {
            let text = String::from_utf8_lossy(&answer.body);
            text.contains("event: response.completed")
        });
        checks.ensure(completed, || {
            DELAYED
                .finding()
                .seen(&seen)
                .expected("a stream up to response.completed")
                .observed("one without it")
        });
    }
    Ok(())
}
