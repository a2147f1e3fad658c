//! Which request of a client arrives at an upstream as wanted.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::location::{Arrival, Files, Request, Site};
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::upstream::Address;

fn site(text: &str) -> Site {
    Config::read("nginx.conf", text, &mut Sources::new())
        .unwrap()
        .site
}

/// The target, with the host, of a request that the upstream `gw` sees as this one.
fn asked(text: &str, target: &str) -> Option<String> {
    let arrival = Arrival {
        server: 0,
        upstreams: &["gw", "gw:1"],
        target: target.as_bytes(),
    };
    let like = Request {
        files: Files::None,
        ..Request::get("")
    };
    let request = site(text).request_for(arrival, &like)?;
    Some(String::from_utf8(request.target).unwrap())
}

#[test]
fn a_gateway_at_the_root_is_asked_as_it_is() {
    let text = "server { location / { proxy_pass http://gw; } }";
    assert_eq!(
        asked(text, "/v1/models?x=1").as_deref(),
        Some("/v1/models?x=1")
    );
}

#[test]
fn a_prefix_stands_in_for_the_uri_part() {
    let text = "server { location / { root /srv; } location ^~ /llm/ { proxy_pass http://gw/; } }";
    assert_eq!(
        asked(text, "/v1/models?x=1").as_deref(),
        Some("/llm/v1/models?x=1")
    );
    let text = "server { location /v1/ { proxy_pass http://gw/openai/v1/; } }";
    assert_eq!(
        asked(text, "/openai/v1/models").as_deref(),
        Some("/v1/models")
    );
    assert_eq!(asked(text, "/v1/models"), None);
    let text = "server { location = /chat { proxy_pass http://gw:1/v1/chat/completions; } }";
    assert_eq!(
        asked(text, "/v1/chat/completions").as_deref(),
        Some("/chat")
    );
}

#[test]
fn what_another_location_takes_is_not_reached() {
    let text = "server { location / { proxy_pass http://gw; } location /v1/ { return 404; } }";
    assert_eq!(asked(text, "/v1/models"), None);
    assert_eq!(asked(text, "/health").as_deref(), Some("/health"));
}

#[test]
fn a_rewrite_is_undone() {
    let text = "server { location /llm/ { rewrite ^/llm/(.*)$ /$1 break; proxy_pass http://gw; } }";
    assert_eq!(asked(text, "/v1/models").as_deref(), Some("/llm/v1/models"));
    let text = "server { location /api { rewrite ^/api(/.*)$ $1 break; proxy_pass http://gw; } }";
    assert_eq!(
        asked(text, "/v1/models?a=b").as_deref(),
        Some("/api/v1/models?a=b")
    );
    let text = "server { rewrite ^/old/(v\\d)/(.+)$ /new/$2/$1 last; location /new/ { internal; proxy_pass http://gw; } }";
    assert_eq!(
        asked(text, "/new/models/v1").as_deref(),
        Some("/old/v1/models")
    );
}

#[test]
fn an_expression_has_a_witness() {
    let text = "server { location ~ ^/(v1|v1beta)/ { proxy_pass http://gw; } }";
    assert_eq!(
        asked(text, "/v1beta/models").as_deref(),
        Some("/v1beta/models")
    );
    let text =
        "server { location ~ ^/proxy/(?<rest>.*)$ { proxy_pass http://gw/$rest$is_args$args; } }";
    assert_eq!(
        asked(text, "/v1/models?a=b").as_deref(),
        Some("/proxy/v1/models?a=b")
    );
    let text = "server { location ~ ^/t/([a-z]+)/(.*)$ { proxy_pass http://gw:1/$2; } }";
    assert_eq!(asked(text, "/v1/models").as_deref(), Some("/t/a/v1/models"));
}

#[test]
fn a_missing_file_leads_to_the_gateway() {
    let text =
        "server { location / { try_files $uri @app; } location @app { proxy_pass http://gw; } }";
    assert_eq!(asked(text, "/v1/models").as_deref(), Some("/v1/models"));
}

#[test]
fn a_map_of_the_host_or_the_path_chooses() {
    let text = "map $uri $to { default http://web; ~^/v1/ http://gw; } server { location / { proxy_pass $to; } }";
    assert_eq!(asked(text, "/v1/models").as_deref(), Some("/v1/models"));
    assert_eq!(asked(text, "/"), None);
}

#[test]
fn a_map_of_a_host_or_a_field_is_asked_as_it_wants() {
    let site = site(
        "map $host $site { default http://web; ~^api\\. http://gw; } map $http_x_model $model { default http://web; Big http://gw; } \
         server { location / { proxy_pass $site; } } server { listen 81; location / { proxy_pass $model; } }",
    );
    let arrival = Arrival {
        server: 0,
        upstreams: &["gw"],
        target: b"/v1/models",
    };
    let request = site.request_for(arrival, &Request::get("")).unwrap();
    assert_eq!(request.host.as_deref(), Some("api.x"));
    let request = site
        .request_for(
            Arrival {
                server: 1,
                ..arrival
            },
            &Request::get(""),
        )
        .unwrap();
    assert_eq!(request.fields, [("x-model".to_owned(), "big".to_owned())]);
}

#[test]
fn the_request_has_a_host_that_leads_to_its_server() {
    let site = site(
        "server { listen 80 default_server; return 444; } server { server_name ~^(.+)\\.example\\.org$; location / { proxy_pass http://gw; } }",
    );
    let arrival = Arrival {
        server: 1,
        upstreams: &["gw"],
        target: b"/",
    };
    let request = site.request_for(arrival, &Request::get("")).unwrap();
    assert_eq!(request.host.as_deref(), Some("a.example.org"));
    assert_eq!(request.listener.as_deref(), Some("*:80"));
    let none = Arrival {
        server: 0,
        ..arrival
    };
    assert_eq!(site.request_for(none, &Request::get("")), None);
}

#[test]
fn the_locations_of_a_destination_are_listed() {
    let site = site(
        "upstream gw { server 127.0.0.1:1; } server { location / { proxy_pass http://web; } \
         location /a/ { proxy_pass http://gw; } location /b/ { proxy_pass http://127.0.0.1:1/x/; } }",
    );
    let address = Address::parse("127.0.0.1:1", 80).unwrap();
    let ways = site.ways_to(0, &|found| found.addresses.contains(&address));
    let notations: Vec<_> = ways
        .iter()
        .map(|way| {
            site.servers[0]
                .table
                .location(way.location)
                .notation
                .to_string()
        })
        .collect();
    assert_eq!(notations, ["/a/", "/b/"]);
}
