//! Failures that are known and listed.

use serde::Serialize;

use crate::deployment::{Deployment, ProxyProtocol};
use crate::glob;
use crate::protocol::Protocol;

/// A pattern over scenarios that this candidate can't satisfy, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownGap {
    /// Matched against `scenario` and `scenario@protocol`; `*` is any run of characters.
    pub pattern: String,
    /// Why, as a sentence without final period.
    pub reason: String,
    /// Whether it shows in every run.
    #[serde(skip)]
    pub occurrence: Occurrence,
    /// On which sites it shows.
    #[serde(skip)]
    pub sites: GapSites,
}

/// On which sites a gap shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapSites {
    /// On all of them.
    #[default]
    All,
    /// Where the candidate ends TLS itself.
    WithTls,
    /// Where connections to the candidate begin with a PROXY header.
    WithProxyProtocol,
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
        let mut listeners = deployment.listeners.values();
        match self.sites {
            GapSites::All => true,
            GapSites::WithTls => listeners.any(|listener| listener.tls),
            GapSites::WithProxyProtocol => {
                listeners.any(|listener| listener.proxy_protocol != ProxyProtocol::None)
            }
        }
    }

    /// Whether a scenario asked through a protocol is covered.
    #[must_use]
    pub fn covers(&self, scenario: &str, protocol: Protocol) -> bool {
        glob::matches(&self.pattern, scenario)
            || glob::matches(&self.pattern, &format!("{scenario}@{protocol}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Front;

    #[test]
    fn a_gap_shows_where_the_sites_listeners_are_so() {
        let gap = |sites| KnownGap {
            pattern: "*".to_owned(),
            reason: "it is so".to_owned(),
            occurrence: Occurrence::Always,
            sites,
        };
        let shows = |deployment: &Deployment| {
            [
                GapSites::All,
                GapSites::WithTls,
                GapSites::WithProxyProtocol,
            ]
            .map(|sites| gap(sites).shows_on(deployment))
        };
        let mut deployment = Deployment::cpa_two_hosts();
        assert_eq!(shows(&deployment), [true, false, true]);
        deployment.put_behind(Front::None, true);
        assert_eq!(shows(&deployment), [true, true, false]);
    }
}
