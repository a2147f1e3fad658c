//! The request target at the upstream.

use crate::answer::answered;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/target_forwarded_raw",
    claim: "the upstream gets the request target as the client sent it, byte for byte",
    why: "CPA tells `/v1//models` (404) from `/v1/models`, and signed query strings break when they are encoded anew",
    asks: "client ── GET /v1/a%2Fb//c/../d?q=%7e&r=/../ ──▶ candidate ── the same target ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa")],
    stage: StageUse::Shared,
    findings: &[REWRITTEN],
    breaks: &[
        Break::new("forward_normalised_target", REWRITTEN.name),
        Break::new("strip_query", REWRITTEN.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REWRITTEN: Code = Code::new(
    "routes.target_rewritten",
    "the request target is rewritten on its way",
    "the program sees another path or query than the client sent",
);

const TARGETS: [&str; 9] = [
    "/v1/models?a=1&b=%2F..%2fx",
    "/v1//models",
    "/x/../v1/models",
    "/v1/a%2Fb%2fc",
    "/%76%31/models",
    "/v1/models?",
    "/v1/models??a=/../&&=",
    "/v1/%E4%BD%A0%e5%a5%bd?q=%25%20+",
    "/v1/x;y=1,2'()*!~$&",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for target in TARGETS {
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target)).await?;
        if checks.arrived_once(&seen, REWRITTEN).is_some() {
            checks.target(&seen, target, REWRITTEN);
        }
    }
    Ok(())
}
