//! An upstream that is down.

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::ledger::How;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/down_is_502",
    claim: "while one upstream is down its requests get 502, 503 or 504 at once, and the other upstream's are served",
    why: "a client that gets an error at once can retry or say so; one dead program must not take the other one with it",
    asks: "cpa refuses connections; client ── GET, POST ──▶ candidate ── 5xx; GET /health ──▶ usage ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[NOT_TOLD],
    breaks: &[
        Break::new("upstream_down_is_ok", NOT_TOLD.name),
        Break::new("failure_spreads", NOT_TOLD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_TOLD: Code = Code::new(
    "upstream.down_not_told",
    "an upstream that is down is not told as such, or takes the other one with it",
    "clients hang or take an error for an answer",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(relay) = ask.stage().relay("cpa") else {
        return Ok(());
    };
    relay.refuse().await;
    relay.cut_idle(How::Fin).await;
    for method in ["GET", "POST"] {
        checks.about(format!("{method} while cpa is down"));
        let seen = answered(ask, ask.request(method, "/v1/responses")).await?;
        checks.status_in(&seen, &[502, 503, 504], NOT_TOLD);
        checks.about("usage while cpa is down");
        let seen = answered(ask, ask.get("/health")).await?;
        checks.status(&seen, 200, NOT_TOLD);
    }
    Ok(())
}
