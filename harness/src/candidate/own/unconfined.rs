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
const LEFT_OUT: [&str; 45] = [
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
    "pid",
    "proxy_cache",
    "proxy_ssl_certificate",
    "proxy_ssl_certificate_key",
    "proxy_ssl_trusted_certificate",
    "quic_host_key",
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
    "state",
    "upload_state_store",
    "upload_store",
    "user",
    "vhost_traffic_status_dump",
    "working_directory",
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
