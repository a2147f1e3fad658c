//! What the `routes` commands say about the published configuration and its neighbours, verbatim.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::location::{Request, Table, TableBuilder};
use proxyproof_oracle::routes::{Config, Want, check, diff, listing, match_target};

const PUBLISHED: &str = include_str!("corpus/published.conf");
const CORRECTED: &str = include_str!("corpus/corrected.conf");

fn config(text: &str) -> Config {
    Config::read("nginx.conf", text, &mut Sources::new()).unwrap()
}

/// The route table of the deployment.
fn wanted() -> Table {
    let routes = [
        ("= /v1/responses", "cpa"),
        ("= /health", "usage"),
        ("= /status", "usage"),
        ("= /setup", "usage"),
        ("^~ /usage-service/", "usage"),
        ("= /v0/management/usage-queue", "cpa"),
        ("= /v0/management/usage", "usage"),
        ("^~ /v0/management/usage/", "usage"),
        ("= /v0/management/model-prices", "usage"),
        ("^~ /v0/management/model-prices/", "usage"),
        ("^~ /v0/management/", "cpa"),
        ("= /management.html", "cpa"),
        ("/", "cpa"),
    ];
    let add = |builder: TableBuilder, (notation, upstream): (&str, &str)| {
        builder.route(notation.parse().unwrap(), upstream)
    };
    routes
        .into_iter()
        .fold(TableBuilder::new(), add)
        .build()
        .unwrap()
}

fn checked(text: &str) -> proxyproof_oracle::routes::Check {
    let upstreams = [
        ("cpa".to_owned(), "127.0.0.1:8317".to_owned()),
        ("usage".to_owned(), "127.0.0.1:18317".to_owned()),
    ];
    let want = Want {
        host: Some("api.example.org"),
        table: &wanted(),
        upstreams: &upstreams,
    };
    check(&config(text), want)
}

#[test]
fn the_published_table_is_listed() {
    insta::assert_snapshot!(listing(&config(PUBLISHED)).text());
}

#[test]
fn dead_locations_are_listed_as_dead() {
    let text = "server { listen 80; location //x { proxy_pass http://a; } location /a { proxy_pass http://a; } \
                location ~ ^/a/b { proxy_pass http://b; } location ~ ^/a/bc { proxy_pass http://c; } \
                location ^~ /s/ { proxy_pass http://d; } location ~ ^/s/ { proxy_pass http://e; } location @n { return 503; } }";
    insta::assert_snapshot!(listing(&config(text)).text());
}

#[test]
fn the_published_and_the_corrected_table_do_what_the_deployment_wants() {
    for text in [PUBLISHED, CORRECTED] {
        let check = checked(text);
        assert!(check.is_proved(), "{}", check.text());
    }
    insta::assert_snapshot!(checked(CORRECTED).text().replace(char::is_numeric, "n"));
}

#[test]
fn every_wrong_route_is_found_with_its_shortest_path() {
    let wrong = PUBLISHED
        .replace(
            "location = /v0/management/usage {",
            "location ^~ /v0/management/usage {",
        )
        .replace(
            "    location = /v0/management/usage-queue { proxy_pass http://cpa_backend; }\n",
            "",
        )
        .replace("location = /setup", "location = /set-up");
    let mut check = checked(&wrong);
    insta::assert_snapshot!(check.text());
    check.confusions.truncate(1);
    insta::assert_snapshot!("every_wrong_route_as_json", check.json());
}

#[test]
fn spellings_that_are_read_in_two_ways_are_listed() {
    let confusions = checked(PUBLISHED).confusions;
    let found = |target: &str| confusions.iter().find(|found| found.target == target);
    let below = found("/usage-service/x/..%2fx");
    assert!(below.is_none(), "both read a path of the usage service");
    let above = found("/x/..%2fv0/management/usage").unwrap();
    assert_eq!((&*above.goes_to, &*above.belongs_to), ("usage", "cpa"));
    assert_eq!(above.read_as, "/x/../v0/management/usage");
    assert!(
        confusions
            .iter()
            .all(|found| found.goes_to != found.belongs_to)
    );
}

#[test]
fn what_changes_between_two_configurations_is_said() {
    let (old, new) = (
        config(PUBLISHED),
        config(&PUBLISHED.replace("location = /setup", "location ~ ^/set-?up$")),
    );
    assert!(diff(&old, &old).is_equality());
    insta::assert_snapshot!(diff(&old, &new).text());
    insta::assert_snapshot!("what_changes_as_markdown", diff(&old, &new).markdown());
    insta::assert_snapshot!(
        "what_changes_to_the_corrected",
        diff(&old, &config(CORRECTED)).text()
    );
}

#[test]
fn targets_are_matched_with_reasons() {
    let config = config(PUBLISHED);
    let rows = [
        "/health",
        "//health",
        "/v0/management",
        "/%2e%2e/x",
        "/v0/management/usage/x?y",
        "/caf\u{e9}",
    ];
    let rows: Vec<_> = rows
        .iter()
        .map(|target| match_target(&config, &Request::get(*target)))
        .collect();
    let tsv: Vec<_> = rows.iter().map(|row| row.tsv()).collect();
    let text: String = rows.iter().map(|row| row.text()).collect();
    insta::assert_snapshot!(format!("{}\n\n{text}\n{}", tsv.join("\n"), rows[0].json()));
}

#[test]
fn errors_of_a_configuration_are_shown_with_their_lines() {
    let errors = |text: &str| {
        Config::read("nginx.conf", text, &mut Sources::new())
            .unwrap_err()
            .to_string()
    };
    let texts = [
        "server { listen 80 }",
        "include gone.conf;",
        "server { location /a { }\n location /a { } }",
        "user x;",
        "",
    ];
    let shown: Vec<_> = texts.iter().map(|text| errors(text)).collect();
    insta::assert_snapshot!(shown.join("\n=====\n"));
}

#[test]
fn other_quotes_are_no_change() {
    let text = |quotes: &str| {
        config(&format!(
            "server {{ location / {{ set $a {quotes}; if ($http_x = {quotes}) {{ return 403; }} proxy_pass http://a; }} }}"
        ))
    };
    let changed = diff(&text("''"), &text("\"\""));
    assert_eq!(changed.text(), diff(&text("''"), &text("''")).text());
    assert_ne!(changed.text(), diff(&text("''"), &text("x")).text());
}
