//! A target in absolute form that names another host.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/foreign_absolute_form",
    claim: "a target in absolute form for another host never reaches an upstream under that host",
    why: "the target's host overrules Host (RFC 9112 section 3.2.2), so that a check of Host alone is passed",
    asks: "client ── GET http://evil.example/v1/models, Host: api.example.org ──▶ candidate ── refused, or forwarded under the site's name",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::OtherHostsRefused,
    ],
    stage: StageUse::Shared,
    findings: &[SMUGGLED],
    breaks: &[Break::new("ignore_host_mismatch", SMUGGLED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SMUGGLED: Code = Code::new(
    "host.foreign_absolute_form_served",
    "a foreign host in the request target reaches the program",
    "the check of the host name is passed with a target in absolute form",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let target = format!("http://evil.example{}", ask.endpoint(Purpose::Plain).target);
    let seen = answered(ask, ask.get(target)).await?;
    if !seen.arrivals.is_empty() {
        checks.field(
            &seen,
            "Host",
            ask.host_at(&ask.endpoint(Purpose::Plain).upstream),
            SMUGGLED,
        );
    }
    Ok(())
}
