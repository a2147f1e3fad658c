//! Which part of the service a path belongs to: Go's `ServeMux`, then prefixes.

use std::borrow::Cow;

use crate::upstream::Request;

/// A part of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The target `*`, which the mux refuses.
    Asterisk,
    /// A path that is not clean: redirected to this target.
    Unclean(String),
    Health,
    Info,
    Status,
    Setup,
    Panel,
    /// Everything else, told apart by the decoded path.
    Root(Root),
}

/// What the handler of everything else makes of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    ModelPrices,
    /// By prefix, so that CPA's own `usage-queue` and `usage-statistics-enabled` are among it.
    Usage,
    Management,
    ModelList,
    Index,
    Unknown,
}

/// Finds the part.
pub(super) fn route(request: &Request) -> Route {
    if request.target() == b"*" {
        return Route::Asterisk;
    }
    let raw = request.raw_path();
    let cleaned = clean(&raw);
    if request.method() != "CONNECT" && cleaned != raw {
        return Route::Unclean(location(&cleaned, &request.query()));
    }
    // Segments are decoded one by one, so an encoded slash does not divide.
    let path = request.path();
    let exact =
        |pattern: &str| path == pattern && raw.matches('/').count() == pattern.matches('/').count();
    match path.as_ref() {
        known if exact("/health") => named(known, Route::Health),
        known if exact("/status") => named(known, Route::Status),
        known if exact("/setup") => named(known, Route::Setup),
        known if exact("/management.html") => named(known, Route::Panel),
        known if exact("/usage-service/info") => named(known, Route::Info),
        other => Route::Root(root(other)),
    }
}

fn named(_path: &str, route: Route) -> Route {
    route
}

fn root(path: &str) -> Root {
    let within = |prefix: &str| path.starts_with(prefix);
    match path.trim_end_matches('/') {
        _ if within("/v0/management/model-prices") => Root::ModelPrices,
        _ if within("/v0/management/usage") => Root::Usage,
        _ if within("/v0/management/") => Root::Management,
        "/v1/models" | "/models" => Root::ModelList,
        _ if path == "/" => Root::Index,
        _ => Root::Unknown,
    }
}

/// Go's `cleanPath`: no empty, `.` or `..` segments, a slash at the end kept.
fn clean(path: &str) -> Cow<'_, str> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut cleaned = format!("/{}", segments.join("/"));
    if path.ends_with('/') && cleaned != "/" {
        cleaned.push('/');
    }
    Cow::Owned(cleaned)
}

/// The escaped path is taken for a decoded one and so escaped once more.
fn location(path: &str, query: &str) -> String {
    let mut location: String = path.bytes().map(escaped).collect();
    if !query.is_empty() {
        location.push('?');
        location.push_str(query);
    }
    location
}

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'='
        | b'@' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, cleaned) in [
            ("//health", "/health"),
            ("/x/../health", "/health"),
            ("/a//b/./c/", "/a/b/c/"),
            ("/..", "/"),
        ] {
            assert_eq!(clean(path), cleaned);
        }
        assert_eq!(location("/a%2Fb", "q=1"), "/a%252Fb?q=1");
    }

    #[test]
    fn the_prefix_trap() {
        assert_eq!(root("/v0/management/usage-queue"), Root::Usage);
        assert_eq!(root("/v0/management/model-pricesX"), Root::ModelPrices);
        assert_eq!(root("/v0/management/debug"), Root::Management);
        assert_eq!(root("/v0/management"), Root::Unknown);
        assert_eq!(root("/v1/models//"), Root::ModelList);
    }
}
