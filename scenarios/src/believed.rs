//! Whom CPA takes a client for.

use std::net::IpAddr;

use proxyproof_mocks::Arrival;

/// The address that CPA believes: the left-most entry of `X-Forwarded-For` if every entry is an address, else
/// `X-Real-IP`; `None` where it takes the connection's own.
pub(crate) fn believed(arrival: &Arrival) -> Option<IpAddr> {
    FIELDS.iter().find_map(|name| {
        let value = arrival.head.all(name).into_iter().next()?;
        let entries: Result<Vec<IpAddr>, _> = value.split(',').map(|e| e.trim().parse()).collect();
        Some(entries.ok()?.first()?.to_canonical())
    })
}

/// The fields it looks at, in its order.
pub(crate) const FIELDS: [&str; 2] = ["X-Forwarded-For", "X-Real-IP"];
