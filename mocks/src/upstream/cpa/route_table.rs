//! The routes of the revision that was recorded, but those of home mode and plugins.

use super::route::{Endpoint as E, ManagementCall as M};

/// Every route: AI, realtime, management.
pub(crate) const ROUTES: [&[Row]; 3] = [AI, REALTIME, MANAGEMENT];

/// A route as it was registered.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) methods: &'static [&'static str],
    /// A path in which `:name` stands for one segment and `*name` for the rest.
    pub(crate) pattern: &'static str,
    pub(crate) endpoint: E,
}

const fn row(methods: &'static [&'static str], pattern: &'static str, endpoint: E) -> Row {
    Row {
        methods,
        pattern,
        endpoint,
    }
}

const fn management(methods: &'static [&'static str], pattern: &'static str, call: M) -> Row {
    row(methods, pattern, E::Management(call))
}

const AI: &[Row] = &[
    row(GET_OR_HEAD, "/healthz", E::Healthz),
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
];

const REALTIME: &[Row] = &[
    row(POST, "/v1/live", E::Realtime),
    row(GET, "/v1/live/:call_id", E::Realtime),
    row(GET_OR_POST, "/v1/realtime", E::Realtime),
    row(GET_OR_POST, "/v1/realtime/calls", E::Realtime),
    row(GET_OR_POST, "/v1/realtime/calls/:id", E::Realtime),
    row(GET_OR_POST, "/v1/realtime/translations", E::Realtime),
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
];

const MANAGEMENT: &[Row] = &[
    row(
        GET_OR_POST,
        "/v0/management/oauth-callback",
        E::ManagementCallback,
    ),
    management(GET, "/v0/management/config", M::Config),
    management(GET_OR_PUT, "/v0/management/config.yaml", M::ConfigYaml),
    management(GET, "/v0/management/latest-version", M::LatestVersion),
    management(GET, "/v0/management/usage-queue", M::UsageQueue),
    management(GET, "/v0/management/api-key-usage", M::Report),
    management(SETTING, "/v0/management/debug", M::Setting),
    management(SETTING, "/v0/management/logging-to-file", M::Setting),
    management(SETTING, "/v0/management/logs-max-total-size-mb", M::Setting),
    management(SETTING, "/v0/management/error-logs-max-files", M::Setting),
    management(
        SETTING,
        "/v0/management/usage-statistics-enabled",
        M::Setting,
    ),
    management(
        SETTING,
        "/v0/management/quota-exceeded/switch-project",
        M::Setting,
    ),
    management(
        SETTING,
        "/v0/management/quota-exceeded/switch-preview-model",
        M::Setting,
    ),
    management(SETTING, "/v0/management/request-log", M::Setting),
    management(SETTING, "/v0/management/ws-auth", M::Setting),
    management(SETTING, "/v0/management/request-retry", M::Setting),
    management(SETTING, "/v0/management/max-retry-credentials", M::Setting),
    management(SETTING, "/v0/management/max-retry-interval", M::Setting),
    management(SETTING, "/v0/management/force-model-prefix", M::Setting),
    management(SETTING, "/v0/management/routing/strategy", M::Setting),
    management(COLLECTION, "/v0/management/proxy-url", M::Setting),
    management(COLLECTION, "/v0/management/api-keys", M::List),
    management(COLLECTION, "/v0/management/gemini-api-key", M::Collection),
    management(
        COLLECTION,
        "/v0/management/interactions-api-key",
        M::Collection,
    ),
    management(COLLECTION, "/v0/management/claude-api-key", M::Collection),
    management(COLLECTION, "/v0/management/codex-api-key", M::Collection),
    management(COLLECTION, "/v0/management/xai-api-key", M::Collection),
    management(COLLECTION, "/v0/management/vertex-api-key", M::Collection),
    management(
        COLLECTION,
        "/v0/management/openai-compatibility",
        M::Collection,
    ),
    management(
        COLLECTION,
        "/v0/management/oauth-excluded-models",
        M::Collection,
    ),
    management(
        COLLECTION,
        "/v0/management/oauth-model-alias",
        M::Collection,
    ),
    management(
        COLLECTION,
        "/v0/management/oauth-request-scoped-errors",
        M::Collection,
    ),
    management(GET_OR_DELETE, "/v0/management/logs", M::Unavailable),
    management(GET, "/v0/management/request-error-logs", M::Report),
    management(
        GET,
        "/v0/management/request-error-logs/:name",
        M::Unavailable,
    ),
    management(GET, "/v0/management/request-log-by-id/:id", M::Unavailable),
    management(FILES, "/v0/management/auth-files", M::AuthFiles),
    management(GET, "/v0/management/auth-files/models", M::Unavailable),
    management(GET, "/v0/management/auth-files/download", M::Unavailable),
    management(PATCH, "/v0/management/auth-files/status", M::Unavailable),
    management(PATCH, "/v0/management/auth-files/fields", M::Unavailable),
    management(
        GET,
        "/v0/management/model-definitions/:channel",
        M::Unavailable,
    ),
    management(GET, "/v0/management/get-auth-status", M::Report),
    management(GET, "/v0/management/anthropic-auth-url", M::Unavailable),
    management(GET, "/v0/management/codex-auth-url", M::Unavailable),
    management(GET, "/v0/management/antigravity-auth-url", M::Unavailable),
    management(GET, "/v0/management/kimi-auth-url", M::Unavailable),
    management(GET, "/v0/management/xai-auth-url", M::Unavailable),
    management(POST, "/v0/management/api-call", M::Unavailable),
    management(POST, "/v0/management/reset-quota", M::Unavailable),
    management(POST, "/v0/management/vertex/import", M::Unavailable),
    management(GET, "/v0/management/plugins", M::Report),
    management(GET, "/v0/management/plugin-store", M::Unavailable),
    management(
        POST,
        "/v0/management/plugin-store/:id/install",
        M::Unavailable,
    ),
    management(DELETE, "/v0/management/plugins/:id", M::Unavailable),
    management(PATCH, "/v0/management/plugins/:id/enabled", M::Unavailable),
    management(SETTING, "/v0/management/plugins/:id/config", M::Unavailable),
    management(DELETE, "/v0/management/oauth-session", M::Unavailable),
];

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const PATCH: &[&str] = &["PATCH"];
const DELETE: &[&str] = &["DELETE"];
const GET_OR_HEAD: &[&str] = &["GET", "HEAD"];
const GET_OR_POST: &[&str] = &["GET", "POST"];
const GET_OR_PUT: &[&str] = &["GET", "PUT"];
const GET_OR_DELETE: &[&str] = &["GET", "DELETE"];
const FILES: &[&str] = &["GET", "POST", "DELETE"];
const SETTING: &[&str] = &["GET", "PUT", "PATCH"];
const COLLECTION: &[&str] = &["GET", "PUT", "PATCH", "DELETE"];
