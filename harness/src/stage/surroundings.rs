//! Everything of a stage but the candidate: upstreams, relays, sites, certificates.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::fault::Relay;
use proxyproof_mocks::site::{RunningSite, Site};
use proxyproof_mocks::upstream::Scripted;
use proxyproof_mocks::upstream::cpa::{AllowRemote, Cpa};
use proxyproof_mocks::upstream::usage::UsageService;
use proxyproof_mocks::{Ledger, RunningUpstream, TlsEntry};

use super::server_relays::ServerRelays;
use super::{Clients, Relays};
use crate::deployment::{Deployment, PublishedUpstream};
use crate::error::HarnessError;
use crate::kind::StandIn;
use crate::probe::Trust;

/// What stands around a candidate.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) ledger: Ledger,
    pub(super) relays: BTreeMap<String, ServerRelays>,
    pub(super) upstreams: BTreeMap<String, RunningUpstream>,
    /// Where the candidate connects to for each upstream: an address for each of its servers.
    addresses: BTreeMap<String, Vec<SocketAddr>>,
    tls_entries: Vec<TlsEntry>,
    /// By published address.
    pub(super) sites: BTreeMap<String, RunningSite>,
    pub(super) authority: Authority,
}

impl Surroundings {
    pub(super) async fn start(
        deployment: &Deployment,
        relays: Relays,
        clients: Option<&Clients>,
        expected: &Expected,
    ) -> Result<Self, HarnessError> {
        let ledger = Ledger::new();
        let allow_remote = clients.map_or(AllowRemote::No, |clients| clients.allow_remote);
        let authority = Authority::generate();
        // Nobody connects to a mock itself that has something before it.
        let mocks = |name: &str| match deployment.upstreams.get(name) {
            Some(published) if relays == Relays::None && !published.tls => place(expected, name, 0),
            _ => ANYWHERE,
        };
        let upstreams = upstreams(deployment, &ledger, allow_remote, mocks).await?;
        let mut surroundings = Self {
            relays: BTreeMap::new(),
            addresses: BTreeMap::new(),
            tls_entries: Vec::new(),
            sites: sites(deployment).await?,
            ledger,
            upstreams,
            authority,
        };
        for (name, published) in &deployment.upstreams {
            surroundings.open(name, published, relays, expected).await?;
        }
        Ok(surroundings)
    }

    /// Opens the addresses of an upstream's servers: the mock's own, or those of what stands before it.
    async fn open(
        &mut self,
        name: &str,
        published: &PublishedUpstream,
        relays: Relays,
        expected: &Expected,
    ) -> Result<(), HarnessError> {
        let wanted = |server: usize| place(expected, name, server);
        // A relay stands where the candidate connects to, and what is behind it anywhere.
        let behind = |server: usize| match relays {
            Relays::None => wanted(server),
            Relays::Between => ANYWHERE,
        };
        let servers = 0..published.servers.len();
        let upstream = &self.upstreams[name];
        let mut addresses = Vec::new();
        if published.tls {
            let places: Vec<SocketAddr> = servers.clone().map(behind).collect();
            let leaf = self.authority.leaf(&names(published));
            let leaf =
                leaf.expect("the host of an address that was read can stand in a certificate");
            let entry = TlsEntry::start(upstream.address(), &places, &leaf).await;
            let entry = entry.map_err(starting("TLS before an upstream"))?;
            addresses.extend_from_slice(entry.addresses());
            self.tls_entries.push(entry);
        } else {
            addresses.push(upstream.address());
            for server in servers.skip(1) {
                let also = upstream.listen_also(behind(server)).await;
                addresses.push(also.map_err(starting("another address of an upstream"))?);
            }
        }
        if relays == Relays::Between {
            let mut between = Vec::new();
            for (server, address) in addresses.iter().enumerate() {
                let relay = Relay::to(*address).listen(wanted(server)).start().await;
                between.push(relay.map_err(starting("a relay"))?);
            }
            let between = ServerRelays(between);
            addresses = between.addresses();
            self.relays.insert(name.to_owned(), between);
        }
        self.addresses.insert(name.to_owned(), addresses);
        Ok(())
    }

    /// Where the candidate connects to for an upstream: an address for each of its servers, in the deployment's order.
    pub(super) fn addresses(&self, upstream: &str) -> Vec<SocketAddr> {
        self.addresses.get(upstream).cloned().unwrap_or_default()
    }

    /// Trusts the authority of this stage, and nothing else.
    pub(super) fn trust(&self) -> Trust {
        Trust::authority(self.authority.certificate_der())
            .expect("the authority of a run issues certificates")
    }

    /// Stops everything and waits for it.
    pub(super) async fn stop(self) {
        for relay in self.relays.into_values() {
            relay.stop().await;
        }
        for entry in self.tls_entries {
            entry.stop().await;
        }
        for upstream in self.upstreams.into_values() {
            upstream.stop().await;
        }
    }
}

async fn upstreams(
    deployment: &Deployment,
    ledger: &Ledger,
    allow_remote: AllowRemote,
    place: impl Fn(&str) -> SocketAddr,
) -> Result<BTreeMap<String, RunningUpstream>, HarnessError> {
    let mut upstreams = BTreeMap::new();
    let cpa = deployment.upstream_of(StandIn::Cpa);
    let usage = deployment.upstream_of(StandIn::Usage);
    // The usage service talks to CPA directly, past the candidate, so CPA is there even where no route leads to it.
    if cpa.is_some() || usage.is_some() {
        let name = cpa.map_or("cpa", String::as_str);
        let cpa = Cpa::new()
            .named(name)
            .management_key(Some(MANAGEMENT_KEY))
            .allow_remote(allow_remote)
            .ledger(ledger.clone())
            .listen(place(name))
            .start()
            .await;
        let cpa = cpa.map_err(starting("the CPA mock"))?;
        if let Some(usage) = usage {
            let service = self::usage(usage, &cpa, ledger, place(usage)).await;
            let service = service.map_err(starting("the usage service mock"))?;
            upstreams.insert(usage.clone(), service);
        }
        upstreams.insert(name.to_owned(), cpa);
    }
    for (name, published) in &deployment.upstreams {
        if !upstreams.contains_key(name) {
            let upstream = Scripted::server(name, published.kind.refuses_handshake_with)
                .ledger(ledger.clone())
                .listen(place(name))
                .start()
                .await;
            upstreams.insert(name.clone(), upstream.map_err(starting("an upstream"))?);
        }
    }
    for (name, published) in &deployment.upstreams {
        for stub in &published.stubs {
            upstreams[name].mount(stub.stubbed().mock()).await;
        }
    }
    Ok(upstreams)
}

/// The usage service as its owner has set it up: with CPA's own address and management key.
async fn usage(
    name: &str,
    cpa: &RunningUpstream,
    ledger: &Ledger,
    listen: SocketAddr,
) -> io::Result<RunningUpstream> {
    UsageService::new()
        .named(name)
        .cpa(format!("http://{}", cpa.address()), MANAGEMENT_KEY)
        .poll_interval(POLL_INTERVAL)
        .ledger(ledger.clone())
        .listen(listen)
        .start()
        .await
}

/// What the certificate of an upstream that speaks TLS is for: its own name, and where it is on a stage.
fn names(published: &PublishedUpstream) -> Vec<&str> {
    let own = published.server_name().into_iter();
    own.chain(["localhost", "127.0.0.1"]).collect()
}

/// Destinations of the front's table that no listener of the candidate has.
async fn sites(deployment: &Deployment) -> Result<BTreeMap<String, RunningSite>, HarnessError> {
    let mut sites = BTreeMap::new();
    for fallback in &deployment.fallbacks {
        let is_candidate = deployment
            .listeners
            .values()
            .any(|listener| listener.address == fallback.dest);
        if !is_candidate && !sites.contains_key(&fallback.dest) {
            let site = Site::new(&fallback.dest).start().await;
            let site = site.map_err(starting("the tunnel site"))?;
            sites.insert(fallback.dest.clone(), site);
        }
    }
    Ok(sites)
}

/// Where a candidate that runs already expects the servers of its upstreams; others are told.
pub(super) type Expected = BTreeMap<String, Vec<SocketAddr>>;

fn place(expected: &Expected, upstream: &str, server: usize) -> SocketAddr {
    let expected = expected
        .get(upstream)
        .and_then(|servers| servers.get(server));
    expected.copied().unwrap_or(ANYWHERE)
}

const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(super) fn starting(what: &str) -> impl FnOnce(io::Error) -> HarnessError {
    let action = format!("start {what}");
    |cause| HarnessError::System { action, cause }
}

/// CPA's management key on every stage.
pub const MANAGEMENT_KEY: &str = "mgmt-key";
/// Nobody wants to wait the real service's half second for a record.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
