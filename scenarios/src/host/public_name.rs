//! The Host that upstreams get.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/public_name",
    claim: "every upstream gets the public host name, without a port",
    why: "links, origin checks and cookies are made from it: n8n#14572, ollama#3269",
    asks: "client ── Host: api.example.org ──▶ candidate ── Host: api.example.org ──▶ each upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[WRONG_HOST],
    breaks: &[Break::new("upstream_host", WRONG_HOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG_HOST: Code = Code::new(
    "host.not_the_public_name",
    "an upstream gets another Host than the public name",
    "the program builds links and checks origins with a name that no client can use",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in ask.deployment().endpoints(Purpose::Plain) {
        checks.about(format!("GET {}", endpoint.target));
        let seen = answered(ask, ask.to(&endpoint)).await?;
        checks.field(&seen, "Host", ask.host_at(&endpoint.upstream), WRONG_HOST);
    }
    Ok(())
}
