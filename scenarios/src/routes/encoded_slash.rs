//! Slashes that are escaped.

use crate::destination::{own_paths, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/encoded_slash",
    claim: "an escaped slash routes like a slash, as NGINX's rules say for this table",
    why: "CPA routes `/v1%2Fmodels` as `/v1/models`: where proxy and program read an escape differently, a path can be one thing to the one and another to the other",
    asks: "client ── GET /v0/management%2Fusage ──▶ candidate ──▶ the owner of /v0/management/usage",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
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

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = own_paths(ask).into_iter().flat_map(|path| {
        let below = &path[1..];
        // The final slash of a prefix stays: without it the path is another one.
        let (inner, end) = match below.strip_suffix('/') {
            Some(inner) => (inner, "/"),
            None => (below, ""),
        };
        let last = inner.rfind('/');
        let last = last.map(|at| format!("/{}%2F{}{end}", &inner[..at], &inner[at + 1..]));
        let all = last
            .as_ref()
            .map(|_| format!("/{}{end}", inner.replace('/', "%2f")));
        let outside = [format!("/%2F{below}"), format!("/x/..%2F{below}")];
        outside.into_iter().chain(last).chain(all)
    });
    reach_their_owners(ask, checks, targets, SLASH_KEPT).await
}
