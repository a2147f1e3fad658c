//! The CPA mock, and what it can be told to be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::management::AllowRemote;
use super::provider::{Catalogue, Model, example_catalogue};
use super::service::CpaService;
use crate::ledger::Ledger;
use crate::upstream::{Protocols, Rules, RunningUpstream, Server};

/// Whether CPA keeps usage records (`usage-statistics-enabled`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageStatistics {
    /// Records go to the queue, while management is on.
    #[default]
    On,
    /// Nothing is recorded.
    Off,
}

/// Whether fields of the provider's answer are passed on (`passthrough-headers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassthroughHeaders {
    /// None.
    #[default]
    No,
    /// Those that are the provider's own; the scripted provider sends none.
    Yes,
}

/// A mock of CPA (CLIProxyAPI, a7e3596b7), to be started: the AI gateway, with a scripted provider behind it.
#[derive(Clone, Debug)]
pub struct Cpa {
    configuration: Configuration,
    name: String,
    ledger: Ledger,
    address: SocketAddr,
}

/// What the service is told.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) api_keys: Vec<String>,
    pub(crate) management_key: Option<String>,
    pub(crate) allow_remote: AllowRemote,
    pub(crate) usage_statistics: UsageStatistics,
    pub(crate) keepalive: Option<Duration>,
    pub(crate) nonstream_keepalive: Option<Duration>,
    pub(crate) passthrough_headers: PassthroughHeaders,
    pub(crate) catalogue: Catalogue,
}

impl Cpa {
    /// The plain state: API key `test-key`, management key `mgmt-key`, no remote management, usage statistics on, no
    /// keep-alives, the models of the recordings; on an ephemeral loopback port, with a ledger of its own.
    #[must_use]
    pub fn new() -> Self {
        Self {
            configuration: Configuration {
                api_keys: vec!["test-key".to_owned()],
                management_key: Some("mgmt-key".to_owned()),
                allow_remote: AllowRemote::No,
                usage_statistics: UsageStatistics::On,
                keepalive: None,
                nonstream_keepalive: None,
                passthrough_headers: PassthroughHeaders::No,
                catalogue: example_catalogue(),
            },
            name: "cpa".to_owned(),
            ledger: Ledger::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Lets in with this API key only.
    #[must_use]
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.api_keys([key.into()])
    }

    /// Lets in with these API keys only; with none of them, everyone.
    #[must_use]
    pub fn api_keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.configuration.api_keys = keys.into_iter().collect();
        self
    }

    /// Manages with this key; without one, management is off (404).
    #[must_use]
    pub fn management_key(mut self, key: Option<&str>) -> Self {
        self.configuration.management_key = key.filter(|key| !key.is_empty()).map(str::to_owned);
        self
    }

    /// Whether clients that are not local may manage.
    #[must_use]
    pub const fn allow_remote(mut self, allow: AllowRemote) -> Self {
        self.configuration.allow_remote = allow;
        self
    }

    /// Whether usage records are kept.
    #[must_use]
    pub const fn usage_statistics(mut self, statistics: UsageStatistics) -> Self {
        self.configuration.usage_statistics = statistics;
        self
    }

    /// Writes a comment into streams every so many seconds (`streaming.keepalive-seconds`); 0 for none.
    #[must_use]
    pub fn keepalive_seconds(mut self, seconds: u64) -> Self {
        self.configuration.keepalive = interval(seconds);
        self
    }

    /// Writes a line end every so many seconds before an answer that is not a stream
    /// (`nonstream-keepalive-interval`); 0 for none.
    #[must_use]
    pub fn nonstream_keepalive(mut self, seconds: u64) -> Self {
        self.configuration.nonstream_keepalive = interval(seconds);
        self
    }

    /// Whether fields of the provider's answer are passed on.
    #[must_use]
    pub const fn passthrough_headers(mut self, passthrough: PassthroughHeaders) -> Self {
        self.configuration.passthrough_headers = passthrough;
        self
    }

    /// Serves this model too, in place of one of the same name.
    #[must_use]
    pub fn model(mut self, model: Model) -> Self {
        self.configuration.catalogue.add(model);
        self
    }

    /// Serves these models and no others.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = Model>) -> Self {
        self.configuration.catalogue = Catalogue::default();
        for model in models {
            self.configuration.catalogue.add(model);
        }
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

    /// Binds and serves on the caller's runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> io::Result<RunningUpstream> {
        let rules = Rules {
            sniff_timeout: Some(SNIFF_TIMEOUT),
            protocols: Protocols::HttpOrResp,
            ..Rules::default()
        };
        Server::new(&self.name, CpaService::new(self.configuration))
            .rules(rules)
            .ledger(self.ledger)
            .listen(self.address)
            .start()
            .await
    }
}

impl Default for Cpa {
    fn default() -> Self {
        Self::new()
    }
}

fn interval(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// How long CPA waits for the first byte of a connection.
const SNIFF_TIMEOUT: Duration = Duration::from_secs(10);
