//! Uploads in lock-step: the client sends each part only when the upstream has the one before.

use bytes::Bytes;
use proxyproof_harness::deployment::Endpoint;
use proxyproof_harness::{Ask, Checks, Code, HarnessError, Patience, Request};
use proxyproof_mocks::{Arrival, Script};

/// Sends to this endpoint, chunked and with a length; pushes `code` where the upstream lacks a part that was sent.
pub(crate) async fn passed_on(
    ask: &Ask<'_>,
    checks: &mut Checks,
    endpoint: &Endpoint,
    code: Code,
) -> Result<(), HarnessError> {
    let post = || ask.to(endpoint);
    for request in [post().streamed(), post().streamed_length(LENGTH)] {
        let answer = Script::new().read_body().reply(200, "text/plain", "read");
        ask.script(&request, answer);
        if !each_part_arrives(ask, checks, &request, code).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn each_part_arrives(
    ask: &Ask<'_>,
    checks: &mut Checks,
    request: &Request,
    code: Code,
) -> Result<bool, HarnessError> {
    let connection = ask.client().connect().await?;
    let mut upload = connection
        .open(request)
        .await?
        .patience(Patience::LOCK_STEP);
    let mut sent = 0;
    for part in PARTS {
        upload.write(Bytes::from_static(part)).await?;
        sent += part.len() as u64;
        let here = |arrivals: &[Arrival]| {
            let has_it = |arrival: &&Arrival| arrival.body.length >= sent;
            arrivals.first().filter(has_it).map(|_| ())
        };
        if ask.in_lock_step(request.probe_id(), here).await.is_none() {
            let finding = code.finding().seen(&ask.observe(&upload).await);
            let expected =
                format!("the first {sent} bytes at the upstream before the client sends more");
            checks.push(
                finding
                    .expected(expected)
                    .observed("the upstream does not have them yet"),
            );
            return Ok(false);
        }
    }
    // A candidate that has all that the length announced may end the stream itself (RFC 9113 section 8.1).
    let _ = upload.finish().await;
    // What went wrong is told by the exchange itself.
    let _ = upload.whole().await;
    Ok(checks.status(&ask.observe(&upload).await, 200, code))
}

const PARTS: [&[u8]; 3] = [&[b'a'; 1000], &[b'b'; 1000], &[b'c'; 1000]];
const LENGTH: u64 = 3000;
