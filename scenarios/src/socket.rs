//! WebSockets through the candidate.

use proxyproof_harness::probe::{Handshake, WebSocketProbe};
use proxyproof_harness::{Ask, Checks, Code, HarnessError};
use proxyproof_mocks::Script;

/// Opens a WebSocket whose other end plays `script`; where the handshake fails, the scenario is skipped.
pub(crate) async fn opened(
    ask: &Ask<'_>,
    checks: &mut Checks,
    script: Script,
) -> Result<Option<WebSocketProbe>, HarnessError> {
    let handshake = handshake(ask, script).await?;
    if handshake.is_accepted() {
        return Ok(Some(handshake.messages().await?));
    }
    checks.skip("no handshake is accepted: websocket/upgrade");
    Ok(None)
}

/// The same for a scenario that is about the handshake: pushes `code` where it fails.
pub(crate) async fn opened_or(
    ask: &Ask<'_>,
    checks: &mut Checks,
    script: Script,
    code: Code,
) -> Result<Option<WebSocketProbe>, HarnessError> {
    let handshake = handshake(ask, script).await?;
    if handshake.is_accepted() {
        return Ok(Some(handshake.messages().await?));
    }
    let seen = ask.observe_handshake(&handshake).await;
    let observed = format!("status {}", handshake.answer().status);
    checks.push(
        code.finding()
            .seen(&seen)
            .expected("an accepted handshake")
            .observed(observed),
    );
    Ok(None)
}

async fn handshake(ask: &Ask<'_>, script: Script) -> Result<Handshake, HarnessError> {
    let request = ask.websocket();
    ask.script(&request, script);
    Ok(ask.client().websocket(&request).await?)
}
