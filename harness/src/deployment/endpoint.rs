//! What a site serves, by purpose, as clients ask for it: [`Endpoint`].

use serde::Serialize;

use super::{Deployment, LocationKind, PublishedUpstream, RequestBody, Route};
use crate::kind::{EndpointRequest, Purpose, StandIn};

/// One request that the site serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// What it is for.
    pub purpose: Purpose,
    /// The method.
    pub method: &'static str,
    /// The target that clients send.
    pub target: String,
    /// The upstream that has to get it, by name.
    pub upstream: String,
    /// The target that the upstream has to see.
    pub upstream_target: String,
    /// The media type of a streamed answer.
    pub media: String,
}

impl Deployment {
    /// Every request that the site serves for a purpose: those of the upstream that takes everything else come first.
    #[must_use]
    pub fn endpoints(&self, purpose: Purpose) -> Vec<Endpoint> {
        let upstreams = self.upstreams_by_weight().into_iter();
        upstreams
            .flat_map(|(name, upstream)| {
                let requests = upstream.requests(purpose).iter();
                requests.filter_map(move |request| self.endpoint_at(name, purpose, request))
            })
            .collect()
    }

    /// The request that is usually sent for a purpose; `None` where the site serves none.
    #[must_use]
    pub fn endpoint(&self, purpose: Purpose) -> Option<Endpoint> {
        self.endpoints(purpose).into_iter().next()
    }

    /// Requests with a body whose route wants it passed on as it comes.
    #[must_use]
    pub fn streamed_uploads(&self) -> Vec<Endpoint> {
        let purposes = [Purpose::Stream, Purpose::Upload];
        let mut endpoints: Vec<Endpoint> = purposes
            .into_iter()
            .flat_map(|purpose| self.endpoints(purpose))
            .collect();
        endpoints.retain(|endpoint| {
            let route = self.route(endpoint.target.as_bytes());
            route.is_some_and(|route| route.request_body == RequestBody::Streamed)
        });
        endpoints
    }

    /// How clients ask for a path that this upstream knows; `None` where no route leads there.
    #[must_use]
    pub fn client_target(&self, upstream: &str, upstream_target: &str) -> Option<String> {
        let routes = self.routes.iter();
        let mut targets = routes
            .filter(|route| route.upstream() == Some(upstream))
            .filter_map(|route| Some((route, route.client_target(upstream_target)?)));
        targets
            .find(|(route, target)| self.route(target.as_bytes()) == Some(route))
            .map(|(_, target)| target)
    }

    /// What the upstream sees of a target that clients send; `None` for what is redirected or refused.
    #[must_use]
    pub fn upstream_target(&self, target: &str) -> Option<String> {
        let route = self.route(target.as_bytes())?;
        route.upstream()?;
        Some(match &route.replace {
            None => target.to_owned(),
            Some(replace) => {
                let rest = target.strip_prefix(route.location.path.as_str())?;
                format!("{replace}{rest}")
            }
        })
    }

    /// The upstream that gets what no other location takes comes first, the others by name; pages come behind what streams.
    pub(crate) fn upstreams_by_weight(&self) -> Vec<(&String, &PublishedUpstream)> {
        let passed_on = || {
            self.routes
                .iter()
                .filter(|route| route.upstream().is_some())
        };
        let root = passed_on().find(|route| route.location.path == "/");
        let root = root.or_else(|| passed_on().next());
        let first = |name: &String| root.is_some_and(|route| route.upstream() == Some(name));
        let mut upstreams: Vec<_> = self.upstreams.iter().collect();
        let has_streams =
            |upstream: &PublishedUpstream| !upstream.requests(Purpose::Stream).is_empty();
        upstreams.sort_by_key(|(name, upstream)| (!has_streams(upstream), !first(name)));
        upstreams
    }

    /// The name of the first upstream that this stands in for.
    pub(crate) fn upstream_of(&self, stand_in: StandIn) -> Option<&String> {
        let mut upstreams = self.upstreams_by_weight().into_iter();
        let found = upstreams.find(|(_, upstream)| upstream.kind.stand_in == stand_in);
        found.map(|(name, _)| name)
    }

    fn endpoint_at(
        &self,
        upstream: &str,
        purpose: Purpose,
        request: &EndpointRequest,
    ) -> Option<Endpoint> {
        Some(Endpoint {
            purpose,
            method: request.method,
            target: self.client_target(upstream, &request.path)?,
            upstream: upstream.to_owned(),
            upstream_target: request.path.clone(),
            media: request.media.clone(),
        })
    }
}

impl PublishedUpstream {
    /// What it serves for a purpose: what the deployment says, else what its kind says.
    fn requests(&self, purpose: Purpose) -> &[EndpointRequest] {
        let own = self.endpoints.get(&purpose);
        let requests = own.or_else(|| self.kind.endpoints.get(&purpose));
        requests.map_or(&[], Vec::as_slice)
    }
}

impl Route {
    /// What clients send for this to arrive on this route, unless another location takes it.
    fn client_target(&self, upstream_target: &str) -> Option<String> {
        match &self.replace {
            None => Some(upstream_target.to_owned()),
            Some(replace) => {
                let rest = upstream_target.strip_prefix(replace.as_str())?;
                let whole = self.location.kind != LocationKind::Exact || rest.is_empty();
                whole.then(|| format!("{}{rest}", self.location.path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(upstream: &str, routes: &str) -> Deployment {
        let text = format!(
            "name = \"x\"\n[hosts]\napi = \"a.test\"\n[[listener]]\naddress = \"127.0.0.1:80\"\nprotocol = \"h1\"\n\
             {upstream}\n{routes}\n[limits]\nrequest_body = \"1m\"\nread_timeout = \"60s\"\nsend_timeout = \"60s\"\n"
        );
        Deployment::parse("x.toml", &text).unwrap()
    }

    #[test]
    fn clients_ask_below_a_prefix_that_is_replaced() {
        let deployment = site(
            "[upstream.gateway]\nkind = \"litellm\"\naddress = \"127.0.0.1:4000\"",
            "[[route]]\nlocation = \"/llm/\"\nupstream = \"gateway\"\nreplace = \"/\"",
        );
        let stream = deployment.endpoint(Purpose::Stream).unwrap();
        assert_eq!(stream.target, "/llm/v1/chat/completions");
        assert_eq!(stream.upstream_target, "/v1/chat/completions");
        assert_eq!(
            deployment.upstream_target("/llm/v1/x?y=1").as_deref(),
            Some("/v1/x?y=1")
        );
        assert_eq!(deployment.endpoint(Purpose::Management), None);
        assert_eq!(deployment.upstreams["gateway"].pool().value, 32);
    }

    #[test]
    fn a_purpose_that_no_route_leads_to_is_not_served() {
        let deployment = site(
            "[upstream.a]\nkind = \"ollama\"\naddress = \"127.0.0.1:1\"\n\
             [upstream.b]\nkind = \"web\"\naddress = \"127.0.0.1:2\"",
            "[[route]]\nlocation = \"/\"\nupstream = \"b\"\n[[route]]\nlocation = \"/v1/\"\nupstream = \"a\"",
        );
        let plain = deployment.endpoints(Purpose::Plain);
        let targets: Vec<(&str, &str)> = plain
            .iter()
            .map(|endpoint| (&*endpoint.upstream, &*endpoint.target))
            .collect();
        assert_eq!(targets, [("b", "/")]);
        let stream = deployment.endpoint(Purpose::Stream).unwrap();
        assert_eq!(
            (&*stream.target, &*stream.media),
            ("/v1/chat/completions", "text/event-stream")
        );
    }

    #[test]
    fn stubs_are_answers_to_a_request() {
        let stub = "[upstream.a]\naddress = \"127.0.0.1:1\"\n[[upstream.a.stub]]\nrequest = \"GET /healthz\"\nbody = \"up\"";
        let route = "[[route]]\nlocation = \"/\"\nupstream = \"a\"";
        let deployment = site(stub, route);
        let stubbed = deployment.upstreams["a"].stubs[0].stubbed();
        assert_eq!(
            (&*stubbed.path, stubbed.status, &*stubbed.body),
            ("/healthz", 200, "up")
        );
    }

    #[test]
    fn the_published_site_has_its_gateway_first() {
        let deployment = Deployment::cpa_two_hosts();
        let plain = deployment.endpoints(Purpose::Plain);
        let targets: Vec<&str> = plain.iter().map(|endpoint| &*endpoint.target).collect();
        assert_eq!(targets, ["/v1/models", "/health"]);
    }
}
