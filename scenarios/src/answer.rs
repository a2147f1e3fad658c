//! Requests whose answer does not matter.

use proxyproof_harness::probe::Client;
use proxyproof_harness::{Ask, HarnessError, Patience, Request, Seen};
use proxyproof_mocks::Script;

/// Sends a request that whichever upstream gets it answers with 200 and its own name, so that only the request's way
/// and shape matter, and neither program's own rules.
pub(crate) async fn answered(ask: &Ask<'_>, request: Request) -> Result<Seen, HarnessError> {
    answered_to(ask, &ask.client(), request).await
}

/// The same as another client.
pub(crate) async fn answered_to(
    ask: &Ask<'_>,
    client: &Client,
    request: Request,
) -> Result<Seen, HarnessError> {
    for upstream in ask.stage().upstreams().values() {
        let answer = Script::new()
            .read_body()
            .reply(200, "text/plain", upstream.name().to_owned());
        upstream.script(request.probe_id(), answer);
    }
    Ok(ask.exchange_as(client, request).await?)
}

/// Sends plain requests until one is answered with 200, or for [`Patience::SETTLE`]: the next one is judged.
pub(crate) async fn served(ask: &Ask<'_>, awaited: &str) {
    let served = async || match answered(ask, ask.plain()).await {
        Ok(seen)
            if seen
                .answer
                .as_ref()
                .is_ok_and(|answer| answer.status == 200) =>
        {
            Ok(())
        }
        _ => Err("another answer, or none".to_owned()),
    };
    // What has not come by then shows in the next answer.
    let _ = Patience::SETTLE.eventually(awaited, served).await;
}
