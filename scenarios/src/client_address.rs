//! Whom the programs behind the candidate take a client for.

use std::net::IpAddr;

use proxyproof_harness::deployment::Endpoint;
use proxyproof_harness::kind::{ClientAddress, Entry};
use proxyproof_harness::{Ask, Purpose};
use proxyproof_mocks::Arrival;

/// Every endpoint of the upstreams that look at the client's address in some field: a location may have rules of its own.
pub(crate) fn believing(ask: &Ask<'_>) -> Vec<Endpoint> {
    let purposes = Purpose::ALL.into_iter();
    let mut endpoints: Vec<Endpoint> = purposes
        .filter(|purpose| *purpose != Purpose::WebSocket)
        .flat_map(|purpose| ask.deployment().endpoints(purpose))
        .filter(|endpoint| !rule(ask, endpoint).fields.is_empty())
        .collect();
    let mut seen = Vec::new();
    endpoints.retain(|endpoint| {
        let fresh = !seen.contains(&endpoint.target);
        seen.push(endpoint.target.clone());
        fresh
    });
    endpoints
}

/// Of these, those of upstreams that look at this field.
pub(crate) fn believing_in(ask: &Ask<'_>, field: &str) -> Vec<Endpoint> {
    let mut endpoints = believing(ask);
    endpoints.retain(|endpoint| fields(ask, endpoint).iter().any(|known| known == field));
    endpoints
}

/// An endpoint of the upstream that lets local clients do more: one for its owner alone, where it has one.
pub(crate) fn trusting(ask: &Ask<'_>) -> Option<Endpoint> {
    let mut endpoints = believing(ask);
    endpoints.retain(|endpoint| rule(ask, endpoint).trusts_loopback);
    endpoints.sort_by_key(|endpoint| endpoint.purpose != Purpose::Management);
    endpoints.into_iter().next()
}

/// The fields that an endpoint's upstream looks at, in its order.
pub(crate) fn fields<'a>(ask: &Ask<'a>, endpoint: &Endpoint) -> &'a [String] {
    &rule(ask, endpoint).fields
}

/// The address that an endpoint's upstream believes; `None` where it takes the connection's own, as where an entry is no
/// address.
pub(crate) fn believed(ask: &Ask<'_>, endpoint: &Endpoint, arrival: &Arrival) -> Option<IpAddr> {
    let rule = rule(ask, endpoint);
    rule.fields.iter().find_map(|name| {
        let value = arrival.head.all(name).into_iter().next()?;
        let parsed = |entry: &str| entry.trim().parse::<IpAddr>();
        let entries: Vec<IpAddr> = match rule.entry {
            Entry::Whole => vec![parsed(&value).ok()?],
            _ => value
                .split(',')
                .map(parsed)
                .collect::<Result<_, _>>()
                .ok()?,
        };
        let entry = match rule.entry {
            Entry::Rightmost => entries.last(),
            Entry::Leftmost | Entry::Whole => entries.first(),
        };
        Some(entry?.to_canonical())
    })
}

fn rule<'a>(ask: &Ask<'a>, endpoint: &Endpoint) -> &'a ClientAddress {
    let upstream = ask.deployment().upstreams.get(&endpoint.upstream);
    let upstream = upstream.expect("an endpoint leads to an upstream of the deployment");
    &upstream.client_address
}
