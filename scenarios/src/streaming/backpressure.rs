//! A client that does not read.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/backpressure",
    claim: "an upstream is held back when the client does not read",
    why: "a client that stalls must not make the proxy store what the program can write: memory or disk fill up (envoy#17281)",
    asks: "client reads the head and stops; upstream ── 48 MiB ──▶ candidate: blocked early",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[UNBOUNDED],
    breaks: &[Break::new("unbounded_buffer", UNBOUNDED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNBOUNDED: Code = Code::new(
    "streaming.no_backpressure",
    "an answer is read as fast as it comes though the client does not read",
    "a few stalled clients fill the server's memory or disk",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    let length = TOTAL.to_string();
    let script = Script::new()
        .head(
            200,
            &[("Content-Type", "video/mp4"), ("Content-Length", &length)],
        )
        .fill(TOTAL, 64 << 10);
    ask.script(&request, script);
    let connection = ask.client().connect().await?;
    let exchange = connection.open(&request).await?;
    exchange.stop_reading();
    let mut before = None;
    loop {
        let written = |arrivals: &[Arrival]| {
            arrivals
                .first()
                .map(|arrival| arrival.written)
                .filter(|&now| Some(now) != before)
        };
        match ask
            .ledger()
            .until(request.probe_id(), Patience::QUIET.scaled(), written)
            .await
        {
            Some(now) if now >= TOTAL => break,
            Some(now) => before = Some(now),
            None => break,
        }
    }
    let seen = ask.observe(&exchange).await;
    let all = seen.arrivals.iter().any(|arrival| arrival.written >= TOTAL);
    checks.ensure(!all, || {
        let finding = UNBOUNDED.finding().seen(&seen);
        finding
            .expected(format!("the upstream blocked before {TOTAL} bytes"))
            .observed("all of them were taken")
    });
    Ok(())
}

/// Bytes: more than all socket buffers and windows on the way hold together.
const TOTAL: u64 = 48 << 20;
