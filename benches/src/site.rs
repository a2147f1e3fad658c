//! The site that a contest is held on: the deployment's, and more routes where a measure says so.

use proxyproof_harness::candidate::{Insertion, Stages};
use proxyproof_harness::deployment::{Destination, Location, LocationKind, RequestBody, Route};
use proxyproof_harness::{Candidate, Deployment};

use crate::contest::ContestError;

/// A site with so many routes more than the deployment has, and who serves it.
pub(crate) struct Site {
    pub(crate) routes: usize,
    pub(crate) deployment: Deployment,
    pub(crate) candidates: Vec<Candidate>,
}

impl Site {
    /// With so many more routes, for whom they can be put into the configurations of.
    pub(crate) fn with(
        routes: usize,
        deployment: &Deployment,
        candidates: &[Candidate],
    ) -> Result<Self, ContestError> {
        let mut deployment = deployment.clone();
        let mut candidates = candidates.to_vec();
        if routes > 0 {
            let more = (0..routes).map(more_route);
            deployment.routes.splice(0..0, more);
            for candidate in &mut candidates {
                if candidate.has_native_file() {
                    let name = candidate.name.clone();
                    let inserted = candidate.clone().inserting(&locations(routes));
                    *candidate = inserted.ok_or(ContestError::NoPlace { contender: name })?;
                }
            }
        }
        Ok(Self {
            routes,
            deployment,
            candidates,
        })
    }
}

/// Exact paths and prefixes in turn, to the upstream that has everything else, too.
fn more_route(number: usize) -> Route {
    let (kind, path) = match number % 2 {
        0 => (LocationKind::Exact, format!("/more/{number:05}")),
        _ => (LocationKind::Prefix, format!("/more/{number:05}/")),
    };
    Route {
        location: Location { kind, path },
        to: Destination::Upstream("cpa".to_owned()),
        replace: None,
        request_body: RequestBody::default(),
    }
}

/// The same in NGINX's language, for the configurations of the gallery.
fn locations(routes: usize) -> Insertion {
    let location = |number| {
        let route = more_route(number);
        format!(
            " location {} {{ proxy_pass http://cpa_backend; }}",
            route.location
        )
    };
    Insertion {
        after: "client_max_body_size 100m;".to_owned(),
        text: (0..routes).map(location).collect(),
        on: Stages::All,
    }
}
