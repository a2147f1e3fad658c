//! An upstream that comes back.

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::ledger::How;

use crate::answer::{answered, served};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/recovers",
    claim: "an upstream that was down is served again as soon as it is back",
    why: "updates restart CPA in a second; a proxy that marks it down for ten seconds makes an outage of it",
    asks: "upstream refuses: 5xx; upstream listens again; client ── GET ──▶ candidate ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[STAYS_DOWN],
    breaks: &[Break::new("mark_down", STAYS_DOWN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const STAYS_DOWN: Code = Code::new(
    "upstream.stays_down",
    "an upstream that is back is not asked",
    "each restart of a program is a longer outage for clients",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(relay) = ask.stage().relays(&ask.endpoint(Purpose::Plain).upstream) else {
        checks.skip("nothing of the harness stands between the candidate and this upstream");
        return Ok(());
    };
    relay.refuse().await;
    relay.cut_idle(How::Fin).await;
    answered(ask, ask.plain()).await?;
    relay.listen().await.map_err(|cause| HarnessError::System {
        action: "listen again".to_owned(),
        cause,
    })?;
    if SiteNeed::SeveralServers.lacking(ask.deployment()).is_none() {
        // Who has other servers may look once in a while whether one is back.
        served(ask, "an answer of a server that is back").await;
    }
    let seen = answered(ask, ask.plain()).await?;
    checks.status(&seen, 200, STAYS_DOWN);
    Ok(())
}
