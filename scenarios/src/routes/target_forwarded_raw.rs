//! The request target at the upstream.

use crate::answer::answered;
use crate::destination::path_of;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, RouteOwner, Scenario,
    SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/target_forwarded_raw",
    claim: "the upstream gets the request target as the client sent it, byte for byte",
    why: "CPA tells `/v1//models` (404) from `/v1/models`, and signed query strings break when they are encoded anew",
    asks: "client ── GET /v1/a%2Fb//c/../d?q=%7e&r=/../ ──▶ candidate ── the same target ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::UnchangedPaths],
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

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let endpoint = ask.endpoint(Purpose::Plain);
    let owner = RouteOwner::Upstream(endpoint.upstream);
    for target in targets(path_of(&endpoint.target)) {
        // An expression may lead this path there, and none like it.
        if ask.deployment().owner(target.as_bytes()) != owner {
            continue;
        }
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target.clone())).await?;
        if checks.arrived_once(&seen, REWRITTEN).is_some() {
            checks.target(&seen, &target, REWRITTEN);
        }
    }
    Ok(())
}

/// What proxies like to write anew, all of it at this path or below it.
fn targets(path: &str) -> Vec<String> {
    let below = path.trim_end_matches('/');
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let first = folder
        .bytes()
        .chain(name.bytes())
        .find(u8::is_ascii_alphanumeric);
    let escaped = first.map(|byte| path.replacen(byte as char, &format!("%{byte:02x}"), 1));
    let mut targets = vec![
        format!("{path}?a=1&b=%2F..%2fx"),
        format!("{folder}//{name}"),
        format!("/x/..{path}"),
        format!("{below}/a%2Fb%2fc"),
        format!("{path}?"),
        format!("{path}??a=/../&&="),
        format!("{below}/%E4%BD%A0%e5%a5%bd?q=%25%20+"),
        format!("{below}/x;y=1,2'()*!~$&"),
    ];
    targets.extend(escaped);
    targets
}
