//! Fields of the opening handshake.

use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/fields_intact",
    claim: "Origin, subprotocol and extensions of a WebSocket handshake arrive as they were sent",
    why: "a program that checks Origin closes without it (n8n#14572); browsers fail where a subprotocol is not chosen, and some \
          realtime clients carry their key in it",
    asks: "client ── Origin, Sec-WebSocket-Protocol, Sec-WebSocket-Extensions ──▶ candidate ── the same ──▶ upstream",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[Feature::WebSocket],
    site: &[SiteNeed::Endpoint(Purpose::WebSocket)],
    stage: StageUse::Shared,
    findings: &[DROPPED],
    breaks: &[
        Break::new("drop_origin", DROPPED.name),
        Break::new("drop_subprotocol", DROPPED.name),
        Break::new("drop_extensions", DROPPED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DROPPED: Code = Code::new(
    "websocket.handshake_field_dropped",
    "a field of a WebSocket handshake is dropped or changed",
    "the program or the browser ends the connection as soon as it is open",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let public = format!("{}://{}", ask.deployment().identity.scheme, ask.host());
    let request = ask
        .websocket()
        .header("Origin", public)
        .header("Sec-WebSocket-Protocol", "realtime, key.sk-1")
        .header(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_max_window_bits",
        );
    ask.script(&request, Script::new().accept_websocket());
    let handshake = ask.client().websocket(&request).await?;
    let seen = ask.observe_handshake(&handshake).await;
    checks.fields_untouched(&seen, &FIELDS, DROPPED);
    Ok(())
}

const FIELDS: [&str; 3] = [
    "Origin",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
];
