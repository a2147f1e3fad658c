//! What figures are worth, and why.

use serde::{Deserialize, Serialize};

use super::measured::{Measured, Round};
use crate::estimate::median_of;
use crate::placement::Placement;

/// What figures are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// Nothing speaks against them.
    Valid,
    /// Something may have moved them.
    Suspect,
    /// They are not shown.
    Void,
}

/// What the machine did besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The share of all cores' time that other programs took, 0 to 1.
    pub foreign_cpu: f64,
    /// The share of time that a spinning thread lost, to the hypervisor or a neighbour, 0 to 1.
    pub lost_time: f64,
}

impl Validity {
    pub(super) fn doubts(&self) -> Vec<(Worth, String)> {
        let judge = |share: f64, what: &str| {
            let worth = if share > VOID_SHARE {
                Worth::Void
            } else if share > SUSPECT_SHARE {
                Worth::Suspect
            } else {
                return None;
            };
            Some((worth, format!("{what} {:.0} % of the time", share * 100.0)))
        };
        let foreign = judge(self.foreign_cpu, "other programs took the cores");
        let lost = judge(self.lost_time, "the machine was elsewhere");
        foreign.into_iter().chain(lost).collect()
    }
}

impl Measured {
    /// What speaks against it.
    pub(super) fn doubt(
        &self,
        contender: &str,
        placement: Placement,
        doubts: &mut Vec<(Worth, String)>,
    ) {
        let asked = self.latency.count + self.errors.total();
        let here = format!("{contender}, {}", self.name);
        if self.errors.ports > 0 {
            doubts.push((
                Worth::Void,
                format!("{here}: no local ports left (EADDRNOTAVAIL)"),
            ));
        } else if self.errors.total() * 1000 > asked {
            let (errors, first) = (self.errors.total(), self.errors);
            doubts.push((Worth::Void, format!(
                "{here}: {errors} of {asked} requests failed ({} broken, {} wrong, {} not connected, {} unfinished)",
                first.broken, first.wrong, first.connect, first.unfinished
            )));
        }
        if let Some(limit) = self.own_limit(placement) {
            doubts.push((Worth::Void, format!("{here}: {limit}")));
        }
        let (Some(_), Some(lag), Some(p50)) = (self.rate, self.lag.p99, self.latency.p50) else {
            return;
        };
        if lag > LAG.max(p50 / 10) {
            doubts.push((
                Worth::Suspect,
                format!("{here}: the client itself was late, p99 {} us", lag / 1000),
            ));
        }
    }

    /// Whether client and upstream, and not the proxy, were what could not do more.
    ///
    /// On one core for all there is nothing to tell: what it carries is divided by what each takes.
    fn own_limit(&self, placement: Placement) -> Option<String> {
        let median = |figure: fn(&Round) -> f64| median_of(self.series(figure)).unwrap_or(0.0);
        let (client, upstream) = (
            median(|round| round.busy_client),
            median(|round| round.busy_upstream),
        );
        let proxy = median(|round| round.busy_proxy);
        // Without a proxy on the way they are all there is.
        if proxy == 0.0 || proxy >= FULL {
            return None;
        }
        let (share, who) = match placement {
            Placement::Same => return None,
            Placement::Split => (client + upstream, "client and upstream filled their core"),
            Placement::Free if client >= upstream => (client, "the client filled its core"),
            Placement::Free => (upstream, "the upstream filled its core"),
        };
        (share >= FULL).then(|| {
            format!(
                "{who} ({:.0} %), and the proxy did not ({:.0} %)",
                share * 100.0,
                proxy * 100.0
            )
        })
    }
}

/// The client's own lateness, in nanoseconds, beyond which latencies of an open model say more about it than about the proxy.
const LAG: u64 = 50_000;
/// Of a core; the rest is what waking up takes.
const FULL: f64 = 0.90;
const SUSPECT_SHARE: f64 = 0.10;
const VOID_SHARE: f64 = 0.40;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Errors, Samples};
    use crate::profile::Profile;
    use crate::report::Took;
    use crate::report::tests::{QUIET, report};

    #[test]
    fn a_quiet_run_is_valid() {
        let report = report(QUIET, 200, Errors::default());
        assert_eq!(
            (report.verdict, report.reasons.as_slice()),
            (Worth::Valid, [].as_slice())
        );
        assert!(report.text().contains("100.0"), "{}", report.text());
    }

    #[test]
    fn a_busy_neighbour_is_told() {
        let busy = |foreign_cpu| {
            report(
                Validity {
                    foreign_cpu,
                    ..QUIET
                },
                200,
                Errors::default(),
            )
        };
        assert_eq!(busy(0.2).verdict, Worth::Suspect);
        assert_eq!(
            busy(0.2).reasons,
            ["other programs took the cores 20 % of the time"]
        );
        assert_eq!(busy(0.5).verdict, Worth::Void);
    }

    /// Shares of the time of client, proxy and upstream.
    fn own_limit(placement: Placement, busy: [f64; 3]) -> Option<String> {
        let mut measured =
            Measured::of(&Profile::named("quick").expect("it is embedded").measures[1]);
        let took = Took {
            cpu: busy.map(|share| (share * 1e9) as u64),
            wall: Duration::from_secs(1),
            ..Took::default()
        };
        let samples = Samples::default();
        measured.add((Round::of(&samples, &took), samples));
        measured.own_limit(placement)
    }

    #[test]
    fn a_saturated_mock_is_told() {
        let told = own_limit(Placement::Free, [0.4, 0.5, 0.97]);
        assert_eq!(
            told.as_deref(),
            Some("the upstream filled its core (97 %), and the proxy did not (50 %)")
        );
        let told = own_limit(Placement::Split, [0.5, 0.7, 0.45]);
        assert!(told.is_some_and(|told| told.starts_with("client and upstream filled")));
    }

    #[test]
    fn a_proxy_at_its_limit_is_what_is_measured() {
        assert_eq!(own_limit(Placement::Split, [0.6, 0.99, 0.39]), None);
        assert_eq!(own_limit(Placement::Split, [0.3, 0.5, 0.2]), None);
        // One core for all, and no proxy at all.
        assert_eq!(own_limit(Placement::Same, [0.4, 0.2, 0.4]), None);
        assert_eq!(own_limit(Placement::Split, [0.5, 0.0, 0.5]), None);
    }

    #[test]
    fn a_late_client_is_told() {
        let late = report(QUIET, 3_000_000, Errors::default());
        assert_eq!(late.verdict, Worth::Suspect);
        assert!(
            late.reasons[0].contains("the client itself was late"),
            "{:?}",
            late.reasons
        );
    }

    #[test]
    fn failed_requests_leave_no_figures() {
        let errors = Errors {
            wrong: 40,
            ..Errors::default()
        };
        let void = report(QUIET, 200, errors);
        assert_eq!(void.verdict, Worth::Void);
        let text = void.text();
        assert!(
            text.contains("nginx, 1 000 requests a second: 40 of 1040 requests failed"),
            "{text}"
        );
        assert!(!text.contains("p50"), "{text}");
    }

    #[test]
    fn ports_that_ran_out_leave_no_figures() {
        let errors = Errors {
            connect: 1,
            ports: 1,
            ..Errors::default()
        };
        assert_eq!(report(QUIET, 200, errors).verdict, Worth::Void);
    }
}
