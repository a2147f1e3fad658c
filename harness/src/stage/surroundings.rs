//! Everything of a stage but the candidate: upstreams, relays, sites, certificates.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::fault::{Relay, RunningRelay};
use proxyproof_mocks::site::{RunningSite, Site};
use proxyproof_mocks::upstream::Scripted;
use proxyproof_mocks::upstream::cpa::{AllowRemote, Cpa};
use proxyproof_mocks::upstream::usage::UsageService;
use proxyproof_mocks::{Ledger, RunningUpstream};

use super::{Clients, Relays};
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::kind::StandIn;
use crate::probe::Trust;

/// What stands around a candidate.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) ledger: Ledger,
    pub(super) relays: BTreeMap<String, RunningRelay>,
    pub(super) upstreams: BTreeMap<String, RunningUpstream>,
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
        // Relays stand where the candidate connects to.
        let anywhere = Expected::new();
        let (of_relays, of_upstreams) = match relays {
            Relays::None => (&anywhere, expected),
            Relays::Between => (expected, &anywhere),
        };
        let upstreams = upstreams(deployment, &ledger, allow_remote, of_upstreams).await?;
        Ok(Self {
            relays: match relays {
                Relays::None => BTreeMap::new(),
                Relays::Between => self::relays(&upstreams, of_relays).await?,
            },
            sites: sites(deployment).await?,
            ledger,
            upstreams,
            authority: Authority::generate(),
        })
    }

    /// Where the candidate connects to for an upstream.
    pub(super) fn address(&self, upstream: &str) -> Option<SocketAddr> {
        match self.relays.get(upstream) {
            Some(relay) => Some(relay.address()),
            None => self.upstreams.get(upstream).map(RunningUpstream::address),
        }
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
        for upstream in self.upstreams.into_values() {
            upstream.stop().await;
        }
    }
}

async fn upstreams(
    deployment: &Deployment,
    ledger: &Ledger,
    allow_remote: AllowRemote,
    expected: &Expected,
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
            .listen(place(expected, name))
            .start()
            .await;
        let cpa = cpa.map_err(starting("the CPA mock"))?;
        if let Some(usage) = usage {
            let service = self::usage(usage, &cpa, ledger, place(expected, usage)).await;
            let service = service.map_err(starting("the usage service mock"))?;
            upstreams.insert(usage.clone(), service);
        }
        upstreams.insert(name.to_owned(), cpa);
    }
    for (name, published) in &deployment.upstreams {
        if !upstreams.contains_key(name) {
            let upstream = Scripted::server(name, published.kind.refuses_handshake_with)
                .ledger(ledger.clone())
                .listen(place(expected, name))
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

async fn relays(
    upstreams: &BTreeMap<String, RunningUpstream>,
    expected: &Expected,
) -> Result<BTreeMap<String, RunningRelay>, HarnessError> {
    let mut relays = BTreeMap::new();
    for (name, upstream) in upstreams {
        let relay = Relay::to(upstream.address()).listen(place(expected, name));
        let relay = relay.start().await;
        relays.insert(name.clone(), relay.map_err(starting("a relay"))?);
    }
    Ok(relays)
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

/// Where a candidate that runs already expects its upstreams; others are told.
pub(super) type Expected = BTreeMap<String, SocketAddr>;

fn place(expected: &Expected, upstream: &str) -> SocketAddr {
    let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
    expected.get(upstream).copied().unwrap_or(anywhere)
}

pub(super) fn starting(what: &str) -> impl FnOnce(io::Error) -> HarnessError {
    let action = format!("start {what}");
    |cause| HarnessError::System { action, cause }
}

/// CPA's management key on every stage.
pub const MANAGEMENT_KEY: &str = "mgmt-key";
/// Nobody wants to wait the real service's half second for a record.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
