//! What the upstreams saw.

use proxyproof_mocks::Arrival;

use super::Checks;
use crate::{finding::Code, probe::Seen};

impl Checks {
    /// The request arrived exactly once, at the upstream of this name; gives its arrival.
    pub fn arrived_at<'s>(
        &mut self,
        seen: &'s Seen,
        upstream: &str,
        code: Code,
    ) -> Option<&'s Arrival> {
        match seen.arrivals.as_slice() {
            [arrival] if &*arrival.upstream == upstream => Some(arrival),
            arrivals => {
                let finding = code
                    .finding()
                    .seen(seen)
                    .expected(format!("one request at {upstream}"));
                self.push(finding.observed(arrived(arrivals)));
                None
            }
        }
    }

    /// The request arrived exactly once, wherever; gives its arrival.
    pub fn arrived_once<'s>(&mut self, seen: &'s Seen, code: Code) -> Option<&'s Arrival> {
        if let [arrival] = seen.arrivals.as_slice() {
            return Some(arrival);
        }
        let finding = code
            .finding()
            .seen(seen)
            .expected("one request at one upstream");
        self.push(finding.observed(arrived(&seen.arrivals)));
        None
    }

    /// No upstream saw anything of the request.
    pub fn not_arrived(&mut self, seen: &Seen, code: Code) -> bool {
        self.ensure(seen.arrivals.is_empty(), || {
            let finding = code
                .finding()
                .seen(seen)
                .expected("nothing at any upstream");
            finding.observed(arrived(&seen.arrivals))
        })
    }

    /// The first arrival has this request target, byte for byte.
    pub fn target(&mut self, seen: &Seen, target: &str, code: Code) -> bool {
        self.of_arrival(seen, "target", target, code, |arrival| {
            arrival.head.target()
        })
    }

    /// The first arrival has this method.
    pub fn method(&mut self, seen: &Seen, method: &str, code: Code) -> bool {
        self.of_arrival(seen, "method", method, code, |arrival| {
            arrival.head.method()
        })
    }

    /// The first arrival has this version, such as `HTTP/1.1`.
    pub fn version(&mut self, seen: &Seen, version: &str, code: Code) -> bool {
        self.of_arrival(seen, "version", version, code, |arrival| {
            arrival.head.version()
        })
    }

    fn of_arrival(
        &mut self,
        seen: &Seen,
        what: &str,
        wanted: &str,
        code: Code,
        part: impl Fn(&Arrival) -> String,
    ) -> bool {
        let found = seen.arrivals.first().map(part);
        self.ensure(found.as_deref() == Some(wanted), || {
            let observed = found.map_or_else(|| arrived(&[]), |found| format!("{what} `{found}`"));
            code.finding()
                .seen(seen)
                .expected(format!("{what} `{wanted}`"))
                .observed(observed)
        })
    }
}

/// `nothing arrived`, or what arrived where.
pub(super) fn arrived(arrivals: &[Arrival]) -> String {
    match arrivals {
        [] => "nothing arrived at any upstream".to_owned(),
        [arrival] => format!("it arrived at {}", arrival.upstream),
        arrivals => {
            let places: Vec<&str> = arrivals.iter().map(|arrival| &*arrival.upstream).collect();
            format!(
                "it arrived {} times, at {}",
                arrivals.len(),
                places.join(", ")
            )
        }
    }
}
