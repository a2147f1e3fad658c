//! Requests that their upstream holds.

use proxyproof_harness::{Ask, Checks, Code, Patience, Request};

/// Whether a request that was sent is at its upstream, where it holds whatever it holds; pushes `code` where it is not.
pub(crate) async fn is_held(
    ask: &Ask<'_>,
    checks: &mut Checks,
    request: &Request,
    code: Code,
) -> bool {
    let longest = Patience::ANSWER.scaled();
    let arrival = ask.ledger().arrival(request.probe_id(), longest).await;
    checks.ensure(arrival.is_some(), || {
        // Others are under way on this stage: it waits behind one of them.
        let finding = code.finding().subject("the first request");
        let finding = finding.expected("the request at its upstream, whatever else waits there");
        finding.observed("it did not arrive while others were under way")
    })
}
