//! Failures that are known and listed.

use serde::Serialize;

use super::ListenerKind;
use crate::check::{THE_CANDIDATE_DIED, THE_EXCHANGE_BROKE_OFF};
use crate::deployment::Deployment;
use crate::finding::Finding;
use crate::glob;
use crate::protocol::Protocol;

/// A finding of some scenarios that this candidate can't avoid, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownGap {
    /// Matched against `scenario` and `scenario@protocol`; `*` is any run of characters.
    pub pattern: String,
    /// Matched against the code of a finding; another finding of the same scenario is no gap.
    pub finding: String,
    /// Why, as a sentence without final period.
    pub reason: String,
    /// Whether it shows in every run.
    #[serde(skip)]
    pub occurrence: Occurrence,
    /// What a site's listeners must have for it to show; on every site without it.
    #[serde(skip)]
    pub listener: Option<ListenerKind>,
}

/// How often a gap shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occurrence {
    /// In every run: one that passes is stale.
    #[default]
    Always,
    /// When a race in the proxy goes wrong: one that passes proves nothing.
    Sometimes,
}

impl KnownGap {
    /// Whether it shows on this site.
    #[must_use]
    pub fn shows_on(&self, deployment: &Deployment) -> bool {
        self.listener.is_none_or(|kind| kind.is_of(deployment))
    }

    /// Whether a scenario asked through a protocol is covered.
    #[must_use]
    pub fn covers(&self, scenario: &str, protocol: Protocol) -> bool {
        glob::matches(&self.pattern, scenario)
            || glob::matches(&self.pattern, &format!("{scenario}@{protocol}"))
    }

    /// Whether it is the gap that this finding shows: a candidate that died is none, and one that breaks an exchange off
    /// only where the manifest says so by name.
    #[must_use]
    pub fn explains(&self, finding: &Finding) -> bool {
        let code = finding.code.as_str();
        code != THE_CANDIDATE_DIED.name
            && (code == self.finding
                || (code != THE_EXCHANGE_BROKE_OFF.name && glob::matches(&self.finding, code)))
    }

    /// As manifests write it: the scenarios, then the finding.
    #[must_use]
    pub fn entry(&self) -> String {
        format!("{} {}", self.pattern, self.finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Front;

    #[test]
    fn a_gap_shows_where_the_sites_listeners_are_so() {
        let gap = |listener| KnownGap {
            pattern: "*".to_owned(),
            finding: "*".to_owned(),
            reason: "it is so".to_owned(),
            occurrence: Occurrence::Always,
            listener,
        };
        let shows = |deployment: &Deployment| {
            [
                None,
                Some(ListenerKind::Tls),
                Some(ListenerKind::ProxyProtocol),
            ]
            .map(|listener| gap(listener).shows_on(deployment))
        };
        let mut deployment = Deployment::cpa_two_hosts();
        assert_eq!(shows(&deployment), [true, false, true]);
        deployment.put_behind(Front::None, true);
        assert_eq!(shows(&deployment), [true, true, false]);
    }

    #[test]
    fn a_gap_explains_its_own_finding_alone() {
        let gap = |finding: &str| KnownGap {
            pattern: "*".to_owned(),
            finding: finding.to_owned(),
            reason: "it is so".to_owned(),
            occurrence: Occurrence::Always,
            listener: None,
        };
        let explains = |pattern: &str, code: &str| {
            let code = code.to_owned();
            gap(pattern).explains(&Finding {
                code,
                ..Finding::default()
            })
        };
        assert!(explains("trial.broken", "trial.broken"));
        assert!(explains("trial.*", "trial.broken"));
        assert!(!explains("trial.broken", "trial.other"));
        assert!(explains("exchange.broke_off", "exchange.broke_off"));
        assert!(!explains("*", "exchange.broke_off"));
        assert!(!explains("candidate.died", "candidate.died"));
    }
}
