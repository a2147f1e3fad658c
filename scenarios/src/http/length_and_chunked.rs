//! Content-Length and chunked in one request: the classic of request smuggling.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Arrival;
use proxyproof_mocks::ledger::{Framing, RawHead};

use crate::literal::{Literal, stowaway_arrived};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/length_and_chunked",
    claim: "a request with Content-Length and chunked is refused, or forwarded with one framing and nothing behind it",
    why: "RFC 9112 section 6.3: where proxy and program disagree on the end of a body, the rest is a request of the attacker's choice",
    asks: "client ── POST, Content-Length: n, Transfer-Encoding: chunked, a second request in the body ──▶ candidate ── refused, or one request ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Stream),
        SiteNeed::Endpoint(Purpose::Plain),
    ],
    stage: StageUse::Shared,
    findings: &[AMBIGUOUS],
    breaks: &[Break::new("relay_blindly", AMBIGUOUS.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const AMBIGUOUS: Code = Code::new(
    "http.ambiguous_framing",
    "a request with two framings is passed on as it is",
    "a second request can be hidden in a body, past every rule of the proxy and under another client's address",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stowaway =
        Literal::new(ask, "GET {plain} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\n\r\n").answered(ask);
    let body = format!("0\r\n\r\n{}", String::from_utf8_lossy(&stowaway.bytes));
    let template = format!(
        "POST {{stream}} HTTP/1.1\r\nHost: {{host}}\r\n{{tag}}\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n{body}",
        body.len()
    );
    let seen = Literal::new(ask, &template)
        .answered(ask)
        .exchange(ask)
        .await?;
    let both = seen.arrivals.iter().any(|arrival| {
        arrival.framing == Framing::Chunked && arrival.head.first("Content-Length").is_some()
    });
    let aboard = seen.arrivals.len() > 1 || (!refused(&seen) && both);
    checks.ensure(!aboard, || {
        let finding = AMBIGUOUS
            .finding()
            .seen(&seen)
            .focus(&["Content-Length", "Transfer-Encoding"]);
        finding
            .expected("a refusal, or one framing field")
            .observed("both framing fields arrived")
    });
    // The chunked reading ends before the stowaway: on a connection that stays open it is the client's next request,
    // and no crime. It must not come past the proxy, which shows where the proxy adds to every request of its own.
    let arrived = stowaway_arrived(ask, stowaway.probe).await;
    let own = ask.ledger().arrivals(stowaway.probe);
    let added = added_to_a_plain_request(ask).await?;
    let untouched = |arrival: &Arrival| {
        let has = |name: &String| arrival.head.first(name).is_some();
        !added.is_empty() && !added.iter().any(has)
    };
    let smuggled = arrived && own.iter().any(untouched);
    checks.ensure(!smuggled, || {
        let finding = AMBIGUOUS
            .finding()
            .seen(&seen)
            .expected("no request that the proxy has not made itself");
        let names = added.join(", ");
        finding.observed(format!(
            "the request in the body arrived without any field that the proxy adds to others: {names}"
        ))
    });
    Ok(())
}

/// The names of fields that the proxy adds to a request like the one in the body.
async fn added_to_a_plain_request(ask: &Ask<'_>) -> Result<Vec<String>, HarnessError> {
    let plain = Literal::new(ask, PLAIN).answered(ask);
    let seen = plain.exchange(ask).await?;
    let Some(arrival) = seen.arrivals.first() else {
        return Ok(Vec::new());
    };
    let sent = names(&seen.request.head);
    let mut added = names(&arrival.head);
    added.retain(|name| !sent.contains(name));
    Ok(added)
}

fn names(head: &RawHead) -> Vec<String> {
    let names = head.fields().into_iter();
    let text = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    names.map(|field| text(&field.name)).collect()
}

/// What is hidden in the body, and sent by itself for comparison.
const PLAIN: &str = "GET {plain} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\n\r\n";

fn refused(seen: &proxyproof_harness::Seen) -> bool {
    seen.arrivals.is_empty()
}
