//! Slashes that are escaped.

use crate::destination::reach_their_owners;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/encoded_slash",
    claim: "an escaped slash routes like a slash, as NGINX's rules say for this table",
    why: "CPA routes `/v1%2Fmodels` as `/v1/models`: where proxy and program read an escape differently, a path can be one thing to the one and another to the other",
    asks: "client ── GET /v0/management%2Fusage ──▶ candidate ──▶ the owner of /v0/management/usage",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[SLASH_KEPT],
    breaks: &[Break::new("encoded_slash_is_plain", SLASH_KEPT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SLASH_KEPT: Code = Code::new(
    "routes.encoded_slash_not_decoded",
    "`%2F` is not taken for a slash",
    "the same path reaches different programs by spelling",
);

const TARGETS: [&str; 5] = [
    "/%2Fhealth",
    "/v0/management%2Fusage",
    "/v0/management%2fusage%2fexport",
    "/usage-service%2Fx",
    "/x/..%2Fhealth",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    reach_their_owners(ask, checks, TARGETS, SLASH_KEPT).await
}
