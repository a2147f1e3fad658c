//! What a candidate did with one target, and whether that is what the oracle says.

use std::fmt;

use proxyproof_oracle::Printable;
use proxyproof_oracle::location::{Answer as Said, Refusal, Site};

use crate::probe::{Answer, ProbeError, ResetBy};

/// What a candidate did with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// An upstream got it.
    Passed {
        /// The upstream's address as configured.
        upstream: String,
        /// The target that arrived.
        target: Vec<u8>,
    },
    /// The candidate answered by itself.
    Answered {
        /// The status.
        status: u16,
        /// The answer's `Location`, without scheme and authority.
        location: Option<String>,
    },
    /// The HTTP/2 stream or connection was reset.
    Reset,
    /// There was no answer.
    Silent {
        /// What there was instead.
        why: String,
    },
    /// The candidate would not load the configuration that the oracle reads.
    NotLoaded {
        /// Its words.
        words: Vec<String>,
    },
}

impl Observed {
    /// What an answer shows; echoes answer 200 with their name and the target.
    pub(super) fn of(answer: Result<Answer, ProbeError>, upstreams: &[String]) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(ProbeError::Reset {
                by: ResetBy::Stream { .. },
            }) => return Self::Reset,
            Err(error) => {
                return Self::Silent {
                    why: crate::error::chain(&error),
                };
            }
        };
        let blank = answer.body.iter().position(|byte| *byte == b' ');
        let echoed = blank.map(|blank| (&answer.body[..blank], &answer.body[blank + 1..]));
        let known = |name: &[u8]| upstreams.iter().find(|known| known.as_bytes() == name);
        if let Some((name, target)) = echoed
            && answer.status == 200
            && let Some(upstream) = known(name)
        {
            return Self::Passed {
                upstream: upstream.clone(),
                target: target.to_vec(),
            };
        }
        Self::Answered {
            status: answer.status,
            location: answer
                .field("location")
                .map(|location| without_authority(&location)),
        }
    }

    /// Whether this may be the machine's doing: such an answer is asked for again before it counts.
    pub(super) fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::Silent { .. }
                | Self::Answered {
                    status: 502 | 504,
                    ..
                }
        )
    }

    /// Whether the candidate did what the oracle says; `None` where the oracle says nothing.
    pub(super) fn agrees(&self, said: &Said, site: &Site) -> Option<bool> {
        Some(match (said, self) {
            (Said::NotModelled(_), _) => return None,
            (Said::Handled { .. }, observed) => !matches!(
                observed,
                Self::Passed { .. } | Self::Reset | Self::Silent { .. }
            ),
            (
                Said::Proxied { upstream, target },
                Self::Passed {
                    upstream: got,
                    target: arrived,
                },
            ) => target == arrived && serves(site, upstream, got),
            // NGINX resets the stream of some malformed paths, and answers 400 to others.
            (Said::Refused(Refusal::Path { .. }), Self::Reset) => true,
            (Said::Refused(refusal), Self::Answered { status, .. }) => refusal.status() == *status,
            (Said::Returned { status: said }, Self::Answered { status, .. }) => said == status,
            (
                Said::Redirected {
                    status: said,
                    location: to,
                },
                Self::Answered { status, location },
            ) => {
                let to = to
                    .as_ref()
                    .map(|to| without_authority(&String::from_utf8_lossy(to)));
                said == status && (to.is_none() || to == *location)
            }
            _ => false,
        })
    }
}

/// Whether the upstream of this name has this address.
fn serves(site: &Site, name: &str, address: &str) -> bool {
    match site.upstream(name) {
        Some(upstream) => upstream
            .servers
            .iter()
            .any(|server| server.written == address),
        None => name == address,
    }
}

/// The path and query of a URL; the rest names a listener that is not the published one.
fn without_authority(url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    rest.find('/')
        .map_or_else(String::new, |path| rest[path..].to_owned())
}

impl fmt::Display for Observed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { upstream, target } => {
                write!(formatter, "{upstream} gets {}", Printable(target))
            }
            Self::Answered {
                status,
                location: Some(to),
            } => write!(formatter, "{status} to {to}"),
            Self::Answered {
                status,
                location: None,
            } => write!(formatter, "{status}"),
            Self::Reset => formatter.write_str("a reset"),
            Self::Silent { why } => write!(formatter, "no answer: {why}"),
            Self::NotLoaded { words } => {
                write!(
                    formatter,
                    "the configuration is refused: {}",
                    words.join(" ")
                )
            }
        }
    }
}
