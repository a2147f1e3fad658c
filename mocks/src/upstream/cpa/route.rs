//! CPA's route table, and what its router (gin 1.10) makes of a method and a path.

use std::borrow::Cow;

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

/// The routes of management: only they exist or not with it.
fn find<'a>(method: &str, path: &'a str, management: bool) -> Option<(&'static Row, &'a str)> {
    ROUTES
        .iter()
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

struct Row {
    methods: &'static [&'static str],
    pattern: &'static str,
    endpoint: Endpoint,
}

const fn row(methods: &'static [&'static str], pattern: &'static str, endpoint: Endpoint) -> Row {
    Row {
        methods,
        pattern,
        endpoint,
    }
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const PATCH: &[&str] = &["PATCH"];
const DELETE: &[&str] = &["DELETE"];
const GET_OR_DELETE: &[&str] = &["GET", "DELETE"];
const SETTING: &[&str] = &["GET", "PUT", "PATCH"];
const COLLECTION: &[&str] = &["GET", "PUT", "PATCH", "DELETE"];

use Endpoint as E;
use ManagementCall as M;

/// Every route of the revision that was recorded, but those of home mode and plugins.
const ROUTES: &[Row] = &[
    row(&["GET", "HEAD"], "/healthz", E::Healthz),
    row(GET, "/", E::Root),
    row(GET, "/management.html", E::ManagementPage),
    row(GET, "/anthropic/callback", E::OAuthCallback),
    row(GET, "/codex/callback", E::OAuthCallback),
    row(GET, "/antigravity/callback", E::OAuthCallback),
    row(GET, "/v1/models", E::Models),
    row(POST, "/v1/chat/completions", E::ChatCompletions),
    row(POST, "/v1/completions", E::Completions),
    row(POST, "/v1/messages", E::Messages),
    row(POST, "/v1/messages/count_tokens", E::CountTokens),
    row(POST, "/v1/responses", E::Responses),
    row(GET, "/v1/responses", E::ResponsesSocket),
    row(POST, "/v1/responses/compact", E::Compact),
    row(POST, "/v1/alpha/search", E::Realtime),
    row(POST, "/v1/images/generations", E::Images),
    row(POST, "/v1/images/edits", E::Images),
    row(POST, "/v1/videos", E::Unprovided),
    row(POST, "/v1/videos/generations", E::Unprovided),
    row(POST, "/v1/videos/edits", E::Unprovided),
    row(POST, "/v1/videos/extensions", E::Unprovided),
    row(GET, "/v1/videos/:request_id", E::Unprovided),
    row(POST, "/v1/live", E::Realtime),
    row(GET, "/v1/live/:call_id", E::Realtime),
    row(&["GET", "POST"], "/v1/realtime", E::Realtime),
    row(&["GET", "POST"], "/v1/realtime/calls", E::Realtime),
    row(&["GET", "POST"], "/v1/realtime/calls/:id", E::Realtime),
    row(&["GET", "POST"], "/v1/realtime/translations", E::Realtime),
    row(POST, "/v1/realtime/client_secrets", E::Realtime),
    row(POST, "/v1/realtime/sessions", E::Realtime),
    row(POST, "/v1/realtime/transcription_sessions", E::Realtime),
    row(
        POST,
        "/v1/realtime/translations/client_secrets",
        E::Realtime,
    ),
    row(POST, "/v1/realtime/calls/:id/hangup", E::Realtime),
    row(POST, "/v1/realtime/calls/:id/accept", E::Realtime),
    row(POST, "/v1/realtime/calls/:id/reject", E::Realtime),
    row(POST, "/v1/realtime/calls/:id/refer", E::Realtime),
    row(POST, "/openai/v1/videos", E::Unprovided),
    row(GET, "/openai/v1/videos/:video_id", E::Unprovided),
    row(GET, "/openai/v1/videos/:video_id/content", E::Unprovided),
    row(POST, "/backend-api/codex/responses", E::Responses),
    row(GET, "/backend-api/codex/responses", E::ResponsesSocket),
    row(POST, "/backend-api/codex/responses/compact", E::Compact),
    row(POST, "/backend-api/codex/alpha/search", E::Realtime),
    row(GET, "/v1beta/models", E::GeminiModels),
    row(GET, "/v1beta/models/*action", E::GeminiModel),
    row(POST, "/v1beta/models/*action", E::GeminiAction),
    row(POST, "/v1beta/interactions", E::Interactions),
    row(GET, "/v1/ws", E::RelaySocket),
    row(
        &["GET", "POST"],
        "/v0/management/oauth-callback",
        E::ManagementCallback,
    ),
    row(GET, "/v0/management/config", E::Management(M::Config)),
    row(
        &["GET", "PUT"],
        "/v0/management/config.yaml",
        E::Management(M::ConfigYaml),
    ),
    row(
        GET,
        "/v0/management/latest-version",
        E::Management(M::LatestVersion),
    ),
    row(
        GET,
        "/v0/management/usage-queue",
        E::Management(M::UsageQueue),
    ),
    row(
        GET,
        "/v0/management/api-key-usage",
        E::Management(M::Report),
    ),
    row(SETTING, "/v0/management/debug", E::Management(M::Setting)),
    row(
        SETTING,
        "/v0/management/logging-to-file",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/logs-max-total-size-mb",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/error-logs-max-files",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/usage-statistics-enabled",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/quota-exceeded/switch-project",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/quota-exceeded/switch-preview-model",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/request-log",
        E::Management(M::Setting),
    ),
    row(SETTING, "/v0/management/ws-auth", E::Management(M::Setting)),
    row(
        SETTING,
        "/v0/management/request-retry",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/max-retry-credentials",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/max-retry-interval",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/force-model-prefix",
        E::Management(M::Setting),
    ),
    row(
        SETTING,
        "/v0/management/routing/strategy",
        E::Management(M::Setting),
    ),
    row(
        COLLECTION,
        "/v0/management/proxy-url",
        E::Management(M::Setting),
    ),
    row(
        COLLECTION,
        "/v0/management/api-keys",
        E::Management(M::List),
    ),
    row(
        COLLECTION,
        "/v0/management/gemini-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/interactions-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/claude-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/codex-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/xai-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/vertex-api-key",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/openai-compatibility",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/oauth-excluded-models",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/oauth-model-alias",
        E::Management(M::Collection),
    ),
    row(
        COLLECTION,
        "/v0/management/oauth-request-scoped-errors",
        E::Management(M::Collection),
    ),
    row(
        GET_OR_DELETE,
        "/v0/management/logs",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/request-error-logs",
        E::Management(M::Report),
    ),
    row(
        GET,
        "/v0/management/request-error-logs/:name",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/request-log-by-id/:id",
        E::Management(M::Unavailable),
    ),
    row(
        &["GET", "POST", "DELETE"],
        "/v0/management/auth-files",
        E::Management(M::AuthFiles),
    ),
    row(
        GET,
        "/v0/management/auth-files/models",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/auth-files/download",
        E::Management(M::Unavailable),
    ),
    row(
        PATCH,
        "/v0/management/auth-files/status",
        E::Management(M::Unavailable),
    ),
    row(
        PATCH,
        "/v0/management/auth-files/fields",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/model-definitions/:channel",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/get-auth-status",
        E::Management(M::Report),
    ),
    row(
        GET,
        "/v0/management/anthropic-auth-url",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/codex-auth-url",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/antigravity-auth-url",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/kimi-auth-url",
        E::Management(M::Unavailable),
    ),
    row(
        GET,
        "/v0/management/xai-auth-url",
        E::Management(M::Unavailable),
    ),
    row(
        POST,
        "/v0/management/api-call",
        E::Management(M::Unavailable),
    ),
    row(
        POST,
        "/v0/management/reset-quota",
        E::Management(M::Unavailable),
    ),
    row(
        POST,
        "/v0/management/vertex/import",
        E::Management(M::Unavailable),
    ),
    row(GET, "/v0/management/plugins", E::Management(M::Report)),
    row(
        GET,
        "/v0/management/plugin-store",
        E::Management(M::Unavailable),
    ),
    row(
        POST,
        "/v0/management/plugin-store/:id/install",
        E::Management(M::Unavailable),
    ),
    row(
        DELETE,
        "/v0/management/plugins/:id",
        E::Management(M::Unavailable),
    ),
    row(
        PATCH,
        "/v0/management/plugins/:id/enabled",
        E::Management(M::Unavailable),
    ),
    row(
        SETTING,
        "/v0/management/plugins/:id/config",
        E::Management(M::Unavailable),
    ),
    row(
        DELETE,
        "/v0/management/oauth-session",
        E::Management(M::Unavailable),
    ),
];

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
        assert_eq!(endpoint("GET", "/v1/models"), Some(E::Models));
        assert_eq!(endpoint("HEAD", "/v1/models"), None);
        assert_eq!(endpoint("GET", "/V1/models"), None);
        assert_eq!(endpoint("GET", "//v1/models"), None);
        assert_eq!(endpoint("GET", "/v1/responses"), Some(E::ResponsesSocket));
        assert_eq!(endpoint("POST", "/v1/responses"), Some(E::Responses));
    }

    #[test]
    fn parameters_match_one_segment_and_catch_alls_the_rest() {
        let found = route("POST", "/v1beta/models/m:generateContent", true);
        assert!(
            matches!(found, Routed::Found { parameter, .. } if parameter == "/m:generateContent")
        );
        assert_eq!(endpoint("GET", "/v1/videos/x"), Some(E::Unprovided));
        assert_eq!(endpoint("GET", "/v1/videos/x/y"), None);
        assert_eq!(endpoint("GET", "/v1/videos/"), None);
        assert_eq!(
            endpoint("POST", "/v1/realtime/calls/7/hangup"),
            Some(E::Unprovided)
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
