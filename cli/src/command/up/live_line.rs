//! The line about a request, once it is answered.

use proxyproof_harness::Deployment;
use proxyproof_mocks::Arrival;

/// Method and path, route, upstream, status, what was written, and how long it took.
pub(super) fn live_line(arrival: &Arrival, deployment: &Deployment) -> String {
    let target = arrival.head.target();
    let path = target.split('?').next().unwrap_or_default();
    let route = deployment.route(target.as_bytes());
    let route = route.map_or_else(|| "-".to_owned(), |route| route.location.to_string());
    let status = arrival.answer.status;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let events = match arrival.answer.events {
        Some(events) => format!("  sse {events} events"),
        None if arrival.upgraded.is_some() => "  websocket".to_owned(),
        None => String::new(),
    };
    let took = arrival
        .finished
        .map_or(0, |end| end.since(arrival.head_at).as_millis());
    format!(
        "{:7} {:32} {route} → {}  {status}{events}  {} bytes  {took} ms\n",
        arrival.head.method().escape_debug().to_string(),
        path.escape_debug().to_string(),
        arrival.upstream,
        arrival.written,
    )
}
