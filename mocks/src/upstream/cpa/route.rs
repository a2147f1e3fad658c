//! CPA's route table, and what its router (gin 1.10) makes of a method and a path.

use std::borrow::Cow;

use super::route_table::{ROUTES, Row};

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Healthz,
    Root,
    ManagementPage,
    OAuthCallback,
    Models,
    ChatCompletions,
    Completions,
    Messages,
    CountTokens,
    Responses,
    ResponsesSocket,
    Compact,
    GeminiModels,
    GeminiModel,
    GeminiAction,
    Images,
    /// The AI-Studio relay.
    RelaySocket,
    Interactions,
    /// Realtime, live and search, for which there is no credential.
    Realtime,
    /// A route for media, whose models are not there.
    Unprovided,
    /// A call under `/v0/management/`.
    Management(ManagementCall),
    /// The OAuth callback of management, which asks for no key.
    ManagementCallback,
}

/// A management call, by the kind of what it handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManagementCall {
    Config,
    ConfigYaml,
    UsageQueue,
    LatestVersion,
    /// A scalar setting.
    Setting,
    /// A list of strings.
    List,
    /// A list of objects, or a map.
    Collection,
    AuthFiles,
    /// Answers an empty, fixed shape.
    Report,
    /// Needs something that a mock does not have.
    Unavailable,
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Open,
    ApiKey,
    Management,
}

/// What the router says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Routed<'a> {
    /// A route, and what its `:parameter` or `*parameter` matched.
    Found {
        endpoint: Endpoint,
        parameter: Cow<'a, str>,
        /// The route as it was registered.
        pattern: &'static str,
    },
    /// The path without its trailing slash, or with one, is a route.
    Redirect { path: String },
    /// Nothing.
    Nowhere,
}

impl Endpoint {
    pub(crate) const fn guard(self) -> Guard {
        match self {
            Self::Healthz
            | Self::Root
            | Self::ManagementPage
            | Self::OAuthCallback
            | Self::ManagementCallback => Guard::Open,
            Self::Management(_) => Guard::Management,
            _ => Guard::ApiKey,
        }
    }
}

/// Routes `method` and the decoded `path`; management routes exist only where management is on.
pub(crate) fn route<'a>(method: &str, path: &'a str, management: bool) -> Routed<'a> {
    if let Some((row, parameter)) = find(method, path, management) {
        return Routed::Found {
            endpoint: row.endpoint,
            parameter: Cow::Borrowed(parameter),
            pattern: row.pattern,
        };
    }
    match other_slash(path).filter(|other| find(method, other, management).is_some()) {
        Some(path) if method != "CONNECT" => Routed::Redirect { path },
        _ => Routed::Nowhere,
    }
}

/// The row for `method` and `path`, and what its parameter matched.
fn find<'a>(method: &str, path: &'a str, management: bool) -> Option<(&'static Row, &'a str)> {
    ROUTES
        .into_iter()
        .flatten()
        .filter(|row| row.methods.contains(&method))
        .filter(|row| management || !row.pattern.starts_with("/v0/management"))
        .find_map(|row| Some((row, matched(row.pattern, path)?)))
}

/// What the parameter of `pattern` matches in `path`; empty for a pattern without one.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    if let Some((prefix, _)) = pattern.split_once('*') {
        // A catch-all begins at the slash before it.
        let rest = path.strip_prefix(prefix.trim_end_matches('/'))?;
        return rest.starts_with('/').then_some(rest);
    }
    let Some((prefix, rest)) = pattern.split_once(':') else {
        return (pattern == path).then_some("");
    };
    let tail = rest.find('/').map_or("", |at| &rest[at..]);
    let parameter = path.strip_prefix(prefix)?.strip_suffix(tail)?;
    (!parameter.is_empty() && !parameter.contains('/')).then_some(parameter)
}

/// The path that gin tries when there is none: without its trailing slash, or with one.
fn other_slash(path: &str) -> Option<String> {
    match path {
        "" | "/" => None,
        path => Some(match path.strip_suffix('/') {
            Some(bare) => bare.to_owned(),
            None => format!("{path}/"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: &str, path: &str) -> Option<Endpoint> {
        match route(method, path, true) {
            Routed::Found { endpoint, .. } => Some(endpoint),
            _ => None,
        }
    }

    #[test]
    fn methods_and_case_matter() {
        assert_eq!(endpoint("GET", "/v1/models"), Some(Endpoint::Models));
        assert_eq!(endpoint("HEAD", "/v1/models"), None);
        assert_eq!(endpoint("GET", "/V1/models"), None);
        assert_eq!(endpoint("GET", "//v1/models"), None);
        assert_eq!(
            endpoint("GET", "/v1/responses"),
            Some(Endpoint::ResponsesSocket)
        );
        assert_eq!(endpoint("POST", "/v1/responses"), Some(Endpoint::Responses));
    }

    #[test]
    fn parameters_match_one_segment_and_catch_alls_the_rest() {
        let found = route("POST", "/v1beta/models/m:generateContent", true);
        assert!(
            matches!(found, Routed::Found { parameter, .. } if parameter == "/m:generateContent")
        );
        assert_eq!(endpoint("GET", "/v1/videos/x"), Some(Endpoint::Unprovided));
        assert_eq!(endpoint("GET", "/v1/videos/x/y"), None);
        assert_eq!(endpoint("GET", "/v1/videos/"), None);
        assert_eq!(
            endpoint("POST", "/v1/realtime/calls/7/hangup"),
            Some(Endpoint::Realtime)
        );
    }

    #[test]
    fn a_trailing_slash_redirects() {
        assert_eq!(
            route("POST", "/v1/responses/", true),
            Routed::Redirect {
                path: "/v1/responses".to_owned()
            }
        );
        assert_eq!(route("GET", "/nope/", true), Routed::Nowhere);
        assert_eq!(
            route("POST", "/v1beta/models", true),
            Routed::Redirect {
                path: "/v1beta/models/".to_owned()
            }
        );
    }

    #[test]
    fn management_is_absent_without_a_secret() {
        assert_eq!(route("GET", "/v0/management/debug", false), Routed::Nowhere);
    }
}
