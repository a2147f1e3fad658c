//! What of a Caddyfile cannot be kept on the stage by what its copy says.

use std::ops::Range;

use serde_json::{Map, Value};

use super::places::Places;
use super::server::{Server, each_object};
use crate::candidate::user_file::UserFile;
use crate::document::DocumentError;

/// Whether everything in it is known to keep to what its configuration says.
///
/// # Errors
/// Says the first thing that may reach elsewhere, at its line where the file itself has it.
pub(super) fn check(adapted: &Value, file: &UserFile) -> Result<(), DocumentError> {
    let apps = adapted["apps"].as_object().into_iter().flatten();
    let mut apps = apps.map(|(name, _)| name.as_str());
    if let Some(name) = apps.find(|name| !APPS.contains(name)) {
        return Err(unknown(name, file));
    }
    let mut wrong = None;
    each_object(&adapted["apps"]["http"], &mut |object| {
        wrong = wrong.take().or_else(|| fault(object, file));
    });
    wrong.map_or(Ok(()), Err)
}

/// Whether all destinations of the sites that are asked are known before they run: where one is not, requests would go
/// nowhere that the live site serves.
///
/// # Errors
/// Says the first such destination, at its line where the file itself has it.
pub(super) fn check_destinations(
    servers: &[Server<'_>],
    upstreams: &Places,
    file: &UserFile,
) -> Result<(), DocumentError> {
    let mut wrong = None;
    for route in servers
        .iter()
        .flat_map(|server| server.routes_to(upstreams))
    {
        each_object(route, &mut |object| {
            wrong = wrong.take().or_else(|| undecided(object, file));
        });
    }
    wrong.map_or(Ok(()), Err)
}

fn undecided(object: &Map<String, Value>, file: &UserFile) -> Option<DocumentError> {
    let (place, message) = if object.contains_key("dynamic_upstreams") {
        let place = place(file, |_, word| word == "dynamic");
        (
            place,
            "upstreams that are looked up while it runs".to_owned(),
        )
    } else {
        let dial = object.get("dial")?.as_str()?;
        dial.contains('{').then_some(())?;
        let place = place(file, |directive, word| {
            PROXIES.contains(&directive)
                && word.contains('{')
                && without_names(word) == without_names(dial)
        });
        (
            place,
            format!("a destination that each request decides: `{dial}`"),
        )
    };
    let error = match place {
        Some(place) => file.document().error(place, "here", message),
        None => file.document().lacks(message),
    };
    Some(error.help("leave it out of a copy of the file: a stage can only take the place of addresses that it names"))
}

/// What stands outside of placeholders, whose names are short in a Caddyfile and long in JSON.
fn without_names(text: &str) -> String {
    let mut parts = text
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.by_ref().collect()
}

fn fault(object: &Map<String, Value>, file: &UserFile) -> Option<DocumentError> {
    let handler = object.get("handler").and_then(Value::as_str);
    let plugin = handler
        .filter(|name| !HANDLERS.contains(name))
        .or_else(|| foreign(object.get("wrapper"), &WRAPPERS))
        .or_else(|| foreign(object.get("transport")?.get("protocol"), &TRANSPORTS))
        .or_else(|| foreign(object.get("trusted_proxies")?.get("source"), &["static"]))
        .or_else(|| foreign(object.get("file_system")?.get("backend"), &[]))
        .or_else(|| foreign(object.get("circuit_breaker")?.get("type"), &[]))
        .or_else(|| foreign_matcher(object));
    if let Some(plugin) = plugin {
        return Some(unknown(plugin, file));
    }
    let providers = object
        .get("providers")
        .filter(|_| handler == Some("authentication"));
    let mut names = providers?.as_object()?.keys();
    let plugin = names.find(|name| *name != "http_basic")?;
    Some(unknown(plugin, file))
}

/// The name of a module that is none of these.
fn foreign<'v>(name: Option<&'v Value>, known: &[&str]) -> Option<&'v str> {
    name?.as_str().filter(|name| !known.contains(name))
}

fn foreign_matcher(object: &Map<String, Value>) -> Option<&str> {
    let sets = ["match", "not"]
        .into_iter()
        .filter_map(|key| object.get(key));
    let sets = sets.filter_map(Value::as_array).flatten();
    let mut names = sets.filter_map(Value::as_object).flat_map(Map::keys);
    let plugin = names.find(|name| !MATCHERS.contains(&name.as_str()))?;
    Some(plugin)
}

fn unknown(module: &str, file: &UserFile) -> DocumentError {
    let place = place(file, |_, word| word == module);
    file.refused(
        place,
        format!("`{module}`, a plugin, may lead off the stage"),
    )
}

/// The first word that is meant, comments apart; it is told the directive that the word's line begins with, too.
fn place(file: &UserFile, meant: impl Fn(&str, &str) -> bool) -> Option<Range<usize>> {
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let mut directive = None;
        let mut at = 0;
        for word in line.split_inclusive(char::is_whitespace) {
            let here = start + at;
            at += word.len();
            let word = word.trim_end();
            if word.starts_with('#') {
                break;
            }
            if !word.is_empty() && meant(directive.get_or_insert(word), word) {
                return Some(here..here + word.len());
            }
        }
        start += line.len();
    }
    None
}

/// Apps whose whole configuration the copy replaces or confines.
const APPS: [&str; 4] = ["http", "tls", "pki", "events"];
/// Of the standard build: they do nothing that their configuration does not say.
const HANDLERS: [&str; 23] = [
    "acme_server",
    "authentication",
    "copy_response",
    "copy_response_headers",
    "encode",
    "error",
    "file_server",
    "headers",
    "intercept",
    "invoke",
    "log_append",
    "map",
    "metrics",
    "push",
    "request_body",
    "reverse_proxy",
    "rewrite",
    "static_response",
    "subroute",
    "templates",
    "timeouts",
    "tracing",
    "vars",
];
const MATCHERS: [&str; 17] = [
    "client_ip",
    "expression",
    "file",
    "header",
    "header_regexp",
    "host",
    "method",
    "not",
    "path",
    "path_regexp",
    "protocol",
    "query",
    "remote_ip",
    "tls",
    "url_pattern",
    "vars",
    "vars_regexp",
];
const WRAPPERS: [&str; 3] = ["http_redirect", "proxy_protocol", "tls"];
const TRANSPORTS: [&str; 2] = ["fastcgi", "http"];
/// Directives with destinations.
const PROXIES: [&str; 4] = ["reverse_proxy", "to", "forward_auth", "php_fastcgi"];
