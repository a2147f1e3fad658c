//! What NGINX's directives do besides serving: what the private copy leaves out, and what no copy can confine.

use proxyproof_oracle::conf::Directive;

use super::{OwnConfiguration, Source, text_of};
use crate::document::DocumentError;

/// Whether the copy does without this directive.
pub(super) fn is_left_out(above: &[&Directive], directive: &Directive) -> bool {
    let name = text_of(directive);
    if ["allow", "deny"].contains(&&*name) {
        // Who lets some clients in alone asks for addresses that no probe has.
        let parent = above.last();
        if parent.is_some_and(|parent| parent.is("limit_except")) {
            return true;
        }
        let beside = parent.map_or(&[][..], |parent| parent.children());
        return beside.iter().any(|other| other.is("allow"));
    }
    let is_block = above.is_empty() && OTHER_PROTOCOLS.contains(&&*name);
    is_block
        || LEFT_OUT.contains(&&*name)
        || WRITERS.iter().any(|end| name.ends_with(end))
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The variable that an `if` which turns clients away looks at: a key that no probe has, an address, a program's name.
pub(super) fn gate(directive: &Directive) -> Option<String> {
    let refuses = |child: &Directive| {
        let code = child.arguments().first().map(|code| code.text());
        child.is("return") && code.is_some_and(|code| TURNED_AWAY.contains(&&*code))
    };
    if !directive.is("if") {
        return None;
    }
    let name = variable_of(directive)?;
    // The stage's ports are its own, and its clients are who they are, whatever a front would say of them.
    let is_moved = ["server_port", "http_x_forwarded_proto"].contains(&&*name)
        && directive.children().iter().any(sends_elsewhere);
    let is_gate =
        directive.children().iter().any(refuses) && !OF_THE_REQUEST.contains(&name.as_str());
    (is_moved || is_gate).then_some(name)
}

/// Whether an `if` is on something else than which request it is: nobody knows here whether it applies.
pub(super) fn is_uncertain(directive: &Directive) -> bool {
    let name = directive.is("if").then(|| variable_of(directive)).flatten();
    name.is_some_and(|name| !OF_THE_REQUEST.contains(&name.as_str()))
}

fn sends_elsewhere(directive: &Directive) -> bool {
    let mut words = directive.arguments().iter().map(|word| word.text());
    match directive.name() {
        b"return" => words.any(|word| ["301", "302", "307", "308"].contains(&&*word)),
        b"rewrite" => words.any(|word| ["permanent", "redirect"].contains(&&*word)),
        _ => false,
    }
}

/// The first variable of a condition.
fn variable_of(directive: &Directive) -> Option<String> {
    let words = directive.arguments().iter().map(|word| word.text());
    let condition: Vec<_> = words.collect();
    let condition = condition.join(" ");
    let (_, name) = condition.split_once('$')?;
    let name = name.trim_start_matches('{');
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let name = &name[..name.find(|letter| !is_part(letter)).unwrap_or(name.len())];
    Some(name.to_owned())
}

/// Whether it stands in a block that the copy does without: it speaks no HTTP.
pub(super) fn is_of_another_protocol(above: &[&Directive]) -> bool {
    let name = above.first().map(|block| text_of(block));
    name.is_some_and(|name| OTHER_PROTOCOLS.contains(&&*name))
}

/// No directive runs code of its own.
pub(super) fn check(configuration: &OwnConfiguration) -> Result<(), DocumentError> {
    let mut first = None;
    configuration.walk(&mut |source: &Source, above, directive| {
        let name = text_of(directive);
        if first.is_none() && runs_code(&name) && !is_of_another_protocol(above) {
            first = Some(source.refused(directive, format!("`{name}` runs code of its own")));
        }
    });
    first.map_or(Ok(()), Err)
}

fn runs_code(name: &str) -> bool {
    name.contains("_by_lua")
        || RUNS_CODE.contains(&name)
        || CODE_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Blocks beside `http`: their servers listen and connect, and the deployment has none there.
const OTHER_PROTOCOLS: [&str; 4] = ["mail", "mgmt", "rtmp", "stream"];

/// What is the stage's affair, or names files of the server that has it: keys, tickets, and who vouches for a certificate
/// (`ssl_stapling` and `ssl_ocsp` ask an authority, beyond the stage). What writes files. Limits of how much one address
/// may ask, which a suite that asks everything at once has to exceed. And caches, whose answers would be an earlier question's.
const LEFT_OUT: [&str; 49] = [
    "acme_certificate",
    "acme_issuer",
    "acme_shared_zone",
    "auth_basic",
    "auth_basic_user_file",
    "auth_jwt",
    "auth_jwt_key_file",
    "auth_request",
    "create_full_put_path",
    "daemon",
    "dav_ext_lock_zone",
    "dav_ext_methods",
    "dav_methods",
    "google_perftools_profiles",
    "http3",
    "limit_conn",
    "limit_req",
    "lock_file",
    "lua_ssl_trusted_certificate",
    "mirror",
    "pid",
    "proxy_cache",
    "proxy_ssl_certificate",
    "proxy_ssl_certificate_key",
    "proxy_ssl_trusted_certificate",
    "quic_host_key",
    "ssl_client_certificate",
    "ssl_crl",
    "ssl_dhparam",
    "ssl_ech_file",
    "ssl_engine",
    "ssl_ocsp",
    "ssl_ocsp_cache",
    "ssl_ocsp_responder",
    "ssl_password_file",
    "ssl_session_ticket_key",
    "ssl_stapling",
    "ssl_stapling_file",
    "ssl_stapling_responder",
    "ssl_stapling_verify",
    "ssl_trusted_certificate",
    "ssl_verify_client",
    "state",
    "upload_state_store",
    "upload_store",
    "use",
    "user",
    "vhost_traffic_status_dump",
    "working_directory",
];

/// What an `if` answers clients with that it does not let in.
const TURNED_AWAY: [&str; 4] = ["401", "403", "407", "444"];

/// What says which request it is, and not whose: an `if` on one of these is about routes.
const OF_THE_REQUEST: [&str; 21] = [
    "args",
    "arg_model",
    "content_length",
    "content_type",
    "document_uri",
    "host",
    "http2",
    "http_connection",
    "http_content_length",
    "http_content_type",
    "http_host",
    "http_upgrade",
    "https",
    "is_args",
    "query_string",
    "request_filename",
    "request_method",
    "request_uri",
    "scheme",
    "server_port",
    "uri",
];

/// Ends of names: answers that are stored as files, addresses that connections come from, keys of connections.
const WRITERS: [&str; 3] = ["_store", "_bind", "_ssl_key_log"];

/// Beginnings of names: filters with a cache, a log and remote rules of their own.
const FAMILIES: [&str; 2] = ["modsecurity", "pagespeed"];

/// Directives that load code which is not NGINX's.
const RUNS_CODE: [&str; 7] = [
    "exec",
    "lua_load_resty_core",
    "lua_package_cpath",
    "lua_package_path",
    "opentracing_load_tracer",
    "perl",
    "ssl_conf_provider",
];

/// The same by the beginning of their names.
const CODE_FAMILIES: [&str; 4] = ["js_", "passenger_", "perl_", "phusion_"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_if_that_turns_clients_away_is_left_out() {
        for (text, expected) in [
            (
                r#"if ($http_authorization != "Bearer x") { return 401; }"#,
                Some("http_authorization"),
            ),
            (
                "if ($valid_key = 0) { return 403 '{}'; }",
                Some("valid_key"),
            ),
            (
                "if ($http_user_agent ~* (bot|curl)) { return 444; }",
                Some("http_user_agent"),
            ),
            ("if ($allowed) { set $a 1; }", None),
            (
                "if ($server_port !~ 443) { rewrite ^ https://$host$1 permanent; }",
                Some("server_port"),
            ),
            (
                "if ($scheme = http) { return 301 https://$host$request_uri; }",
                None,
            ),
            ("if ($host != api.example.org) { return 444; }", None),
            ("if ($request_method = OPTIONS) { return 204; }", None),
            ("if ($request_method !~ ^(GET|POST)$) { return 403; }", None),
            ("if (-f $request_filename) { return 403; }", None),
        ] {
            let configuration = OwnConfiguration::of_text(text);
            let mut found = None;
            configuration.walk(&mut |_, above, directive| {
                if above.is_empty() {
                    found = gate(directive);
                }
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_runs_code_is_refused_at_its_line() {
        for (text, line) in [
            ("http {\n  perl_modules lib;\n}", Some(2)),
            (
                "http {\n  server {\n    location / { content_by_lua_file x.lua; }\n  }\n}",
                Some(3),
            ),
            ("http { js_import main.js; }", Some(1)),
            (
                "http { server { location / { proxy_pass http://a; } } }",
                None,
            ),
            ("stream { js_access x; }", None),
        ] {
            let refused = check(&OwnConfiguration::of_text(text)).err();
            let position = refused.and_then(|error| error.position());
            assert_eq!(position.map(|(line, _)| line), line, "{text}");
        }
    }
}
