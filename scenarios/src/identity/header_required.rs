//! Connections without a PROXY header.

use proxyproof_harness::probe::{ProbeError, ProxyHeader};
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use crate::answer::answered_to;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/header_required",
    claim: "a connection without a PROXY header reaches no upstream",
    why: "whoever can reach the listener past the tunnel would be the proxy itself, which CPA takes for local",
    asks: "client ── a request, no PROXY header ──▶ candidate ── refused; nothing at upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[Break::new("optional_proxy_header", WRONG.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.header_not_required",
    "a connection without a PROXY header is served",
    "its client looks like the proxy itself, which is local",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client().header(ProxyHeader::None);
    let seen = match answered_to(ask, &client, ask.plain()).await {
        // A listener that ends TLS hangs up before there is any request.
        Err(HarnessError::Probe(error)) if matches!(*error, ProbeError::Tls { .. }) => {
            return Ok(());
        }
        seen => seen?,
    };
    checks.not_arrived(&seen, WRONG);
    Ok(())
}
