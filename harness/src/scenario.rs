//! One claim about a candidate, and the code that tries to falsify it.

use std::collections::BTreeSet;
use std::fmt;

use futures_util::future::BoxFuture;

use crate::{
    ask::Ask,
    candidate::Feature,
    check::Checks,
    deployment::{Deployment, LocationKind, PublishedUpstream},
    error::HarnessError,
    finding::Code,
    kind::{ClientAddress, Purpose},
    level::Level,
    promise::Source,
    protocol::Protocol,
    stage::Stage,
};

/// One claim, and the code that tries to falsify it. One file holds one, under the same stem as its id.
pub struct Scenario {
    /// `topic/claim`: the folder and the stem of its file.
    pub id: &'static str,
    /// What holds, in one sentence without a final period.
    pub claim: &'static str,
    /// Which trouble it prevents, with the report it comes from.
    pub why: &'static str,
    /// A small drawing of who sends what when.
    pub asks: &'static str,
    /// How much it matters.
    pub level: Level,
    /// On which protocols it is asked; each is an entry of its own in a report.
    pub protocols: &'static [Protocol],
    /// What a candidate must declare for the question to make sense.
    pub needs: &'static [Feature],
    /// What a site must have for the question to be about it.
    pub site: &'static [SiteNeed],
    /// Whose stage it runs on.
    pub stage: StageUse,
    /// Every code that it can push.
    pub findings: &'static [Code],
    /// Defects of the reference proxy under which it has been seen to fail.
    pub breaks: &'static [Break],
    /// Tries to falsify the claim. An `Err` means that it could not ask; a mismatch is pushed to the checks instead.
    pub run: for<'a> fn(&'a Ask<'a>, &'a mut Checks) -> BoxFuture<'a, Result<(), HarnessError>>,
}

/// What a site must have for a question to be about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteNeed {
    /// A request for this purpose.
    Endpoint(Purpose),
    /// An upstream of this kind: the question is about what that program does.
    Kind(&'static str),
    /// A path that an upstream of this kind has to get.
    Path {
        /// The kind.
        kind: &'static str,
        /// The path.
        path: &'static str,
    },
    /// A route for a single path.
    ExactRoute,
    /// A route for a prefix other than the root.
    PrefixRoute,
    /// A route whose request bodies have to be passed on as they come.
    StreamedBody,
    /// An upstream that looks at the client's address in some field.
    ClientAddress,
    /// An upstream that looks at the client's address in this field.
    ClientField(&'static str),
    /// An upstream that lets local clients do more than others.
    LocalClients,
    /// A size of request bodies that have to pass.
    RequestBody,
    /// A limit of request bodies beyond which they have to be refused.
    BodyLimit,
    /// Requests for hosts that are not the site's have to be refused.
    OtherHostsRefused,
    /// A public connection whose scheme programs have to be told: plain HTTP is what they take for granted.
    PublicScheme,
    /// Connections to the upstreams that are kept: asked of every site, as good practice where none wants them.
    KeptConnections,
    /// Upstreams that are no business of each other's: asked of every site, as good practice where there is one alone.
    UpstreamsApart,
    /// An upstream of several servers behind the plain endpoint.
    SeveralServers,
    /// A backup server behind the plain endpoint.
    BackupServer,
    /// A plain endpoint whose path reaches the upstream as it is: where a prefix is replaced, a proxy writes it anew.
    UnchangedPaths,
    /// A plain endpoint whose upstream may be asked over connections that were used before.
    Pool,
    /// Every upstream that has a plain endpoint: each is asked.
    EveryUpstream,
}

/// What a question relies on to be reached at all: the controls say whether it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The site's usual endpoint for this purpose.
    Usual(Purpose),
    /// The plain endpoints of all upstreams.
    EveryUpstream,
}

impl SiteNeed {
    /// How much a question matters at most that rests on this: that follows from who says so.
    #[must_use]
    pub fn level(self, deployment: &Deployment) -> Level {
        let source = match self {
            Self::RequestBody => deployment.request_body().map(|promise| promise.source),
            Self::PublicScheme => Some(match deployment.identity.scheme.as_str() {
                "http" => Source::GoodPractice,
                _ => deployment.identity.scheme_told.clone(),
            }),
            Self::UpstreamsApart => {
                (deployment.upstreams.len() < 2).then_some(Source::GoodPractice)
            }
            Self::OtherHostsRefused => deployment.hosts.others_refused.clone(),
            Self::Pool | Self::KeptConnections => {
                plain_upstream(deployment).map(|one| one.pool().source)
            }
            Self::Endpoint(Purpose::WebSocket) => {
                let endpoint = deployment.endpoint(Purpose::WebSocket);
                let upstream = endpoint.and_then(|one| deployment.upstreams.get(&one.upstream));
                upstream.map(PublishedUpstream::wants_websockets)
            }
            _ => None,
        };
        source.map_or(Level::Required, |source| source.level())
    }

    /// What it relies on.
    fn reach(self) -> Option<Reach> {
        match self {
            Self::Endpoint(purpose) => Some(Reach::Usual(purpose)),
            Self::StreamedBody => Some(Reach::Usual(Purpose::Upload)),
            Self::RequestBody
            | Self::KeptConnections
            | Self::UpstreamsApart
            | Self::BodyLimit
            | Self::OtherHostsRefused
            | Self::PublicScheme
            | Self::SeveralServers
            | Self::BackupServer
            | Self::UnchangedPaths
            | Self::Pool => None,
            Self::Kind(_)
            | Self::Path { .. }
            | Self::ExactRoute
            | Self::PrefixRoute
            | Self::ClientAddress
            | Self::ClientField(_)
            | Self::LocalClients
            | Self::EveryUpstream => Some(Reach::EveryUpstream),
        }
    }

    /// What the site lacks, in words; `None` where it lacks nothing.
    #[must_use]
    pub fn lacking(self, deployment: &Deployment) -> Option<String> {
        let mut routes = deployment.routes.iter();
        let believes = |what: &dyn Fn(&ClientAddress) -> bool| {
            let mut plain = deployment.endpoints(Purpose::Plain).into_iter();
            plain.any(|endpoint| {
                let upstream = deployment.upstreams.get(&endpoint.upstream);
                upstream.is_some_and(|upstream| what(&upstream.client_address))
            })
        };
        match self {
            Self::Endpoint(purpose) => match deployment.endpoint(purpose) {
                Some(_) => None,
                None => Some(format!("the site has no {}", purpose.wanted())),
            },
            Self::Kind(name) => {
                let mut upstreams = deployment.upstreams.values();
                let any = upstreams.any(|upstream| upstream.kind.name == name);
                (!any).then(|| format!("the site has no upstream of kind `{name}`"))
            }
            Self::Path { kind, path } => {
                let route = deployment.route(path.as_bytes());
                let upstream = route.and_then(|route| deployment.upstreams.get(route.upstream()?));
                let there = upstream.is_some_and(|upstream| upstream.kind.name == kind);
                (!there).then(|| format!("the site leads {path} to no upstream of kind `{kind}`"))
            }
            Self::ExactRoute => {
                let any = routes.any(|route| route.location.kind == LocationKind::Exact);
                (!any).then(|| "the site has no route for a single path".to_owned())
            }
            Self::PrefixRoute => {
                let any = routes.any(|route| route.location.is_prefix_below_the_root());
                (!any).then(|| "the site has no route for a prefix".to_owned())
            }
            Self::ClientAddress => (!believes(&|rule: &ClientAddress| !rule.fields.is_empty()))
                .then(|| "no program of the site looks at its clients' addresses".to_owned()),
            Self::ClientField(name) => {
                (!believes(&|rule: &ClientAddress| rule.fields.iter().any(|field| field == name)))
                    .then(|| format!("no program of the site looks at {name}"))
            }
            Self::LocalClients => (!believes(&|rule: &ClientAddress| rule.trusts_loopback))
                .then(|| "no program of the site lets local clients do more".to_owned()),
            Self::PublicScheme | Self::KeptConnections | Self::UpstreamsApart => None,
            Self::RequestBody => deployment.request_body().is_none().then(|| {
                "neither the site nor its programs say how large a request body has to pass"
                    .to_owned()
            }),
            Self::OtherHostsRefused => deployment
                .hosts
                .others_refused
                .is_none()
                .then(|| "the site does not ask for other hosts to be refused".to_owned()),
            Self::SeveralServers => {
                let several = plain_upstream(deployment).is_some_and(|one| one.servers.len() > 1);
                (!several).then(|| "the site has one server for each upstream".to_owned())
            }
            Self::BackupServer => {
                let upstream = plain_upstream(deployment);
                let has =
                    upstream.is_some_and(|one| one.servers.iter().any(|server| server.backup));
                (!has).then(|| "the site has no backup server".to_owned())
            }
            Self::BodyLimit => (!deployment.limits.refuse_larger)
                .then(|| "the site does not ask for larger bodies to be refused".to_owned()),
            Self::UnchangedPaths => {
                let plain = deployment.endpoint(Purpose::Plain);
                let changed = plain.is_some_and(|plain| plain.target != plain.upstream_target);
                changed.then(|| "the site's routes replace a part of the path".to_owned())
            }
            Self::Pool => {
                let none =
                    plain_upstream(deployment).is_some_and(|upstream| upstream.pool().value == 0);
                none.then(|| "the site asks for a connection for each request".to_owned())
            }
            Self::EveryUpstream => None,
            Self::StreamedBody => {
                let any = !deployment.streamed_uploads().is_empty();
                (!any).then(|| "no route of the site asks for streamed request bodies".to_owned())
            }
        }
    }
}

/// The upstream of the request that is usually sent for a short answer.
fn plain_upstream(deployment: &Deployment) -> Option<&PublishedUpstream> {
    let plain = deployment.endpoint(Purpose::Plain)?;
    deployment.upstreams.get(&plain.upstream)
}

/// Whose stage a scenario runs on.
#[derive(Clone, Copy)]
pub enum StageUse {
    /// One that other scenarios use at the same time: it must be left as it was found.
    Shared,
    /// The same, before everything else: where it fails on a protocol, nothing else is asked on that.
    Control,
    /// One that scenarios share whose upstreams answer with errors or break off: a proxy may take an upstream out of service
    /// for that, and others are not to fail with it.
    WithErrors,
    /// One of its own, which it may disturb, prepared by the given function.
    Own(fn(Stage) -> Stage),
}

/// A way to show that a scenario can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The name of a defect of the reference proxy.
    pub defect: &'static str,
    /// The code that must be found then; for an observing scenario the key whose record must change.
    pub finding: &'static str,
    /// The protocols on which alone that is seen; every one that the scenario is asked on, if there is no exception.
    pub only: Option<SeenOnly>,
}

/// An exception: a defect shows on some of a scenario's protocols, and on the others it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenOnly {
    /// Where the defect is seen.
    pub protocols: &'static [Protocol],
    /// Why it cannot be seen on the others.
    pub reason: &'static str,
}

impl Scenario {
    /// How much it matters to a site: less than usual where nobody says that the site wants it.
    #[must_use]
    pub fn level_for(&self, deployment: &Deployment) -> Level {
        let needs = self.site.iter().map(|need| need.level(deployment));
        needs.fold(self.level, Level::max)
    }

    /// The part of the id before the slash.
    pub fn topic(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What it relies on: a plain request at least, where it names no endpoint.
    pub(crate) fn reaches(&self) -> BTreeSet<Reach> {
        let mut reaches: BTreeSet<Reach> =
            self.site.iter().filter_map(|need| need.reach()).collect();
        if reaches.iter().all(|reach| *reach == Reach::EveryUpstream) {
            reaches.insert(Reach::Usual(Purpose::Plain));
        }
        reaches
    }
}

impl Break {
    /// `defect` must make the scenario push `finding`.
    pub const fn new(defect: &'static str, finding: &'static str) -> Self {
        Self {
            defect,
            finding,
            only: None,
        }
    }

    /// Nothing is found on other protocols than these, for this reason.
    #[must_use]
    pub const fn only_on(mut self, protocols: &'static [Protocol], reason: &'static str) -> Self {
        self.only = Some(SeenOnly { protocols, reason });
        self
    }

    /// Whether `finding` must be found on this protocol, where the scenario is asked on it.
    pub fn is_seen_on(&self, protocol: Protocol) -> bool {
        self.only
            .is_none_or(|only| only.protocols.contains(&protocol))
    }

    /// The reference proxy pushes `finding` without any defect: its manifest lists that as a known gap.
    pub const fn known_gap(finding: &'static str) -> Self {
        Self::new("", finding)
    }

    /// True if no defect has to be switched on.
    pub const fn is_known_gap(&self) -> bool {
        self.defect.is_empty()
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(pool: u32) -> Deployment {
        let text = format!(
            "name = \"x\"\n[hosts]\napi = \"a.test\"\n[[listener]]\naddress = \"127.0.0.1:80\"\nprotocol = \"h1\"\n\
             [upstream.gateway]\nkind = \"litellm\"\naddress = \"127.0.0.1:4000\"\npool = {pool}\n\
             [[route]]\nlocation = \"/\"\nupstream = \"gateway\"\n\
             [limits]\nrequest_body = \"1m\"\nread_timeout = \"60s\"\nsend_timeout = \"60s\"\n"
        );
        Deployment::parse("x.toml", &text).unwrap()
    }

    #[test]
    fn a_site_without_a_pool_is_not_asked_for_one() {
        let lacking = SiteNeed::Pool.lacking(&site(0));
        assert_eq!(
            lacking.as_deref(),
            Some("the site asks for a connection for each request")
        );
        assert_eq!(SiteNeed::Pool.lacking(&site(1)), None);
    }
}
