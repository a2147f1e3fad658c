//! Host names that are not the site's.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/unknown_refused",
    claim: "a request for a host that is not the site's reaches no upstream",
    why: "whoever points a name at the server (DNS rebinding) or scans it by address reaches the programs otherwise",
    asks: "client ── Host: evil.example, 127.0.0.1, … ──▶ candidate ── 4xx or close, nothing forwarded",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::OtherHostsRefused,
    ],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[Break::new("serve_unknown_host", SERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "host.unknown_served",
    "a host that is not the site's is served",
    "any name that resolves to the server reaches the programs, from a foreign page's scripts too",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let suffixed = format!("{}.evil.example", ask.deployment().hosts.api);
    for host in ["evil.example", "127.0.0.1", "localhost", &suffixed] {
        checks.about(format!("Host: {host}"));
        let seen = answered(ask, ask.plain().host(host.to_owned())).await?;
        // Whatever the proxy says itself, no program hears of it.
        checks.not_arrived(&seen, SERVED);
    }
    Ok(())
}
