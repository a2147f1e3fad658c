//! Connections without a PROXY header, or with one that is none.

use proxyproof_harness::probe::{ProbeError, ProxyHeader};
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use proxyproof_mocks::wire::proxy_protocol::MalformedHeader;

use crate::answer::answered_to;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/header_required",
    claim: "a connection without a PROXY header, or with a malformed one, reaches no upstream",
    why: "whoever can reach the listener past the tunnel would be the proxy itself, which CPA takes for local",
    asks: "client ── no PROXY header, or a malformed one, and a request ──▶ candidate ── refused; nothing at upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[WRONG, MALFORMED],
    breaks: &[
        Break::new("optional_proxy_header", WRONG.name),
        Break::new("lenient_proxy_header", MALFORMED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.header_not_required",
    "a connection without a PROXY header is served",
    "its client looks like the proxy itself, which is local",
);

const MALFORMED: Code = Code::new(
    "identity.malformed_header_served",
    "a connection with a malformed PROXY header is served",
    "its client looks like the proxy itself, which is local",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let malformed = |header: MalformedHeader| ProxyHeader::Bytes(header.bytes().into());
    let headers = MALFORMED_HEADERS.iter().map(|&header| {
        let subject = header.describe().to_owned();
        (subject, malformed(header), MALFORMED)
    });
    let none = ("no header".to_owned(), ProxyHeader::None, WRONG);
    for (subject, header, code) in std::iter::once(none).chain(headers) {
        checks.about(subject);
        let client = ask.client().header(header);
        match answered_to(ask, &client, ask.plain()).await {
            // A listener that ends TLS hangs up before there is any request.
            Err(HarnessError::Probe(error)) if matches!(*error, ProbeError::Tls { .. }) => {}
            seen => {
                checks.not_arrived(&seen?, code);
            }
        }
    }
    Ok(())
}

/// Of version 1, each wrong in a part of its own that no receiver can do without.
const MALFORMED_HEADERS: [MalformedHeader; 2] = [
    MalformedHeader::UnknownProtocol,
    MalformedHeader::LineFeedOnly,
];
