//! What is in force in a server or location, and where it is set.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::directive::Context;
use proxyproof_oracle::location::NginxVersion;
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::setting::{Effective, Scope, Setting};

const OLD: NginxVersion = NginxVersion::V1_22_1;
const NEW: NginxVersion = NginxVersion::V1_31_3;

fn config(text: &str) -> Config {
    Config::read("nginx.conf", text, &mut Sources::new()).unwrap()
}

/// The location of the first server that is written so.
fn at(config: &Config, notation: &str) -> Scope {
    let mut locations = config.site.servers[0].table.locations();
    let found = locations.find(|(_, location)| location.notation.to_string() == notation);
    Scope::location(0, found.unwrap().0)
}

fn texts(settings: &[&Setting]) -> Vec<String> {
    settings.iter().map(|setting| setting.text()).collect()
}

fn lines(config: &Config, settings: &[&Setting]) -> Vec<String> {
    settings
        .iter()
        .map(|setting| config.line(setting.place))
        .collect()
}

const LEVELS: &str = "client_max_body_size 1g;
proxy_set_header A http;
proxy_set_header B http;
proxy_read_timeout 5s;
server {
    client_max_body_size 50m;
    location / {
        proxy_pass http://a;
        location /in/ { proxy_read_timeout 1m; }
    }
    location /own/ {
        proxy_pass http://a;
        proxy_set_header C own;
        if ($arg_x) { add_header D if; client_body_timeout 1; }
        limit_except GET { deny all; }
    }
}
";

#[test]
fn the_innermost_value_is_in_force_and_says_where_it_is_set() {
    let config = config(LEVELS);
    let size = config
        .site
        .effective(at(&config, "/in/"), "client_max_body_size");
    assert_eq!(size.bytes(OLD), Some(50 << 20));
    assert_eq!(size.context(), Some(Context::Server));
    assert_eq!(lines(&config, &size.settings), ["nginx.conf:6"]);
    assert_eq!(lines(&config, &size.dropped), ["nginx.conf:1"]);
    let timeout = |scope| config.site.effective(scope, "proxy_read_timeout").time(OLD);
    assert_eq!(timeout(at(&config, "/in/")), Some(Duration::from_secs(60)));
    assert_eq!(timeout(at(&config, "/")), Some(Duration::from_secs(5)));
    assert_eq!(timeout(Scope::server(0)), Some(Duration::from_secs(5)));
}

#[test]
fn what_nobody_says_has_the_default_of_the_release() {
    let config = config(LEVELS);
    let text = |name, version| {
        let effective = config.site.effective(at(&config, "/"), name);
        assert!(!effective.is_set());
        effective.text(version)
    };
    assert_eq!(text("proxy_http_version", OLD).as_deref(), Some("1.0"));
    assert_eq!(text("proxy_http_version", NEW).as_deref(), Some("1.1"));
    assert_eq!(text("proxy_buffering", OLD).as_deref(), Some("on"));
    assert_eq!(text("proxy_bind", OLD), None);
    assert_eq!(text("nobody_knows_it", OLD), None);
}

#[test]
fn a_list_is_dropped_as_a_whole() {
    let config = config(LEVELS);
    let fields = config
        .site
        .effective(at(&config, "/own/"), "proxy_set_header");
    assert_eq!(texts(&fields.settings), ["C own"]);
    assert_eq!(
        lines(&config, &fields.dropped),
        ["nginx.conf:2", "nginx.conf:3"]
    );
    let inherited = config
        .site
        .effective(at(&config, "/in/"), "proxy_set_header");
    assert_eq!(texts(&inherited.settings), ["A http", "B http"]);
    assert_eq!(inherited.context(), Some(Context::Http));
    assert!(inherited.dropped.is_empty());
}

#[test]
fn the_fields_of_a_proxied_request_have_the_defaults() {
    let config =
        config("server { location / { proxy_pass http://a; proxy_set_header host $host; } }");
    let fields = |version| {
        let fields = config
            .site
            .proxied_fields(at(&config, "/"), version)
            .into_iter();
        let shown = fields.map(|field| {
            let value = String::from_utf8(field.value).unwrap();
            format!("{}: {value} {}", field.name, field.place.is_some())
        });
        shown.collect::<Vec<_>>()
    };
    assert_eq!(fields(OLD), ["host: $host true", "Connection: close false"]);
    assert_eq!(fields(NEW), ["host: $host true"]);
}

#[test]
fn what_holds_for_some_requests_only_is_told_apart() {
    let config = config(LEVELS);
    let scope = at(&config, "/own/");
    let conditional = |name| {
        let effective: Effective<'_> = config.site.effective(scope, name);
        (effective.is_certain(), texts(&effective.conditional))
    };
    assert_eq!(conditional("add_header"), (false, vec!["D if".to_owned()]));
    assert_eq!(conditional("allow"), (false, vec!["all".to_owned()]));
    assert_eq!(conditional("proxy_pass"), (true, vec![]));
}

#[test]
fn allow_and_deny_are_one_list() {
    let config = config("allow 10.0.0.0/8; server { location / { deny all; } location /b/ { } }");
    let effective = config.site.effective(at(&config, "/"), "allow");
    assert_eq!(texts(&effective.settings), ["all"]);
    assert_eq!(texts(&effective.dropped), ["10.0.0.0/8"]);
    let inherited = config.site.effective(at(&config, "/b/"), "deny");
    assert_eq!(texts(&inherited.settings), ["10.0.0.0/8"]);
}

#[test]
fn add_header_inherit_changes_what_is_dropped() {
    let text = "add_header A 1; server { add_header_inherit merge; add_header B 2; \
                location / { } location /c/ { add_header C 3; } location /off/ { add_header_inherit off; } \
                location /on/ { add_header_inherit on; add_header D 4; } }";
    let config = config(text);
    let shown = |notation| {
        texts(
            &config
                .site
                .effective(at(&config, notation), "add_header")
                .settings,
        )
    };
    assert_eq!(shown("/"), ["B 2", "A 1"]);
    assert_eq!(shown("/c/"), ["C 3", "B 2", "A 1"]);
    assert!(shown("/off/").is_empty());
    assert_eq!(shown("/on/"), ["D 4"]);
}

#[test]
fn what_no_block_takes_over_is_its_own() {
    let config =
        config("server { rewrite ^/a /b; location / { proxy_pass http://a; location /x { } } }");
    let set = |notation, name| config.site.effective(at(&config, notation), name).is_set();
    assert!(set("/", "proxy_pass") && !set("/x", "proxy_pass"));
    assert!(!set("/", "rewrite"));
    assert!(config.site.effective(Scope::server(0), "rewrite").is_set());
}

#[test]
fn included_settings_have_the_place_of_their_file() {
    let mut files = Sources::new().file(
        "proxy.conf",
        "proxy_buffering off;\nproxy_read_timeout 1h;\n",
    );
    let text = "server { location / { include proxy.conf; } location /b/ { include proxy.conf; proxy_pass http://b; } }";
    let config = Config::read("nginx.conf", text, &mut files).unwrap();
    for notation in ["/", "/b/"] {
        let effective = config
            .site
            .effective(at(&config, notation), "proxy_read_timeout");
        assert_eq!(lines(&config, &effective.settings), ["proxy.conf:2"]);
        assert_eq!(effective.time(OLD), Some(Duration::from_secs(3600)));
    }
    let names: Vec<_> = config
        .site
        .settings_in(at(&config, "/b/"))
        .iter()
        .map(|one| &*one.name)
        .collect();
    assert_eq!(
        names,
        ["proxy_buffering", "proxy_read_timeout", "proxy_pass"]
    );
}

#[test]
fn a_whole_file_has_its_main_block_around() {
    let config = config("error_log /dev/null; events { } http { server { location / { } } }");
    let effective = config.site.effective(at(&config, "/"), "error_log");
    assert_eq!(effective.context(), Some(Context::Main));
}
