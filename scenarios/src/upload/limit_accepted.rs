//! A body that announces just the limit.

use bytes::Bytes;
use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/limit_accepted",
    claim: "a body of exactly the limit is accepted",
    why: "413 on long conversations is the other half of the reports (NyxID#957, cc-switch#3613): a default of 1 MiB is far too small",
    asks: "client ── Content-Length: limit, the first bytes ──▶ candidate ──▶ upstream has them, or gets the whole body",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream), SiteNeed::RequestBody],
    stage: StageUse::Shared,
    findings: &[REFUSED],
    breaks: &[Break::new("low_body_limit", REFUSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REFUSED: Code = Code::new(
    "upload.limit_too_low",
    "a body within the limit is refused",
    "long conversations and images end in 413",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let limit = ask.request_body();
    let request = ask.completion().streamed_length(limit);
    ask.script(
        &request,
        Script::new().read_body().reply(200, "text/plain", "read"),
    );
    let connection = ask.client().connect().await?;
    let upload = connection.open(&request).await?;
    let mut upload = upload.patience(Patience::LOCK_STEP);
    // A candidate that refuses may close before it has read anything.
    let _ = upload.write(Bytes::from_static(b"{")).await;
    let arrived = |arrivals: &[Arrival]| (!arrivals.is_empty()).then_some(());
    let answered = tokio::select! {
        Some(()) = ask.in_lock_step(request.probe_id(), arrived) => return Ok(()),
        head = upload.head() => head.is_ok() || upload.failure().is_some(),
    };
    if !answered {
        // It collects the body first, which another scenario is about: then it gets the whole of it.
        let mut left = limit - 1;
        while left > 0 && upload.write(piece(&mut left)).await.is_ok() {}
        let _ = upload.finish().await;
        upload = upload.patience(Patience::ANSWER);
        // What went wrong is told by the exchange itself.
        let _ = upload.whole().await;
    }
    let seen = ask.observe(&upload).await;
    if checks.arrived_once(&seen, REFUSED).is_some() {
        checks.status(&seen, 200, REFUSED);
    }
    Ok(())
}

/// The next piece of a body of which so many bytes are left.
fn piece(left: &mut u64) -> Bytes {
    let length = (*left).min(PIECE.len() as u64);
    *left -= length;
    Bytes::from_static(&PIECE[..usize::try_from(length).unwrap_or(PIECE.len())])
}

static PIECE: [u8; 1 << 20] = [b' '; 1 << 20];
