//! The site's routes: what its locations lead to, and what the upstream sees of a path; asked of the oracle, not guessed.

use proxyproof_oracle::location::{
    Access, Answer, Arrival, Decision, Location as Written, LocationId, Modifier, Request,
};

use super::reading::Reading;
use super::upstreams::FoundUpstream;
use crate::deployment::{
    Deployment, Destination, Location, LocationKind, OwnAnswer, RequestBody, Route,
};
use crate::kind::{EndpointRequest, Kind, Purpose};

impl Reading<'_> {
    /// A route for each location that requests reach.
    pub(super) fn routes(&self, found: &[FoundUpstream]) -> Vec<Route> {
        let table = &self.site().servers[self.server].table;
        let locations = table.locations();
        let mut routes: Vec<Route> = Vec::new();
        for (id, written) in locations {
            let Some(location) = location(written) else {
                continue;
            };
            if routes.iter().any(|route| route.location.same_as(&location)) {
                continue;
            }
            let mut leads = found.iter().filter(|one| one.locations.contains(&id));
            let (to, replace, request_body) = match (leads.next(), leads.next()) {
                (Some(_), Some(_)) => (Destination::Any, None, self.request_body(id)),
                (Some(one), None) => {
                    let to = Destination::Upstream(one.name.clone());
                    (to, self.replace(&location), self.request_body(id))
                }
                (None, _) => {
                    let to = Destination::Proxy(self.own_answer(&location));
                    (to, None, RequestBody::Any)
                }
            };
            routes.push(Route {
                location,
                to,
                replace,
                request_body,
            });
        }
        routes
    }

    /// What the upstream sees in the place of a location's path.
    fn replace(&self, location: &Location) -> Option<String> {
        let rest = match location.kind {
            LocationKind::Exact => "",
            LocationKind::Prefix | LocationKind::FinalPrefix => SAMPLE,
            LocationKind::Regex | LocationKind::RegexIgnoringCase => return None,
        };
        let target = self.seen_at_upstream(&format!("{}{rest}", location.path))?;
        let before = target.strip_suffix(rest)?;
        (before != location.path && before.starts_with('/')).then(|| before.to_owned())
    }

    fn seen_at_upstream(&self, target: &str) -> Option<String> {
        proxied(self.site().decide(&self.get(target)))
    }

    fn own_answer(&self, location: &Location) -> OwnAnswer {
        let path = match location.kind {
            LocationKind::Exact => location.path.clone(),
            _ => format!("{}{SAMPLE}", location.path),
        };
        let (status, to) = match self.site().decide(&self.get(&path)).answer {
            Answer::Returned { status } => (Some(status), None),
            Answer::Redirected { status, location } => (Some(status), location),
            _ => (None, None),
        };
        OwnAnswer {
            status,
            location: to.and_then(|to| String::from_utf8(to).ok()),
        }
    }

    fn request_body(&self, location: LocationId) -> RequestBody {
        let buffering = self.in_force(Some(location), "proxy_request_buffering");
        match buffering.flag(self.version()) {
            Some(false) => RequestBody::Streamed,
            _ => RequestBody::Any,
        }
    }

    /// Makes the deployment agree with the oracle about every endpoint, and finds some where the kind's are not reached.
    pub(super) fn add_endpoints(&self, deployment: &mut Deployment, found: &[FoundUpstream]) {
        for one in found {
            for (purpose, requests) in &one.published.kind.endpoints {
                for request in requests {
                    self.agree(deployment, one, request);
                }
                if *purpose == Purpose::Plain && self.is_unreached(deployment, one, requests) {
                    self.add_paths_that_lead_there(deployment, one);
                }
            }
            self.add_websocket(deployment, one);
            let fields = self.client_fields(one);
            let plain = deployment.endpoints(Purpose::Plain).into_iter();
            let mut plain = plain.filter(|endpoint| endpoint.upstream == one.name);
            let answered = plain.next().map(|plain| self.answered(&plain.target));
            let serving = self.serving(deployment, one);
            if let Some(upstream) = deployment.upstreams.get_mut(&one.name) {
                upstream.client_address.fields = fields;
                upstream.host = self.host_at(one);
                upstream.own_fields = self.own_fields(&serving);
                upstream.answered_methods = answered.unwrap_or_default();
            }
        }
    }

    /// The locations that serve an upstream's endpoints; all that lead there where no endpoint is reached.
    fn serving(&self, deployment: &Deployment, one: &FoundUpstream) -> Vec<LocationId> {
        let endpoints = Purpose::ALL
            .into_iter()
            .flat_map(|purpose| deployment.endpoints(purpose));
        let own = endpoints.filter(|endpoint| endpoint.upstream == one.name);
        let served = own.filter_map(|own| self.site().decide(&self.get(&own.target)).location);
        let mut serving: Vec<LocationId> = served.collect();
        serving.dedup();
        match serving.is_empty() {
            true => one.locations.clone(),
            false => serving,
        }
    }

    /// Methods in which a target that is passed on with others is answered by the proxy: `if ($request_method = OPTIONS)`.
    fn answered(&self, target: &str) -> Vec<String> {
        let is_answered = |method: &&str| {
            let request = Request {
                method: method.as_bytes().to_vec(),
                ..self.get(target)
            };
            matches!(
                self.site().decide(&request).answer,
                Answer::Returned { .. } | Answer::Redirected { .. }
            )
        };
        let methods = ["OPTIONS", "PUT", "PATCH", "DELETE"].into_iter();
        methods.filter(is_answered).map(str::to_owned).collect()
    }

    /// Where the routes do not lead a request as the configuration does, a route of its own does.
    fn agree(&self, deployment: &mut Deployment, one: &FoundUpstream, request: &EndpointRequest) {
        let Some(target) = self.client_target(one, request) else {
            return;
        };
        let seen = deployment.upstream_target(&target);
        let route = deployment.route(target.as_bytes());
        let owner = route.and_then(Route::upstream);
        if seen.as_deref() == Some(&request.path) && owner == Some(&one.name) {
            return;
        }
        let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
        let location = Location {
            kind: LocationKind::Exact,
            path: path(&target),
        };
        deployment
            .routes
            .retain(|route| !route.location.same_as(&location));
        deployment.routes.push(Route {
            location,
            to: Destination::Upstream(one.name.clone()),
            replace: Some(path(&request.path)),
            request_body: RequestBody::Any,
        });
    }

    /// How clients ask for what this upstream is to see.
    fn client_target(&self, one: &FoundUpstream, request: &EndpointRequest) -> Option<String> {
        let upstreams: Vec<&str> = one.written.iter().map(String::as_str).collect();
        let arrival = Arrival {
            server: self.server,
            upstreams: &upstreams,
            target: request.path.as_bytes(),
        };
        let like = Request {
            method: request.method.as_bytes().to_vec(),
            ..self.get("/")
        };
        let found = self.site().request_for(arrival, &like)?;
        String::from_utf8(found.target).ok()
    }

    fn is_unreached(
        &self,
        deployment: &Deployment,
        one: &FoundUpstream,
        requests: &[EndpointRequest],
    ) -> bool {
        let mut reached = requests.iter();
        !reached.any(|request| deployment.client_target(&one.name, &request.path).is_some())
    }

    /// An API below a path that the upstream sees, or a page of it.
    fn add_paths_that_lead_there(&self, deployment: &mut Deployment, one: &FoundUpstream) {
        let routes = deployment.routes.iter();
        let mut own = routes.filter(|route| route.upstream() == Some(&one.name));
        let Some(route) = own.find(|route| !route.location.is_expression()) else {
            return;
        };
        let seen = route.replace.clone();
        let below = seen.unwrap_or_else(|| route.location.path.clone());
        let is_exact = route.location.kind == LocationKind::Exact;
        let kind = &one.published.kind;
        let Some(upstream) = deployment.upstreams.get_mut(&one.name) else {
            return;
        };
        let is_api = kind.name == Kind::UNKNOWN && !is_exact;
        for (purpose, requests) in &kind.endpoints {
            let Some(request) = requests.first() else {
                continue;
            };
            let path = match is_api {
                true => format!("{}{}", below.trim_end_matches('/'), request.path),
                false => below.clone(),
            };
            // A page is asked for with GET.
            if is_api || *purpose == Purpose::Plain {
                let text = format!("{} {path}", request.method);
                let own = EndpointRequest::parse(&text).map(|own| own.media(&request.media));
                let own: Vec<EndpointRequest> = own.into_iter().collect();
                upstream.endpoints.insert(*purpose, own);
            }
        }
    }
}

/// A location in a deployment's terms; `None` for one that no request names, or whose text is not UTF-8.
fn location(written: &Written) -> Option<Location> {
    let kind = match written.notation.modifier {
        Modifier::Exact => LocationKind::Exact,
        Modifier::Prefix => LocationKind::Prefix,
        Modifier::PrefixFinal => LocationKind::FinalPrefix,
        Modifier::Regex => LocationKind::Regex,
        Modifier::RegexAnyCase => LocationKind::RegexIgnoringCase,
        Modifier::Named => return None,
    };
    let path = String::from_utf8(written.notation.text.clone()).ok()?;
    (written.access == Access::Everyone).then_some(Location { kind, path })
}

/// What the upstream sees of a request that is passed on.
pub(super) fn proxied(decision: Decision) -> Option<String> {
    match decision.answer {
        Answer::Proxied { target, .. } => String::from_utf8(target).ok(),
        _ => None,
    }
}

/// A path that no location is for by itself.
const SAMPLE: &str = "proxyproof-sample";
