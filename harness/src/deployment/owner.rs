//! Who gets a request target: the deployment's route table, read by the oracle.

use proxyproof_oracle::location::{
    LocationId, Match, MergeSlashes, Notation, Table, TableBuilder, normalise,
};

use super::{Deployment, Destination, Route};

/// Who should get a request target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteOwner {
    /// This upstream.
    Upstream(String),
    /// The path lacks only the final slash of a prefix location of this upstream; NGINX redirects there.
    SlashRedirect(String),
    /// Whoever it is: the path was a removed upstream's, or a variable decides.
    Anybody,
    /// The proxy answers itself.
    Proxy,
    /// Nobody: the candidate refuses the target with this status.
    Refused(u16),
}

impl Deployment {
    /// The route table, for comparison with a configuration's.
    #[must_use]
    pub fn table(&self) -> Table {
        table_of(self.routes.iter())
    }

    /// The same with the routes of removed upstreams behind.
    fn whole_table(&self) -> Table {
        table_of(self.routes.iter().chain(&self.removed_routes))
    }

    /// Who should get a request target in origin form, by NGINX's rules of normalisation and precedence.
    #[must_use]
    pub fn owner(&self, target: &[u8]) -> RouteOwner {
        let table = self.whole_table();
        let path = match normalise(target, MergeSlashes::On) {
            Ok(normalised) => normalised.path,
            Err(refusal) => return RouteOwner::Refused(refusal.status()),
        };
        match table.find(&path) {
            Ok(Match::Location(id)) => self.owner_at(id, RouteOwner::Upstream),
            Ok(Match::SlashRedirect(id)) => self.owner_at(id, RouteOwner::SlashRedirect),
            Ok(Match::Server) => RouteOwner::Refused(404),
            Err(_) => RouteOwner::Refused(500),
        }
    }

    /// The route that a request target takes; `None` for what is redirected or refused.
    #[must_use]
    pub fn route(&self, target: &[u8]) -> Option<&Route> {
        let path = normalise(target, MergeSlashes::On).ok()?.path;
        match self.whole_table().find(&path) {
            Ok(Match::Location(id)) => self.routes.get(id.index()),
            _ => None,
        }
    }

    fn owner_at(&self, id: LocationId, of: fn(String) -> RouteOwner) -> RouteOwner {
        match self.routes.get(id.index()).map(|route| &route.to) {
            Some(Destination::Upstream(name)) => of(name.clone()),
            Some(Destination::Proxy(_)) => RouteOwner::Proxy,
            // Or one of those that were removed.
            Some(Destination::Any) | None => RouteOwner::Anybody,
        }
    }
}

fn table_of<'r>(routes: impl Iterator<Item = &'r Route>) -> Table {
    let add = |builder: TableBuilder, route: &Route| match route.upstream() {
        Some(name) => builder.route(notation(route), name),
        None => builder.answer(notation(route)),
    };
    let builder = routes.fold(TableBuilder::new(), add);
    builder.build().expect(
        "duplicate routes and unreadable expressions were refused when the deployment was read",
    )
}

/// A route's location in the oracle's terms.
pub(super) fn notation(route: &Route) -> Notation {
    let words: Vec<String> = match route.location.kind.modifier() {
        "" => vec![route.location.path.clone()],
        modifier => vec![modifier.to_owned(), route.location.path.clone()],
    };
    let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
    Notation::from_words(&words).expect("a location that was read has a known modifier and a text")
}
