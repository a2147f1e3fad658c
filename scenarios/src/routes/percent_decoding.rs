//! Percent escapes of ordinary characters.

use crate::destination::reach_their_owners;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/percent_decoding",
    claim: "an escape of an unreserved character routes like the character itself (RFC 3986 section 6.2.2.2)",
    why: "clients and scanners escape at will, and both programs decode before they route: a proxy that does not decode disagrees with them on whose path it is",
    asks: "client ── GET /%68ealth ──▶ candidate ──▶ the owner of /health",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[NOT_DECODED],
    breaks: &[Break::new("no_percent_decoding", NOT_DECODED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_DECODED: Code = Code::new(
    "routes.escape_not_decoded",
    "an escaped path goes to another upstream than the same path in clear",
    "who gets a request depends on how it is spelled",
);

/// Escapes in both cases, in exact and prefix locations; none of them is a slash or a dot.
const TARGETS: [&str; 6] = [
    "/%68ealth",
    "/healt%68",
    "/%75sage-service/x",
    "/v0/management/usage%2Dqueue",
    "/v0/management/usage%2dqueue",
    "/v0/%6Danagement/model%2Dprices/sync",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    reach_their_owners(ask, checks, TARGETS, NOT_DECODED).await
}
