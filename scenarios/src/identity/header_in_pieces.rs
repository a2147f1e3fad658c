//! A PROXY header in several segments.

use proxyproof_harness::probe::ProbeError;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use crate::answer::answered_to;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/header_in_pieces",
    claim: "a PROXY header is read however it is cut into segments",
    why: "a sender may cut it anywhere; NGINX reads one segment and hangs up on the rest",
    asks: "client ── PROXY TCP4 203. │ 0.113.7 … │ a request ──▶ candidate ── the request ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolReassembly],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[REFUSED],
    breaks: &[Break::new("one_segment_proxy_header", REFUSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REFUSED: Code = Code::new(
    "identity.cut_header_refused",
    "a PROXY header that comes in several segments is refused",
    "connections fail now and then, by how the network cuts them",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client().header_in_segments(SEGMENT);
    match answered_to(ask, &client, ask.plain()).await {
        // A listener that ends TLS hangs up before there is any request.
        Err(HarnessError::Probe(error)) if matches!(*error, ProbeError::Tls { .. }) => {
            let finding = REFUSED.finding().expected("an answer");
            checks.push(finding.observed(error.to_string()));
        }
        seen => {
            checks.status(&seen?, 200, REFUSED);
        }
    }
    Ok(())
}

/// Bytes a segment: cuts inside the signature, the addresses and the line end.
const SEGMENT: usize = 7;
