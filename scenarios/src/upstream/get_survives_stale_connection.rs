//! A pooled connection that the upstream has closed.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, StageUse,
};
use proxyproof_mocks::ledger::How;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/get_survives_stale_connection",
    claim: "a GET is answered although the upstream has closed its idle connections meanwhile",
    why: "programs close idle connections when they like (Node after 5 s): random 502s behind every proxy that does not notice (freellmapi PR#1116, h2o#281)",
    asks: "client ── GET; cpa closes idle connections; client ── GET ──▶ candidate ── 200",
    level: Level::Recommended,
    protocols: &Protocol::DIRECT,
    needs: &[],
    stage: StageUse::Own(|stage| stage),
    findings: &[STALE],
    breaks: &[Break::new("never_retry", STALE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const STALE: Code = Code::new(
    "upstream.stale_connection_used",
    "a request fails because a pooled connection was closed meanwhile",
    "clients see a 502 now and then, without anything being wrong",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for how in [How::Fin, How::Reset] {
        checks.about(format!("{how:?}"));
        answered(ask, ask.get("/v1/models")).await?;
        ask.cpa().cut_connections(how).await;
        let seen = answered(ask, ask.get("/v1/models")).await?;
        checks.status(&seen, 200, STALE);
    }
    Ok(())
}
