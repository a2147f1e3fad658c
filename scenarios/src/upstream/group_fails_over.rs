//! A server of a group that is gone.

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::ledger::How;

use crate::at_once::at_once;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/group_fails_over",
    claim: "a server of a group that refuses connections costs no request",
    why: "several servers are there so that one may be restarted; NGINX, HAProxy and Caddy try the next one only where they are told, or by default",
    asks: "one server refuses connections; client ── 6 GETs at once ──▶ candidate ──▶ another server ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::SeveralServers],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[LOST],
    breaks: &[Break::new("no_failover", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "upstream.no_failover",
    "a request is lost to a server that is gone, while another one is there",
    "restarting one of several servers costs its share of all requests",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let upstream = ask.endpoint(Purpose::Plain).upstream;
    let relays = ask.stage().relays(&upstream).into_iter();
    let Some(first) = relays.flat_map(|relays| relays.servers()).next() else {
        checks.skip("nothing of the harness stands between the candidate and this upstream");
        return Ok(());
    };
    first.refuse().await;
    first.cut_idle(How::Fin).await;
    checks.about(format!("GET while one server of {upstream} is gone"));
    for seen in at_once(ask, REQUESTS).await? {
        checks.status(&seen, 200, LOST);
    }
    Ok(())
}

/// More than there are servers, so that each has its turn.
const REQUESTS: usize = 6;
