//! Methods and routes.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, RouteOwner, Scenario,
    SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/every_method",
    claim: "the route does not depend on the method, and the method arrives as it was sent",
    why: "a setter of the management API is PUT or PATCH, the import a POST, the CORS preflight an OPTIONS",
    asks: "client ── GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS ──▶ candidate ── the same method ──▶ the path's owner",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[METHOD],
    breaks: &[
        Break::new("method_as_post", METHOD.name),
        Break::new("answer_preflight", METHOD.name),
        Break::new("head_as_get", METHOD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const METHOD: Code = Code::new(
    "routes.method_changed",
    "a method is changed, answered by the proxy, or routed elsewhere",
    "setters, imports or preflights fail",
);

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let plain = ask.deployment().endpoints(Purpose::Plain);
    for (target, method) in plain
        .iter()
        .flat_map(|endpoint| METHODS.map(|method| (&endpoint.target, method)))
    {
        checks.about(format!("{method} {target}"));
        let RouteOwner::Upstream(owner) = ask.deployment().owner(target.as_bytes()) else {
            continue;
        };
        let own = &ask.deployment().upstreams[&owner].answered_methods;
        if own.iter().any(|own| own == method) {
            continue;
        }
        let seen = answered(ask, ask.request(method, target.clone())).await?;
        if checks.arrived_at(&seen, &owner, METHOD).is_some() {
            checks.method(&seen, method, METHOD);
        }
    }
    Ok(())
}
