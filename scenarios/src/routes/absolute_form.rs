//! Targets in absolute form.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, RouteOwner, Scenario,
    SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::destination::{own_paths, with_query};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/absolute_form",
    claim: "a target in absolute form for the site's own host is served like its origin form (RFC 9112 section 3.2.2)",
    why: "a client that is set up with an outer proxy sends it, and a server must accept it",
    asks: "client ── GET http://api.example.org/health?x=1 ──▶ candidate ── /health?x=1 ──▶ usage",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[ABSOLUTE],
    breaks: &[Break::new("forward_absolute_form", ABSOLUTE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const ABSOLUTE: Code = Code::new(
    "routes.absolute_form_misread",
    "a target in absolute form is refused, misrouted or passed on whole",
    "clients behind an outer proxy get an error, or the program sees a URL for a path",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let host = &ask.deployment().hosts.api;
    let paths = own_paths(ask)
        .into_iter()
        .map(|path| with_query(&path, "x=1"));
    for path in paths.chain([ask.endpoint(Purpose::Plain).target]) {
        let target = format!("http://{host}{path}");
        checks.about(format!("GET {target}"));
        let RouteOwner::Upstream(owner) = ask.deployment().owner(path.as_bytes()) else {
            continue;
        };
        let seen = answered(ask, ask.get(target.clone())).await?;
        if checks.arrived_at(&seen, &owner, ABSOLUTE).is_some() {
            let expected = ask.deployment().upstream_target(&path);
            checks.target(&seen, &expected.unwrap_or(path), ABSOLUTE);
        }
    }
    Ok(())
}
