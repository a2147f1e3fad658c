//! What a deployment must not say.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use proxyproof_oracle::location::TableBuilder;
use toml::Spanned;

use super::fallback::Fallback;
use super::location::Location;
use super::raw::{
    OtherHosts, RawDeployment, RawHosts, RawLimits, RawListener, RawRoute, RawStub, RawUpstream,
};
use super::{
    Deployment, Destination, Front, Hosts, Identity, Limits, OwnAnswer, ProxyProtocol,
    PublishedListener, PublishedUpstream, Route, Stub, addresses, owner, size,
};
use crate::document::{Document, DocumentError, nearest};
use crate::error::HarnessError;
use crate::kind::{self, EndpointRequest, Kind, Purpose, RawEndpoints};
use crate::promise::{Promise, Source};
use crate::protocol::Protocol;

type Checked<T> = Result<T, DocumentError>;

pub(super) struct Validation<'a> {
    document: &'a Document,
}

impl<'a> Validation<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { document }
    }

    pub(super) fn deployment(&self, raw: RawDeployment) -> Checked<Deployment> {
        if raw.name.get_ref().trim().is_empty() {
            return Err(self.at(&raw.name, "empty", "a deployment needs a name"));
        }
        let mut upstreams = self.upstreams(raw.upstreams)?;
        let listeners = self.listeners(&raw.listeners, raw.front)?;
        let hosts = self.hosts(raw.hosts)?;
        let routes = self.routes(&raw.routes, &upstreams)?;
        self.endpoints(&raw.endpoints, &mut upstreams, &routes)?;
        Ok(Deployment {
            name: raw.name.into_inner(),
            about: raw.about,
            front: raw.front,
            hosts,
            routes,
            removed_routes: Vec::new(),
            conclusions: Vec::new(),
            limits: self.limits(&raw.limits)?,
            identity: Identity {
                trusted: raw.identity.trusted,
                scheme: raw.identity.scheme,
                scheme_told: Source::Deployment,
                port: raw.identity.port,
            },
            fallbacks: self.fallbacks(raw.fallbacks)?,
            listeners,
            upstreams,
        })
    }

    fn hosts(&self, raw: RawHosts) -> Checked<Hosts> {
        let Some(api) = raw.api else {
            return Err(self
                .document
                .lacks("no host: nobody knows what to ask for")
                .help("add `[hosts]` with `api = \"api.example.org\"`"));
        };
        self.host(&api)?;
        if let Some(tunnel) = &raw.tunnel {
            self.host(tunnel)?;
            if tunnel.get_ref().eq_ignore_ascii_case(api.get_ref()) {
                return Err(self
                    .at(tunnel, "the same name", "both hosts have the same name")
                    .also(api.span(), "as here")
                    .help("the front tells the two sites apart by server name"));
            }
        }
        Ok(Hosts {
            api: api.into_inner(),
            tunnel: raw.tunnel.map(Spanned::into_inner),
            others_refused: match raw.others {
                OtherHosts::Refused => Some(Source::Deployment),
                OtherHosts::Recommended => Some(Source::GoodPractice),
                OtherHosts::Any => None,
            },
        })
    }

    fn host(&self, host: &Spanned<String>) -> Checked<()> {
        let name = host.get_ref();
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if is_name {
            return Ok(());
        }
        Err(self
            .at(host, "no host name", format!("`{name}` is no host name"))
            .help("a name only, without scheme, port or path: `api.example.org`"))
    }

    fn listeners(
        &self,
        raw: &[Spanned<RawListener>],
        front: Front,
    ) -> Checked<BTreeMap<Protocol, PublishedListener>> {
        let mut listeners = BTreeMap::new();
        let mut spans: BTreeMap<Protocol, Range<usize>> = BTreeMap::new();
        for listener in raw {
            let protocol = self.protocol(listener)?;
            let listener = listener.get_ref();
            self.address(&listener.address)?;
            if let Some(first) = spans.insert(protocol, listener.address.span()) {
                return Err(self
                    .at(
                        &listener.address,
                        "the second",
                        format!("two listeners for {protocol}"),
                    )
                    .also(first, "the first")
                    .help("one listener for each protocol"));
            }
            let tls = listener.tls.as_ref();
            if let Some(tls) = tls.filter(|tls| *tls.get_ref() && front != Front::None) {
                return Err(self
                    .at(tls, "twice", "the front has ended TLS before this listener")
                    .help("`front = \"none\"` at the top is for a proxy that ends TLS itself"));
            }
            let published = PublishedListener {
                address: listener.address.get_ref().clone(),
                proxy_protocol: listener.proxy_protocol.unwrap_or(ProxyProtocol::None),
                tls: tls.is_some_and(|tls| *tls.get_ref()),
            };
            self.agrees(&listener.address, &published, &listeners)?;
            listeners.insert(protocol, published);
        }
        if listeners.is_empty() {
            return Err(self
                .document
                .lacks("no listener: the candidate can't be asked")
                .help("add `[[listener]]` with `address` and `protocol = \"h1\"` or `\"h2\"`"));
        }
        Ok(listeners)
    }

    /// One address is one listener, whichever protocols it speaks.
    fn agrees(
        &self,
        address: &Spanned<String>,
        published: &PublishedListener,
        others: &BTreeMap<Protocol, PublishedListener>,
    ) -> Checked<()> {
        let mut same = others
            .values()
            .filter(|one| one.address == published.address);
        if same.all(|one| one == published) {
            return Ok(());
        }
        let message = "two listeners at one address that differ in `tls` or `proxy_protocol`";
        Err(self
            .at(address, "the second", message)
            .help("what a connection begins with is the same for both protocols"))
    }

    fn protocol(&self, listener: &Spanned<RawListener>) -> Checked<Protocol> {
        let raw = listener.get_ref();
        let Some(written) = &raw.protocol else {
            return Err(self
                .at(
                    &raw.address,
                    "this one",
                    "a listener without protocol: nobody knows how to speak to it",
                )
                .help("add `protocol = \"h1\"` or `protocol = \"h2\"`"));
        };
        match written.get_ref().parse() {
            Ok(protocol @ (Protocol::H1 | Protocol::H2)) => Ok(protocol),
            _ => Err(self
                .at(
                    written,
                    "not a listener's",
                    format!("`{}` is no protocol of a listener", written.get_ref()),
                )
                .help("`h1` is HTTP/1.1, `h2` is HTTP/2 with prior knowledge")),
        }
    }

    fn upstreams(
        &self,
        raw: BTreeMap<Spanned<String>, RawUpstream>,
    ) -> Checked<BTreeMap<String, PublishedUpstream>> {
        let mut upstreams: BTreeMap<String, PublishedUpstream> = BTreeMap::new();
        for (name, upstream) in raw {
            self.upstream_name(&name)?;
            let addresses =
                addresses::read(self.document, &upstream.address, upstream.backup.as_ref())?;
            let twin = upstreams.iter().find(|(_, other)| {
                let mut own = addresses.servers.iter();
                own.any(|server| other.is_at(&server.address))
            });
            if let Some((other, _)) = twin {
                return Err(self
                    .at(
                        &upstream.address,
                        "taken",
                        format!("`{other}` has the same address"),
                    )
                    .help("a configuration's addresses are told apart to rewrite them"));
            }
            let kind = self.kind(name.get_ref(), upstream.kind.as_ref())?;
            let endpoints = kind::endpoints(self.document, &upstream.endpoints)?;
            let published = PublishedUpstream {
                answered_methods: upstream.answered_methods,
                client_address: upstream
                    .client_address
                    .unwrap_or_else(|| kind.client_address.clone()),
                websocket: endpoints
                    .contains_key(&Purpose::WebSocket)
                    .then_some(Source::Deployment),
                kind,
                endpoints,
                stubs: self.stubs(&upstream.stubs)?,
                host: upstream.host.map(Spanned::into_inner).or(addresses.host),
                servers: addresses.servers,
                tls: addresses.tls,
                own_fields: upstream.own_fields,
                pool: upstream.pool.map(Promise::of_deployment),
            };
            upstreams.insert(name.into_inner(), published);
        }
        match upstreams.is_empty() {
            false => Ok(upstreams),
            true => Err(self
                .document
                .lacks("no upstream: nothing can arrive")
                .help("add `[upstream.cpa]` with `address = \"127.0.0.1:8317\"`")),
        }
    }

    /// A name goes into names of `upstream` blocks, back ends and snippets.
    fn upstream_name(&self, name: &Spanned<String>) -> Checked<()> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !name.get_ref().is_empty() && name.get_ref().bytes().all(is_plain) {
            return Ok(());
        }
        let message = format!("`{}` is no name of an upstream", name.get_ref());
        Err(self
            .at(name, "here", message)
            .help("letters, digits, `-` and `_`"))
    }

    /// Without `kind` the name says it, where it is one of a kind that is known; a file is looked for beside nothing but
    /// the current folder.
    fn kind(&self, name: &str, written: Option<&Spanned<String>>) -> Checked<Arc<Kind>> {
        let unknown = || Kind::named(Kind::UNKNOWN).expect("that kind is embedded");
        let Some(written) = written else {
            return Ok(Kind::named(name).unwrap_or_else(|_| unknown()));
        };
        Kind::named(written.get_ref()).map_err(|error| match error {
            HarnessError::UnknownKind { known, .. } => {
                let help = match nearest(written.get_ref(), known.iter().map(String::as_str)) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("one of {}, or the path of a file", known.join(", ")),
                };
                let message = format!("no kind is called `{}`", written.get_ref());
                self.at(written, "unknown", message).help(help)
            }
            HarnessError::Document(error) => *error,
            error => self.at(written, "this one", error.in_full()),
        })
    }

    fn stubs(&self, raw: &[RawStub]) -> Checked<Vec<Stub>> {
        let stub = |raw: &RawStub| {
            let request = EndpointRequest::parse(raw.request.get_ref()).map_err(|malformed| {
                self.at(&raw.request, "here", malformed.to_string())
                    .help("as in `\"GET /healthz\"`")
            })?;
            let status = raw.status.as_ref();
            if let Some(wrong) = status.filter(|status| !(200..600).contains(status.get_ref())) {
                let message = format!("{} is no status of an answer", wrong.get_ref());
                return Err(self.at(wrong, "here", message).help("from 200 to 599"));
            }
            let unwritable = raw.fields.iter().find(|(name, value)| {
                HeaderName::try_from(name.as_str()).is_err()
                    || HeaderValue::try_from(value.as_str()).is_err()
            });
            if let Some((name, value)) = unwritable {
                let message = format!("`{name}: {value}` is no field of an answer");
                return Err(self.at(&raw.request, "the answer to this", message));
            }
            Ok(Stub {
                request,
                status: status.map_or(200, |status| *status.get_ref()),
                body: raw.body.clone(),
                fields: raw.fields.clone(),
            })
        };
        raw.iter().map(stub).collect()
    }

    /// Those of the whole site belong to the upstream that a request reaches, as the upstream knows the path.
    fn endpoints(
        &self,
        raw: &RawEndpoints,
        upstreams: &mut BTreeMap<String, PublishedUpstream>,
        routes: &[Route],
    ) -> Checked<()> {
        let root = routes
            .iter()
            .find(|route| route.location.path == "/" && route.upstream().is_some());
        let Some(first) = root.or(routes.iter().find(|route| route.upstream().is_some())) else {
            return Ok(());
        };
        let upstream = first.upstream().and_then(|name| upstreams.get_mut(name));
        let Some(upstream) = upstream else {
            return Ok(());
        };
        let endpoints = kind::endpoints(self.document, raw)?;
        if endpoints.contains_key(&Purpose::WebSocket) {
            upstream.websocket = Some(Source::Deployment);
        }
        upstream.endpoints.extend(endpoints);
        Ok(())
    }

    fn routes(
        &self,
        raw: &[RawRoute],
        upstreams: &BTreeMap<String, PublishedUpstream>,
    ) -> Checked<Vec<Route>> {
        let mut routes: Vec<Route> = Vec::new();
        for row in raw {
            let location = Location::parse(row.location.get_ref()).map_err(|wrong| {
                self.at(&row.location, "here", wrong.message)
                    .help(wrong.help)
            })?;
            let twin = routes
                .iter()
                .position(|earlier| earlier.location.same_as(&location));
            if let Some(twin) = twin {
                return Err(self.twice(row, &raw[twin]));
            }
            let route = Route {
                to: self.destination(row, upstreams)?,
                replace: self.replace(row.replace.as_ref(), &location)?,
                location,
                request_body: row.request_body,
            };
            TableBuilder::new()
                .route(owner::notation(&route), "")
                .build()
                .map_err(|errors| {
                    let message = errors.first().map(ToString::to_string).unwrap_or_default();
                    self.at(&row.location, "here", message)
                })?;
            routes.push(route);
        }
        match routes.is_empty() {
            false => Ok(routes),
            true => Err(self
                .document
                .lacks("no route: no path goes anywhere")
                .help("add `[[route]]` with `location = \"/\"` and `upstream = \"cpa\"`")),
        }
    }

    fn destination(
        &self,
        row: &RawRoute,
        upstreams: &BTreeMap<String, PublishedUpstream>,
    ) -> Checked<Destination> {
        let own_answer = |status: Option<u16>, location: Option<&Spanned<String>>| {
            Ok(Destination::Proxy(OwnAnswer {
                status,
                location: location.map(|path| path.get_ref().clone()),
            }))
        };
        match (&row.upstream, &row.status, &row.redirect) {
            (Some(name), None, None) if name.get_ref() == super::ANY_UPSTREAM => Ok(Destination::Any),
            (Some(name), None, None) if upstreams.contains_key(name.get_ref()) => {
                Ok(Destination::Upstream(name.get_ref().clone()))
            }
            (Some(name), None, None) => {
                Err(self.unknown_upstream(name, upstreams.keys().map(String::as_str)))
            }
            (None, None, Some(path)) => own_answer(Some(302), Some(path)),
            (None, Some(status), path) if (200..600).contains(status.get_ref()) => {
                own_answer(Some(*status.get_ref()), path.as_ref())
            }
            (None, Some(status), _) => {
                let message = format!("{} is no status of an answer", status.get_ref());
                Err(self.at(status, "here", message).help("from 200 to 599"))
            }
            (None, None, None) => Err(self
                .at(&row.location, "this one", "nobody answers this route")
                .help("add `upstream = …`, or `status = 404` or `redirect = \"/…\"` where the proxy answers itself")),
            (Some(name), _, _) => Err(self
                .at(name, "an upstream", "a route has an upstream or an answer of the proxy's own")
                .help("delete one of the two")),
        }
    }

    fn replace(
        &self,
        written: Option<&Spanned<String>>,
        location: &Location,
    ) -> Checked<Option<String>> {
        let Some(written) = written else {
            return Ok(None);
        };
        if location.is_expression() {
            return Err(self
                .at(
                    written,
                    "here",
                    "a regular expression has no path to replace",
                )
                .help("`replace` belongs to a prefix, as in `/llm/`, or to a single path"));
        }
        if !written.get_ref().starts_with('/') {
            let message = format!("`{}` does not begin with `/`", written.get_ref());
            return Err(self
                .at(written, "here", message)
                .help("what the upstream sees in the place of the location's path, as in `/`"));
        }
        Ok(Some(written.get_ref().clone()))
    }

    fn twice(&self, row: &RawRoute, first: &RawRoute) -> DocumentError {
        let location = row.location.get_ref();
        let (here, there) = match (&row.upstream, &first.upstream) {
            (Some(here), Some(there)) if here.get_ref() != there.get_ref() => (here, there),
            _ => {
                return self
                    .at(
                        &row.location,
                        "again",
                        format!("duplicate route `{location}`"),
                    )
                    .also(first.location.span(), "first here")
                    .help("delete one of the two");
            }
        };
        self.at(
            here,
            format!("to `{}`", here.get_ref()),
            format!("contradictory routes for `{location}`"),
        )
        .also(there.span(), format!("to `{}`", there.get_ref()))
        .help("one location goes to one upstream; NGINX takes `/x` and `^~ /x` for the same one")
    }

    fn limits(&self, raw: &RawLimits) -> Checked<Limits> {
        Ok(Limits {
            request_body: match &raw.request_body {
                Some(text) => Some(Promise::of_deployment(size::bytes_at(self.document, text)?)),
                None => None,
            },
            refuse_larger: raw.refuse_larger,
            read_timeout: self.time(raw.read_timeout.as_ref())?,
            send_timeout: self.time(raw.send_timeout.as_ref())?,
        })
    }

    fn time(&self, text: Option<&Spanned<String>>) -> Checked<Option<Promise<Duration>>> {
        match text {
            Some(text) => Ok(Some(Promise::of_deployment(size::time_at(
                self.document,
                text,
            )?))),
            None => Ok(None),
        }
    }

    fn fallbacks(&self, raw: Vec<Spanned<Fallback>>) -> Checked<Vec<Fallback>> {
        raw.into_iter()
            .map(|fallback| match fallback.get_ref().xver {
                0..=2 => Ok(fallback.into_inner()),
                xver => Err(self
                    .at(
                        &fallback,
                        "this entry",
                        format!("`xver = {xver}` is no version of the PROXY protocol"),
                    )
                    .help("0 for none, 1 or 2")),
            })
            .collect()
    }

    fn address(&self, address: &Spanned<String>) -> Checked<()> {
        match addresses::is_address(address.get_ref()) {
            true => Ok(()),
            false => Err(addresses::not_one(
                self.document,
                address.span(),
                address.get_ref(),
            )),
        }
    }

    fn unknown_upstream<'n>(
        &self,
        written: &Spanned<String>,
        known: impl IntoIterator<Item = &'n str>,
    ) -> DocumentError {
        let known: Vec<&str> = known.into_iter().collect();
        let name = written.get_ref();
        let help = match nearest(name, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.at(
            written,
            "unknown",
            format!("no upstream is called `{name}`"),
        )
        .help(help)
    }

    fn at<T>(
        &self,
        place: &Spanned<T>,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> DocumentError {
        self.document.error(place.span(), label, message)
    }
}
