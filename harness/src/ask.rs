//! What a scenario gets: a stage, seen through one protocol.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bytes::Bytes;
use proxyproof_mocks::{Arrival, Ledger, Moment, ProbeId, RunningUpstream, Script};

use crate::deployment::{Deployment, Endpoint, ProxyProtocol};
use crate::kind::Purpose;
use crate::patience::Patience;
use crate::probe::{
    Answer, CLIENT_ADDRESS, Client, Connection, Entrance, Exchange, Handshake, ProbeError,
    ProxyHeader, Request, Seen, Sent, SentBody, UNNAMED_ADDRESS,
};
use crate::protocol::Protocol;
use crate::scenario::Reach;
use crate::stage::RunningStage;

/// A stage, seen through one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    stage: &'a RunningStage,
    protocol: Protocol,
    relied_on: Option<&'a BTreeSet<Reach>>,
}

impl<'a> Ask<'a> {
    /// Asks a stage in one protocol, which it offers.
    #[must_use]
    pub fn new(stage: &'a RunningStage, protocol: Protocol) -> Self {
        Self {
            stage,
            protocol,
            relied_on: None,
        }
    }

    /// For a control: only what other scenarios rely on.
    pub(crate) fn for_what_is_relied_on(mut self, reaches: Option<&'a BTreeSet<Reach>>) -> Self {
        self.relied_on = reaches;
        self
    }

    /// Whether a control has to ask for this: whether anything that is asked relies on it.
    #[must_use]
    pub fn relies_on(&self, reach: Reach) -> bool {
        self.relied_on
            .is_none_or(|reaches| reaches.contains(&reach))
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &'a RunningStage {
        self.stage
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The same stage in another protocol.
    #[must_use]
    pub fn over(&self, protocol: Protocol) -> Self {
        Self { protocol, ..*self }
    }

    /// What the site wants.
    #[must_use]
    pub fn deployment(&self) -> &'a Deployment {
        self.stage.deployment()
    }

    /// All arrivals at all upstreams.
    #[must_use]
    pub fn ledger(&self) -> &'a Ledger {
        self.stage.ledger()
    }

    /// The request that is usually sent for a purpose.
    ///
    /// # Panics
    /// When the site serves none: a scenario lists what it asks for in `site`, and is skipped then.
    #[must_use]
    pub fn endpoint(&self, purpose: Purpose) -> Endpoint {
        self.deployment()
            .endpoint(purpose)
            .expect("a scenario lists the purposes that it asks for")
    }

    /// The mock that has to get an endpoint's requests.
    ///
    /// # Panics
    /// When the endpoint is another deployment's.
    #[must_use]
    pub fn upstream(&self, endpoint: &Endpoint) -> &'a RunningUpstream {
        self.stage
            .upstream(&endpoint.upstream)
            .expect("every upstream of the deployment is staged")
    }

    /// A request to an endpoint, under a fresh probe id.
    pub fn to(&self, endpoint: &Endpoint) -> Request {
        self.request(endpoint.method, endpoint.target.clone())
    }

    /// A request for a short answer, to the site's usual endpoint for that.
    ///
    /// # Panics
    /// When the site has none; so of all that follow.
    pub fn plain(&self) -> Request {
        self.to(&self.endpoint(Purpose::Plain))
    }

    /// The same with this query, behind the endpoint's own.
    pub fn plain_with(&self, query: &str) -> Request {
        let endpoint = self.endpoint(Purpose::Plain);
        let sign = if endpoint.target.contains('?') {
            '&'
        } else {
            '?'
        };
        let target = format!("{}{sign}{query}", endpoint.target);
        self.request(endpoint.method, target)
    }

    /// A request whose answer is usually streamed.
    pub fn completion(&self) -> Request {
        self.to(&self.endpoint(Purpose::Stream))
    }

    /// A request that usually has a body of some size.
    pub fn upload(&self) -> Request {
        self.to(&self.endpoint(Purpose::Upload))
    }

    /// The size of the largest request body that has to pass, in bytes.
    ///
    /// # Panics
    /// When nobody says one: a scenario lists [`crate::SiteNeed::RequestBody`] then.
    #[must_use]
    pub fn request_body(&self) -> u64 {
        let promise = self.deployment().request_body();
        let promise = promise.expect("a scenario lists what it asks of the site");
        promise.value
    }

    /// A WebSocket handshake.
    pub fn websocket(&self) -> Request {
        self.to(&self.endpoint(Purpose::WebSocket)).websocket()
    }

    /// The name of the upstream that has to get a request; `None` where the site redirects or refuses its target.
    #[must_use]
    pub fn owner(&self, request: &Request) -> Option<String> {
        let target = request.target();
        let route = self.deployment().route(target)?;
        route.upstream().map(str::to_owned)
    }

    /// Does this to a request at the upstream that has to get it.
    ///
    /// # Panics
    /// When nobody has to: a request to an endpoint of the site always has an upstream.
    pub fn script(&self, request: &Request, script: Script) {
        let owner = self.owner(request);
        let upstream = owner.and_then(|name| self.stage.upstream(&name));
        let upstream = upstream.expect("the target is one of the site's endpoints");
        upstream.script(request.probe_id(), script);
    }

    /// The AI gateway's mock.
    #[must_use]
    pub fn cpa(&self) -> &'a RunningUpstream {
        self.stage.cpa()
    }

    /// The usage service's mock.
    #[must_use]
    pub fn usage(&self) -> &'a RunningUpstream {
        self.stage.usage()
    }

    /// The address by which the candidate knows clients unless a scenario chooses another.
    ///
    /// Without a PROXY header on the way that is the one they connect from, or the front's.
    #[must_use]
    pub fn client_address(&self) -> IpAddr {
        match self.stage.deployment().listeners[&self.protocol.listener()].proxy_protocol {
            ProxyProtocol::None => UNNAMED_ADDRESS,
            ProxyProtocol::V1 | ProxyProtocol::V2 => CLIENT_ADDRESS,
        }
    }

    /// The host that requests name.
    #[must_use]
    pub fn host(&self) -> &'a str {
        &self.deployment().hosts.api
    }

    /// The Host that an upstream must see: the public one, or its own.
    #[must_use]
    pub fn host_at(&self, upstream: &str) -> &'a str {
        let upstream = self.deployment().upstreams.get(upstream);
        let own = upstream.and_then(|upstream| upstream.host.as_deref());
        own.unwrap_or_else(|| self.host())
    }

    /// A client that goes in where this protocol's clients do, with the PROXY header that is wanted there.
    pub fn client(&self) -> Client {
        let client = Client::new(Entrance {
            protocol: self.protocol,
            address: self.stage.listener(self.protocol),
            host: self.host().to_owned(),
            trust: self.stage.trust(self.protocol),
        })
        .from(self.client_address());
        client.header(match self.stage.proxy_protocol(self.protocol) {
            ProxyProtocol::None => ProxyHeader::None,
            ProxyProtocol::V1 => ProxyHeader::V1,
            ProxyProtocol::V2 => ProxyHeader::V2,
        })
    }

    /// A GET of this target, under a fresh probe id.
    pub fn get(&self, target: impl Into<Bytes>) -> Request {
        self.request("GET", target)
    }

    /// A request of this method and target to the deployment's host, under a fresh probe id.
    pub fn request(&self, method: &'static str, target: impl Into<Bytes>) -> Request {
        Request::new(method, target, self.host().to_owned())
    }

    /// Sends a request on a connection of its own, waits for the whole answer, and collects what arrived.
    ///
    /// What the HTTP/2 library refuses to write goes out in frames of our own.
    ///
    /// # Errors
    /// Where it could not even be asked: [`ProbeError::Connect`], [`ProbeError::Tls`], [`ProbeError::Alpn`],
    /// [`ProbeError::Unsendable`]. Any other error is the answer.
    pub async fn exchange(&self, request: Request) -> Result<Seen, ProbeError> {
        self.exchange_as(&self.client(), request).await
    }

    /// The same as another client.
    ///
    /// # Errors
    /// As [`Ask::exchange`].
    pub async fn exchange_as(&self, client: &Client, request: Request) -> Result<Seen, ProbeError> {
        if self.protocol.listener() == Protocol::H2 && request.needs_raw_frames() {
            let mut raw = client.raw_h2().await?;
            let (stream, sent) = raw.send(&request).await?;
            let answer = raw.answer(stream).await;
            return Ok(self.seen(sent, answer).await);
        }
        match client.connect().await {
            Ok(connection) => self.exchange_on(&connection, request).await,
            Err(error) if error.could_not_ask() => Err(error),
            Err(error) => Ok(self.seen(self.unsent(&request), Err(error)).await),
        }
    }

    /// Sends a request on this connection, waits for the whole answer, and collects what arrived.
    ///
    /// # Errors
    /// As [`Ask::exchange`], and [`ProbeError::Unusable`].
    pub async fn exchange_on(
        &self,
        connection: &Connection,
        request: Request,
    ) -> Result<Seen, ProbeError> {
        let mut exchange = match connection.open(&request).await {
            Ok(exchange) => exchange,
            Err(error) if error.could_not_ask() => return Err(error),
            Err(error) => return Ok(self.seen(self.unsent(&request), Err(error)).await),
        };
        // What went wrong is told by the exchange itself.
        let _ = exchange.whole().await;
        Ok(self.observe(&exchange).await)
    }

    /// Waits with [`Patience::LOCK_STEP`] until `look` finds something in the arrivals of a probe.
    pub async fn in_lock_step<T>(
        &self,
        probe: ProbeId,
        look: impl FnMut(&[Arrival]) -> Option<T>,
    ) -> Option<T> {
        let longest = Patience::LOCK_STEP.scaled() * 20;
        let looking = self.ledger().until(probe, longest, look);
        let found = Patience::LOCK_STEP.within("the next step at the upstream", looking);
        found.await.ok().flatten()
    }

    /// What both ends saw of an exchange so far; does not read on.
    pub async fn observe(&self, exchange: &Exchange) -> Seen {
        let answer = match (exchange.so_far(), exchange.failure()) {
            (Some(answer), _) => Ok(answer),
            (None, Some(failure)) => Err(failure.clone()),
            // A wait for the head that ran out is the scenario's to judge; the exchange itself goes on.
            (None, None) => Err(ProbeError::Silent {
                awaited: "the answer's head".to_owned(),
                patience: Patience::ANSWER,
                waited: Moment::now().since(exchange.sent().at),
                last_seen: "nothing".to_owned(),
            }),
        };
        self.seen(exchange.sent(), answer).await
    }

    /// What both ends saw of a WebSocket handshake.
    pub async fn observe_handshake(&self, handshake: &Handshake) -> Seen {
        let answer = Ok(handshake.answer().clone());
        self.seen(handshake.sent().clone(), answer).await
    }

    /// Adds what arrived to what a client saw.
    ///
    /// An answer is there only after its request has arrived, so this waits a moment, [`Patience::QUIET`], only for
    /// what an upstream still has to do, and after an error for what may still be on its way.
    pub async fn seen(&self, sent: Sent, answer: Result<Answer, ProbeError>) -> Seen {
        let through = |arrivals: &[Arrival]| {
            let some = answer.is_ok() || !arrivals.is_empty();
            let done = arrivals
                .iter()
                .all(|arrival| arrival.finished.is_some() || arrival.upgraded.is_some());
            (some && done).then_some(())
        };
        let quiet = Patience::QUIET.scaled();
        // Whatever there is by then is what arrived.
        let _ = self.ledger().until(sent.probe, quiet, through).await;
        Seen {
            arrivals: self.ledger().arrivals(sent.probe),
            request: sent,
            answer,
        }
    }

    /// A request that got no further than its connection.
    fn unsent(&self, request: &Request) -> Sent {
        let now = Moment::now();
        Sent {
            protocol: self.protocol,
            probe: request.probe_id(),
            client: (self.client_address(), 0).into(),
            connected_at: now,
            head: request.h1_head(),
            at: now,
            body: SentBody::default(),
        }
    }
}
