//! The usage-service mock, and what it can be told to be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::base_url::BaseUrl;
use super::collector::{Backoff, Pace};
use super::cors::Origins;
use super::service::{Settings, UsageServer};
use super::setup::Setup;
use crate::ledger::Ledger;
use crate::upstream::{Rules, RunningUpstream, Server};

/// A mock of the usage service, to be started.
#[derive(Clone, Debug)]
pub struct UsageService {
    cpa: Option<(String, String)>,
    origins: Vec<String>,
    pace: Pace,
    price_source: Option<String>,
    query_limit: usize,
    name: String,
    ledger: Ledger,
    address: SocketAddr,
}

/// From which end of CPA's queue records are taken; CPA gives the oldest either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PopSide {
    /// `LPOP`
    Left,
    /// `RPOP`
    #[default]
    Right,
}

impl PopSide {
    /// `left` and `lpop`, in any case, mean the left; everything else the right.
    pub(super) fn named(side: &str) -> Self {
        let left = ["left", "lpop"]
            .iter()
            .any(|name| side.eq_ignore_ascii_case(name));
        if left { Self::Left } else { Self::Right }
    }
}

impl UsageService {
    /// The service freshly installed: not set up, open to every origin; on an ephemeral loopback port, with a ledger of its own.
    #[must_use]
    pub fn new() -> Self {
        let pace = Pace {
            poll_interval: POLL_INTERVAL,
            batch_size: BATCH_SIZE,
            backoff: Backoff::default(),
        };
        Self {
            cpa: None,
            origins: vec!["*".to_owned()],
            pace,
            price_source: None,
            query_limit: QUERY_LIMIT,
            name: "usage".to_owned(),
            ledger: Ledger::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Is set up from the start with this CPA, as by its environment: what is set up later does not replace it.
    #[must_use]
    pub fn cpa(mut self, base_url: impl Into<String>, management_key: impl Into<String>) -> Self {
        self.cpa = Some((base_url.into(), management_key.into()));
        self
    }

    /// Lets pages of this origin read answers, and no others; `*` for all. Given again, of these origins.
    #[must_use]
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.retain(|one| one != "*");
        self.origins.push(origin.into());
        self
    }

    /// Asks CPA for records so often; 500 ms if not said otherwise.
    #[must_use]
    pub const fn poll_interval(mut self, interval: Duration) -> Self {
        self.pace.poll_interval = interval;
        self
    }

    /// Waits so long after the collector failed.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.pace.backoff = backoff;
        self
    }

    /// Takes prices from this URL on loopback, a file in LiteLLM's form. Without one, a sync fails with 502.
    #[must_use]
    pub fn price_source(mut self, url: impl Into<String>) -> Self {
        self.price_source = Some(url.into());
        self
    }

    /// Counts at most so many events; 50 000 if not said otherwise.
    #[must_use]
    pub const fn query_limit(mut self, events: usize) -> Self {
        self.query_limit = events;
        self
    }

    /// Is called this in the ledger.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Records arrivals in this ledger.
    #[must_use]
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = ledger;
        self
    }

    /// Listens here; port 0 for an ephemeral one.
    #[must_use]
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Binds and serves on the caller's runtime; the collector starts if CPA is known.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> io::Result<RunningUpstream> {
        let rules = Rules {
            header_timeout: Some(HEADER_TIMEOUT),
            ..Rules::default()
        };
        let setup = self.cpa.and_then(|(url, key)| {
            let base_url = BaseUrl::normalized(&url).filter(|_| !key.is_empty())?;
            Some(Setup {
                base_url,
                management_key: key,
                queue: QUEUE.to_owned(),
                pop_side: PopSide::default(),
            })
        });
        let settings = Settings {
            environment: setup,
            origins: Origins::new(self.origins),
            queue: QUEUE,
            pop_side: PopSide::default(),
            query_limit: self.query_limit,
            price_source: self.price_source,
        };
        let server = Server::new(&self.name, UsageServer::new(settings, self.pace)).rules(rules);
        server
            .ledger(self.ledger)
            .listen(self.address)
            .start()
            .await
    }
}

impl Default for UsageService {
    fn default() -> Self {
        Self::new()
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(500);
const BATCH_SIZE: usize = 100;
const QUEUE: &str = "usage";
const QUERY_LIMIT: usize = 50_000;
/// Of Go's server: the connection is closed silently then.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
