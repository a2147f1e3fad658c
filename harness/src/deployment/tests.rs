//! What a deployment that is wrong is told.

use std::fmt::Write;

use super::*;
use crate::kind::{Kind, Purpose};

/// The error of the published deployment in which `from` is `to`, as a person reads it.
fn told(from: &str, to: &str) -> String {
    let published = gallery::text("cpa-two-hosts").unwrap();
    assert!(published.contains(from), "`{from}` is in the deployment");
    told_about(&published.replacen(from, to, 1))
}

fn told_about(text: &str) -> String {
    let error = match Deployment::parse("site.toml", text) {
        Err(HarnessError::Document(error)) => error,
        other => panic!("wrong on purpose: {other:?}"),
    };
    let mut told = format!("{error}\n");
    for label in &error.labels {
        let place = error.text.get(label.span.clone()).unwrap();
        let _ = writeln!(told, "  `{}` {}", place.trim_end(), label.text);
    }
    if let Some(help) = &error.help {
        let _ = writeln!(told, "  help: {help}");
    }
    told
}

#[test]
fn the_published_deployment_is_read() {
    let deployment = Deployment::cpa_two_hosts();
    assert_eq!(deployment.name, "cpa-two-hosts");
    assert_eq!(deployment.hosts.api, "api.example.org");
    assert_eq!(deployment.routes.len(), 13);
    assert_eq!(
        deployment.routes[4].location.to_string(),
        "^~ /usage-service/"
    );
    assert_eq!(deployment.routes[0].request_body, RequestBody::Streamed);
    assert!(deployment.upstreams["usage"].is_at("127.0.0.1:18317"));
    assert_eq!(
        deployment.listeners[&Protocol::H2].proxy_protocol,
        ProxyProtocol::V1
    );
    assert_eq!(deployment.request_body().unwrap().value, 104_857_600);
    let hour = Duration::from_secs(3600);
    assert_eq!(deployment.read_timeout().unwrap().value, hour);
    assert_eq!(deployment.fallbacks.len(), 4);
}

#[test]
fn every_embedded_deployment_is_read_and_has_the_name_of_its_file() {
    for name in Deployment::EMBEDDED {
        let deployment = Deployment::named(name).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(deployment.name, name);
        assert!(deployment.endpoint(Purpose::Plain).is_some(), "{name}");
    }
}

#[test]
fn the_files_of_the_documentation_are_read() {
    let page = include_str!("../../../docs/deployments.md");
    let blocks = page.split("```toml\n").skip(1);
    let files: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .collect();
    let [site, kind] = files[..] else {
        panic!("{} files", files.len());
    };
    let site = Deployment::parse("site.toml", site).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(site.upstreams["litellm"].kind.name, "litellm");
    let kind = Kind::parse("kind.toml", kind).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(kind.name, "my-program");
    for name in Deployment::EMBEDDED {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn unknown_names_are_told_what_there_is() {
    let unknown = Deployment::named("cpa-three-hosts").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no deployment is called `cpa-three-hosts`, and no such file is there"
    );
}

#[test]
fn unreadable_deployments_are_told_where() {
    let told = [
        told("[hosts]", "[hosts"),
        told("name = \"cpa-two-hosts\"\n", ""),
        told("name = \"cpa-two-hosts\"", "name = \"\""),
        told("[limits]", "[limit]"),
        told(
            "upstream = \"cpa\"\nrequest_body",
            "upstrem = \"cpa\"\nrequest_body",
        ),
        told("request_body = \"streamed\"", "request_body = \"buffered\""),
        told("request_body = \"100m\"", "request_body = 100"),
        told("request_body = \"100m\"", "request_body = \"100 MB\""),
        told("read_timeout = \"3600s\"", "read_timeout = \"1 hour\""),
        told("trusted = [\"127.0.0.1\"]", "trusted = [\"localhost\"]"),
    ]
    .join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn contradictions_are_told_with_both_places() {
    let told = [
        told("api = \"api.example.org\"\n", ""),
        told(
            "api = \"api.example.org\"",
            "api = \"https://api.example.org\"",
        ),
        told(
            "tunnel = \"tunnel.example.org\"",
            "tunnel = \"API.example.org\"",
        ),
        told("protocol = \"h1\"\n", ""),
        told("protocol = \"h1\"", "protocol = \"h2\""),
        told("protocol = \"h1\"", "protocol = \"h3\""),
        told("127.0.0.1:8003", "127.0.0.1"),
        told("[upstream.usage]", "[upstream.stats]"),
        told("127.0.0.1:18317", "127.0.0.1:8317"),
        told("location = \"= /status\"", "location = \"= /health\""),
        told(
            "location = \"= /status\"\nupstream = \"usage\"",
            "location = \"= /health\"\nupstream = \"cpa\"",
        ),
        told(
            "location = \"= /management.html\"",
            "location = \"/v0/management/\"",
        ),
        told("location = \"= /status\"", "location = \"=/status /x\""),
        told("location = \"= /status\"", "location = \"= status\""),
        told("location = \"= /status\"", "location = \"\""),
        told(
            "location = \"= /status\"\nupstream = \"usage\"",
            "location = \"= /status\"\nupstream = \"usages\"",
        ),
        told("xver = 1", "xver = 3"),
    ]
    .join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_missing_altogether_is_told_too() {
    let limits = "[limits]\nrequest_body = \"1m\"\nread_timeout = \"1s\"\nsend_timeout = \"1s\"\n";
    let start = format!("name = \"x\"\n{limits}[hosts]\napi = \"x\"\n");
    let listener = "[[listener]]\naddress = \"127.0.0.1:1\"\nprotocol = \"h1\"\n";
    let upstream = "[upstream.cpa]\naddress = \"127.0.0.1:2\"\n";
    let told = [
        told_about(""),
        told_about(&start),
        told_about(&format!("{start}{upstream}")),
        told_about(&format!("{start}{upstream}{listener}")),
    ]
    .join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn tls_is_ended_once() {
    insta::assert_snapshot!(told("protocol = \"h1\"\n", "protocol = \"h1\"\ntls = true\n"), @r#"
    site.toml:13:7: the front has ended TLS before this listener
      `true` twice
      help: `front = "none"` at the top is for a proxy that ends TLS itself
    "#);
}

#[test]
fn listeners_of_one_address_are_one() {
    let twice = "protocol = \"h2\"\nproxy_protocol = \"v1\"\n";
    let text = gallery::text("cpa-two-hosts").unwrap();
    let text = text.replace("127.0.0.1:8004", "127.0.0.1:8003");
    insta::assert_snapshot!(told_about(&text.replace(twice, "protocol = \"h2\"\n")), @r#"
    site.toml:16:11: two listeners at one address that differ in `tls` or `proxy_protocol`
      `"127.0.0.1:8003"` the second
      help: what a connection begins with is the same for both protocols
    "#);
}

#[test]
fn nothing_stands_in_the_place_of_an_expression() {
    let exact = "location = \"= /health\"";
    let expression = "location = \"~ ^/health$\"\nreplace = \"/status\"";
    insta::assert_snapshot!(told(exact, expression), @r#"
    site.toml:36:11: a regular expression has no path to replace
      `"/status"` here
      help: `replace` belongs to a prefix, as in `/llm/`, or to a single path
    "#);
}

#[test]
fn a_front_of_no_known_kind() {
    insta::assert_snapshot!(told("about = ", "front = \"tunel\"\nabout = "), @r#"
    site.toml:4:9: unknown variant `tunel`, expected one of `none`, `tls`, `tunnel`
      `"tunel"` here
      help: did you mean `tunnel`?
    "#);
}

#[test]
fn without_a_tunnel_server_nobody_sends_a_proxy_header() {
    let mut deployment = Deployment::cpa_two_hosts();
    deployment.put_behind(Front::Tls, false);
    let listeners = deployment.listeners.values();
    assert!(
        listeners
            .clone()
            .all(|one| !one.tls && one.proxy_protocol == ProxyProtocol::None)
    );
    assert_eq!(deployment.identity.scheme, "https");
    deployment.put_behind(Front::None, true);
    assert!(deployment.listeners.values().all(|one| one.tls));
    deployment.put_behind(Front::None, false);
    assert_eq!(
        (&*deployment.identity.scheme, deployment.identity.port),
        ("http", 80)
    );
}

#[test]
fn a_fallback_leads_to_the_site_by_its_name_or_by_any() {
    let mut site = Deployment::cpa_two_hosts();
    assert!(site.has_a_way_through_the_front());
    for fallback in &mut site.fallbacks {
        fallback.name.clear();
    }
    assert!(site.has_a_way_through_the_front());
    site.fallbacks.clear();
    assert!(!site.has_a_way_through_the_front());
}
