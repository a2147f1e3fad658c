//! How a probe reaches the candidate: [`Protocol`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::candidate::Feature;

/// The way a scenario is asked; each one is an entry of its own in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 at the candidate's own listener.
    H1,
    /// HTTP/2 with prior knowledge (RFC 9113 section 3.3) at the candidate's own listener.
    H2,
    /// HTTP/1.1 over TLS through the front.
    ChainH1,
    /// HTTP/2 over TLS, chosen by ALPN, through the front.
    ChainH2,
}

impl Protocol {
    /// Every protocol, in report order.
    pub const ALL: [Self; 4] = [Self::H1, Self::H2, Self::ChainH1, Self::ChainH2];
    /// The candidate's own listeners.
    pub const DIRECT: [Self; 2] = [Self::H1, Self::H2];

    /// The name in reports, filters and deployments: `h1`, `h2`, `chain-h1`, `chain-h2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::H1 => "h1",
            Self::H2 => "h2",
            Self::ChainH1 => "chain-h1",
            Self::ChainH2 => "chain-h2",
        }
    }

    /// True where the request goes over TLS through the front.
    #[must_use]
    pub const fn is_chain(self) -> bool {
        matches!(self, Self::ChainH1 | Self::ChainH2)
    }

    /// The candidate's listener that serves this protocol: [`Protocol::H1`] or [`Protocol::H2`].
    #[must_use]
    pub const fn listener(self) -> Self {
        match self {
            Self::H1 | Self::ChainH1 => Self::H1,
            Self::H2 | Self::ChainH2 => Self::H2,
        }
    }

    /// What a candidate has to be able to for this protocol.
    #[must_use]
    pub const fn spoken(self) -> Feature {
        match self.listener() {
            Self::H2 | Self::ChainH2 => Feature::HttpTwo,
            Self::H1 | Self::ChainH1 => Feature::HttpOne,
        }
    }

    /// The HTTP version that the probe speaks.
    #[must_use]
    pub const fn http_version(self) -> http::Version {
        match self.listener() {
            Self::H2 => http::Version::HTTP_2,
            _ => http::Version::HTTP_11,
        }
    }

    /// The ALPN protocol id (RFC 7301) that the probe offers to the front.
    #[must_use]
    pub const fn alpn(self) -> &'static str {
        match self.listener() {
            Self::H2 => "h2",
            _ => "http/1.1",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The text names no protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no protocol is called `{name}`: h1, h2, chain-h1, chain-h2")]
pub struct UnknownProtocol {
    /// What was written.
    pub name: String,
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        assert_eq!(
            "h3".parse::<Protocol>().unwrap_err().to_string(),
            "no protocol is called `h3`: h1, h2, chain-h1, chain-h2"
        );
    }
}
