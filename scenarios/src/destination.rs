//! Where requests go: targets, and the upstreams that the deployment wants for them.

use proxyproof_harness::{
    Ask, Checks, Code, HarnessError, LocationKind, Purpose, Request, RouteOwner,
};

use crate::answer::answered;

/// Sends GET for every target and pushes `code` for each that does not reach its owner, and only it, as it was sent.
///
/// Who the owner is follows from the deployment's route table, read by the oracle.
pub(crate) async fn reach_their_owners(
    ask: &Ask<'_>,
    checks: &mut Checks,
    targets: impl IntoIterator<Item = impl Into<String>>,
    code: Code,
) -> Result<(), HarnessError> {
    let mut asked = false;
    for target in targets {
        let target = target.into();
        let owner = ask.deployment().owner(target.as_bytes());
        if owner == RouteOwner::Anybody {
            continue;
        }
        asked = true;
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target)).await?;
        match owner {
            RouteOwner::Upstream(upstream) => {
                checks.arrived_at(&seen, &upstream, code);
            }
            RouteOwner::Anybody
            | RouteOwner::Proxy
            | RouteOwner::SlashRedirect(_)
            | RouteOwner::Refused(_) => {
                checks.not_arrived(&seen, code);
            }
        }
    }
    if !asked {
        checks.skip("the site has no path that this is about");
    }
    Ok(())
}

/// Paths that have an owner of their own: exact locations, prefixes but the root, and the site's plain endpoints.
pub(crate) fn own_paths(ask: &Ask<'_>) -> Vec<String> {
    let plain = ask.deployment().endpoints(Purpose::Plain);
    let plain = plain
        .iter()
        .map(|endpoint| path_of(&endpoint.target).to_owned());
    let mut paths: Vec<String> = exact_paths(ask)
        .into_iter()
        .chain(prefixes(ask))
        .chain(plain)
        .filter(|path| path != "/")
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// A target without its query.
pub(crate) fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// A path with one more parameter.
pub(crate) fn with_query(path: &str, query: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{query}")
}

/// What the upstream has to see of a request's target.
pub(crate) fn upstream_target(ask: &Ask<'_>, request: &Request) -> String {
    let target = String::from_utf8_lossy(request.target());
    let seen = ask.deployment().upstream_target(&target);
    seen.unwrap_or_else(|| target.into_owned())
}

/// The routes of the deployment with an exact location (`= /path`): path and upstream.
pub(crate) fn exact_paths(ask: &Ask<'_>) -> Vec<String> {
    let routes = ask.deployment().routes.iter();
    let exact = routes.filter(|route| route.location.kind == LocationKind::Exact);
    exact.map(|route| route.location.path.clone()).collect()
}

/// The prefixes of the deployment that are not the root.
pub(crate) fn prefixes(ask: &Ask<'_>) -> Vec<String> {
    let routes = ask.deployment().routes.iter();
    let prefixes = routes.filter(|route| {
        matches!(
            route.location.kind,
            LocationKind::Prefix | LocationKind::FinalPrefix
        ) && route.location.path != "/"
    });
    prefixes.map(|route| route.location.path.clone()).collect()
}
