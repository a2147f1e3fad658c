//! A POST to a prefix location without its final slash.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::destination::prefixes;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/slash_redirect_keeps_method",
    claim: "a POST to a prefix without its final slash keeps its method and body",
    why: "after 301 and 302 clients turn POST into GET (RFC 9110 section 15.4.2): the body is lost without an error",
    asks: "client ── POST /usage-service + body ──▶ candidate ── served with its body, 307 or 308, or refused",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::PrefixRoute],
    stage: StageUse::Shared,
    findings: &[METHOD_LOST],
    breaks: &[Break::new("slash_redirect_internal", METHOD_LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const METHOD_LOST: Code = Code::new(
    "routes.slash_redirect_loses_body",
    "a POST is redirected in a way that makes it a GET",
    "the client repeats the request as GET and without its body",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for prefix in prefixes(ask) {
        let target = prefix.trim_end_matches('/').to_owned();
        checks.about(format!("POST {target}"));
        let seen = answered(ask, ask.request("POST", target).body(BODY)).await?;
        let redirected = seen.status().filter(|status| matches!(status, 301..=303));
        checks.ensure(redirected.is_none(), || {
            let finding = METHOD_LOST.finding().seen(&seen).focus(&["Location"]);
            finding
                .expected("no redirect, or status 307 or 308")
                .observed(format!("status {}", redirected.unwrap_or_default()))
        });
        if !seen.arrivals.is_empty() {
            checks.body_intact(&seen, BODY, METHOD_LOST);
        }
    }
    Ok(())
}

const BODY: &[u8] = b"{\"value\":true}";
