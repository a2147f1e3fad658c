//! Listeners, groups, and where `proxy_pass` leads.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::location::{
    Answer, Files, NginxVersion, Protocol, ProxyProtocol, Request, Site, Transport,
};
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::setting::Scope;
use proxyproof_oracle::upstream::{Balance, Role, Scheme};

const OLD: NginxVersion = NginxVersion::V1_22_1;
const NEW: NginxVersion = NginxVersion::V1_31_3;

fn site(text: &str) -> Site {
    Config::read("nginx.conf", text, &mut Sources::new())
        .unwrap()
        .site
}

#[test]
fn what_one_server_says_of_an_address_holds_for_all() {
    let site = site(
        "server { listen 443; server_name a; } \
         server { listen 443 ssl http2 default_server proxy_protocol; listen 80; server_name b; }",
    );
    let listeners = site.listeners(OLD);
    assert_eq!(listeners.len(), 2);
    let tls = &listeners[0];
    assert_eq!(
        (&*tls.address, tls.default_server, tls.tls),
        ("*:443", 1, true)
    );
    assert_eq!(tls.servers, [0, 1]);
    assert_eq!(tls.proxy_protocol, ProxyProtocol::Required);
    assert_eq!(tls.protocols, [Protocol::Http1, Protocol::Http2]);
    assert_eq!(listeners[1].protocols, [Protocol::Http1]);
}

#[test]
fn http2_comes_from_the_parameter_or_the_directive_of_the_release() {
    let spoken = |text, version| site(text).listeners(version)[0].protocols.clone();
    let both = [Protocol::Http1, Protocol::Http2];
    assert_eq!(
        spoken("server { listen 80 http2; }", OLD),
        [Protocol::Http2]
    );
    assert_eq!(spoken("server { listen 80 http2; }", NEW), both);
    assert_eq!(spoken("server { listen 443 ssl; http2 on; }", NEW), both);
    assert_eq!(
        spoken("server { listen 443 ssl; http2 on; }", OLD),
        [Protocol::Http1]
    );
    assert_eq!(spoken("http2 on; server { listen 80; }", NEW), both);
    assert_eq!(
        spoken("http2 on; server { listen 80; http2 off; }", NEW),
        [Protocol::Http1]
    );
}

#[test]
fn a_server_without_listen_a_socket_and_quic_are_listeners() {
    let site =
        site("server { } server { listen unix:/run/x.sock; listen 443 quic; listen 443 ssl; }");
    let listeners = site.listeners(NEW);
    let shown: Vec<_> = listeners
        .iter()
        .map(|one| (&*one.address, one.transport))
        .collect();
    let stream = Transport::Stream;
    assert_eq!(
        shown,
        [
            ("*:80", stream),
            ("unix:/run/x.sock", stream),
            ("*:443", Transport::Quic),
            ("*:443", stream)
        ]
    );
    assert!(listeners[2].protocols.is_empty());
}

#[test]
fn a_server_has_a_host_where_its_names_say_one() {
    let host = |names: &str| site(&format!("server {{ server_name {names}; }}")).servers[0].host();
    assert_eq!(host("_"), None);
    assert_eq!(host("\"\""), None);
    assert_eq!(
        host("_ api.Example.org").as_deref(),
        Some("api.example.org")
    );
    assert_eq!(host("*.example.org").as_deref(), Some("x.example.org"));
    assert_eq!(
        host(r"~^(?<tenant>[a-z]+)\.example\.org$").as_deref(),
        Some("a.example.org")
    );
    assert_eq!(
        host("\"~^www\\d{3}\\.(example|test)\\.org$\"").as_deref(),
        Some("www111.example.org")
    );
}

#[test]
fn a_group_has_all_that_is_said_of_its_servers() {
    let site = site(
        "upstream g { least_conn; zone g 64k; server 10.0.0.1:8317 weight=3 max_fails=0; server litellm:4000 backup resolve; \
         server unix:/run/x.sock down fail_timeout=1m; keepalive 16; } server { }",
    );
    let group = site.upstream("g").unwrap();
    let shown: Vec<_> = group
        .servers
        .iter()
        .map(|server| (server.address.as_ref().unwrap().to_string(), server.role))
        .collect();
    assert_eq!(
        shown,
        [
            ("10.0.0.1:8317".to_owned(), Role::Primary),
            ("litellm:4000".to_owned(), Role::Backup),
            ("unix:/run/x.sock".to_owned(), Role::Down),
        ]
    );
    let [first, second, third] = &group.servers[..] else {
        panic!()
    };
    assert_eq!((first.weight, first.max_fails), (3, 0));
    assert_eq!(
        (second.weight, second.max_fails, &second.other[..]),
        (1, 1, &["resolve".to_owned()][..])
    );
    assert_eq!(third.fail_timeout, Duration::from_secs(60));
    assert_eq!(
        group.balance(),
        Balance::Other {
            directive: "least_conn".into()
        }
    );
    assert_eq!(group.keepalive(OLD), 16);
    assert!(group.setting("zone").is_some());
}

#[test]
fn idle_connections_are_kept_by_default_since_1_29_7() {
    let site = site("upstream g { server a; } upstream n { server a; keepalive 0; } server { }");
    let kept = |name, version| site.upstream(name).unwrap().keepalive(version);
    assert_eq!((kept("g", OLD), kept("g", NEW), kept("n", NEW)), (0, 32, 0));
    assert_eq!(site.upstream("g").unwrap().balance(), Balance::RoundRobin);
}

/// What the first location of a server may lead to, one line each.
fn leads_to(text: &str) -> Vec<String> {
    let site = site(text);
    let (id, _) = site.servers[0].table.locations().next().unwrap();
    let destinations = site.destinations(Scope::location(0, id));
    let found = destinations.found.iter().map(|found| {
        let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
        let scheme = match found.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let uri = found
            .uri
            .as_deref()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        format!(
            "{scheme} {} [{}] {uri}",
            found.upstream,
            addresses.join(" ")
        )
        .trim_end()
        .to_owned()
    });
    let unknown = destinations.unknown.iter().map(ToString::to_string);
    found.chain(unknown).collect()
}

#[test]
fn a_proxy_pass_leads_to_an_address_or_a_group() {
    assert_eq!(
        leads_to("server { location / { proxy_pass http://127.0.0.1:8317; } }"),
        ["http 127.0.0.1:8317 [127.0.0.1:8317]"]
    );
    assert_eq!(
        leads_to(
            "upstream g { server a:1; server b; } server { location / { proxy_pass http://g/x/; } }"
        ),
        ["http g [a:1 b:80] /x/"]
    );
    assert_eq!(
        leads_to("server { location / { proxy_pass https://api.example.net/v1/; } }"),
        ["https api.example.net [api.example.net:443] /v1/"]
    );
    assert_eq!(
        leads_to("server { location / { proxy_pass http://unix:/run/x.sock:/b; } }"),
        ["http unix:/run/x.sock [unix:/run/x.sock] /b"]
    );
}

#[test]
fn variables_lead_to_every_value_that_they_are_given() {
    assert_eq!(
        leads_to(
            "map $arg_model $backend { default gateway; ~^local ollama:11434; } \
             server { location / { set $url http://$backend; proxy_pass $url$request_uri; } }"
        ),
        [
            "http gateway [gateway:80] $request_uri",
            "http ollama:11434 [ollama:11434] $request_uri"
        ]
    );
}

#[test]
fn chances_lead_to_each_of_their_values() {
    assert_eq!(
        leads_to(
            "split_clients $remote_addr $to { 10% blue:1; * green:2; } geo $net { default 0; } \
             server { location / { proxy_pass http://$to; } }"
        ),
        ["http blue:1 [blue:1]", "http green:2 [green:2]"]
    );
}

#[test]
fn a_proxy_pass_in_an_if_is_another_destination() {
    assert_eq!(
        leads_to(
            "server { location / { if ($http_upgrade) { proxy_pass http://ws:1; } proxy_pass http://web:2; } }"
        ),
        ["http web:2 [web:2]", "http ws:1 [ws:1]"]
    );
}

#[test]
fn what_a_request_decides_is_unknown() {
    assert_eq!(
        leads_to("server { location / { proxy_pass http://$host; } }"),
        ["not modelled: variable `$host` in `proxy_pass`"]
    );
    assert_eq!(
        leads_to("server { set $a $b; set $b $a; location / { proxy_pass http://$a; } }").len(),
        1
    );
}

#[test]
fn the_scheme_is_that_of_the_listener() {
    let text = |listen| {
        format!(
            "server {{ listen {listen}; location / {{ if ($scheme = http) {{ return 301 https://$host$request_uri; }} proxy_pass http://a; }} }}"
        )
    };
    let proxied = |listen| {
        matches!(
            site(&text(listen)).decide(&Request::get("/")).answer,
            Answer::Proxied { .. }
        )
    };
    assert!(proxied("443 ssl") && proxied("8443 ssl"));
    assert!(!proxied("80") && !proxied("443"));
}

#[test]
fn a_host_chooses_among_listeners() {
    let site = site(
        "server { listen 80; server_name a.org b.org; location / { return 301 https://$host$request_uri; } } \
         server { listen 443 ssl; server_name a.org; location / { proxy_pass http://a; } } \
         server { listen 8443 ssl; server_name b.org; location / { proxy_pass http://b; } }",
    );
    let answered = |host: &str| {
        let request = Request {
            host: Some(host.into()),
            ..Request::get("/x")
        };
        site.decide(&request).server.unwrap().0
    };
    assert_eq!((answered("a.org"), answered("b.org")), (1, 2));
    assert_eq!(answered("c.org"), 0);
    let request = Request {
        host: Some("b.org".into()),
        listener: Some("*:80".into()),
        ..Request::get("/x")
    };
    assert_eq!(site.decide(&request).server.unwrap().0, 0);
}

#[test]
fn fields_and_missing_files_decide_where_they_are_known() {
    let site = site(
        "map $http_x_model $to { default http://a; big http://b; } \
         server { location / { try_files $uri $uri/ @app; } location @app { proxy_pass $to; } \
         location /f/ { try_files $uri =404; } location /spa/ { try_files $uri /index.html?q; } }",
    );
    let answer = |target: &str, fields: &[(&str, &str)]| {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = Request {
            files: Files::None,
            fields: fields.collect(),
            ..Request::get(target)
        };
        site.decide(&request).answer.to_string()
    };
    assert_eq!(answer("/x?y", &[]), "a gets /x?y");
    assert_eq!(answer("/x", &[("X-Model", "big")]), "b gets /x");
    assert_eq!(answer("/f/x", &[]), "404");
    assert_eq!(answer("/spa/x", &[]), "a gets /index.html?q");
    assert!(matches!(
        site.decide(&Request::get("/x")).answer,
        Answer::NotModelled(_)
    ));
}

#[test]
fn an_internal_location_is_so_with_all_inside() {
    let site = site("server { location /a/ { internal; location /a/b { proxy_pass http://a; } } }");
    assert_eq!(site.decide(&Request::get("/a/b")).answer.to_string(), "404");
}

#[test]
fn variables_that_hold_each_other_end() {
    let entries: String = (0..500)
        .map(|number| format!("k{number} $b$a{number}; "))
        .collect();
    let text = format!(
        "map $uri $a {{ {entries} }} map $uri $b {{ {entries} ~x $a; }} server {{ location / {{ proxy_pass http://$a$b; }} }}"
    );
    assert!(!leads_to(&text).is_empty());
}

#[test]
fn an_expression_that_is_too_long_has_no_witness() {
    let site = site(
        "server { server_name \"~^(((a{60}){60}){3})$\"; location / { proxy_pass http://a; } }",
    );
    assert_eq!(site.servers[0].host(), None);
}
