//! A body that is too large, and does not say so.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/over_limit_chunked",
    claim: "a chunked body beyond the limit never arrives as a whole one",
    why: "a limit that only looks at Content-Length holds for those who keep to it, and for nobody else",
    asks: "client ── chunks of limit + 1 bytes ──▶ candidate ── 413 or a cut ──▶ client; upstream: no whole body",
    level: Level::Recommended,
    // A body of this size costs time, and the rest of the way has no part in it.
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Stream),
        SiteNeed::RequestBody,
        SiteNeed::BodyLimit,
    ],
    stage: StageUse::Shared,
    findings: &[TAKEN],
    breaks: &[Break::new("no_chunked_limit", TAKEN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const TAKEN: Code = Code::new(
    "upload.chunked_limit_ignored",
    "a chunked body beyond the limit is passed on as a whole",
    "anybody can fill the memory of a program behind the proxy",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.completion().streamed();
    let script = Script::new().read_body().reply(200, "text/plain", "read");
    ask.script(&request, script);
    let connection = ask.client().connect().await?;
    let mut upload = connection.open(&request).await?;
    let mut left = ask.request_body() + 1;
    while left > 0 {
        let length = left.min(PIECE.len() as u64);
        let piece = &PIECE[..usize::try_from(length).unwrap_or(PIECE.len())];
        if upload.write(Bytes::from_static(piece)).await.is_err() {
            break;
        }
        left -= length;
    }
    // A candidate that has refused takes no more.
    let _ = upload.finish().await;
    // What went wrong is told by the exchange itself.
    let _ = upload.whole().await;
    let seen = ask.observe(&upload).await;
    checks.body_never_whole(&seen, TAKEN);
    Ok(())
}

static PIECE: [u8; 1 << 20] = [b' '; 1 << 20];
