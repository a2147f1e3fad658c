use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::deployment::Front;
use crate::protocol::Protocol;

/// What Caddy 2.6 makes of the most usual Caddyfile.
const ORDINARY: &str = include_str!("adapted/ordinary.json");
/// What Caddy 2.11 makes of `cli/tests/command/confined/hostile.Caddyfile`.
const HOSTILE: &str = include_str!("adapted/hostile.json");

fn configuration(adapted: &str) -> CaddyConfiguration {
    CaddyConfiguration {
        file: UserFile {
            origin: "Caddyfile".to_owned(),
            text: String::new(),
            folder: PathBuf::new(),
        },
        adapted: serde_json::from_str(adapted).unwrap(),
    }
}

/// The private copy behind a front, and the deployment as it follows the file.
fn staged(adapted: &str, front: Option<Front>) -> (Value, Deployment) {
    let configuration = configuration(adapted);
    let mut deployment = Deployment::cpa_two_hosts();
    configuration.stand_behind(front, &mut deployment).unwrap();
    if let Some(host) = configuration.host(&deployment) {
        deployment.rename_api(&host);
    }
    let candidate = Candidate::named("caddy").unwrap();
    let candidate = configuration.of(candidate, &deployment).unwrap();
    let Some(PrivateCopy::Caddy(copy)) = &candidate.files()[0].private_copy else {
        panic!("{candidate:?}")
    };
    (copy.confined(), deployment)
}

#[test]
fn an_ordinary_file_runs_on_the_stage() {
    let (copy, deployment) = staged(ORDINARY, Some(Front::None));
    insta::assert_json_snapshot!(copy);
    assert_eq!(deployment.hosts.api, "api.example.org");
    for protocol in Protocol::DIRECT {
        let listener = &deployment.listeners[&protocol];
        assert_eq!((&*listener.address, listener.tls), ("0.0.0.0:443", true));
    }
}

#[test]
fn a_hostile_file_keeps_to_the_stage() {
    let (copy, _) = staged(HOSTILE, Some(Front::None));
    let text = copy.to_string();
    for outside in [
        "192.0.2.",
        "proxyproof-outside/storage",
        "proxyproof-outside/api.log",
        "2019",
        "acme",
    ] {
        assert!(!text.contains(outside), "{outside}");
    }
    insta::assert_json_snapshot!(copy);
}

#[test]
fn what_starts_it_needs_no_adapter() {
    let configuration = configuration(ORDINARY);
    let mut deployment = Deployment::cpa_two_hosts();
    configuration
        .stand_behind(Some(Front::None), &mut deployment)
        .unwrap();
    let candidate = configuration
        .of(Candidate::named("caddy").unwrap(), &deployment)
        .unwrap();
    let native = "{{ work }}/caddy.json";
    assert_eq!(candidate.launch.arguments, ["run", "--config", native]);
    assert_eq!(
        candidate.launch.validate.unwrap(),
        ["validate", "--config", native]
    );
    assert_eq!(candidate.launch.files[0].name, "caddy.json");
}

#[test]
fn a_site_that_ends_tls_stands_behind_no_front_that_does() {
    let mut deployment = Deployment::cpa_two_hosts();
    let error = configuration(ORDINARY).stand_behind(Some(Front::Tls), &mut deployment);
    insta::assert_snapshot!(error.unwrap_err(), @"Caddyfile: every server that leads to the deployment's upstreams ends TLS itself");
    let error = configuration(ORDINARY).of(Candidate::named("caddy").unwrap(), &deployment);
    insta::assert_snapshot!(error.unwrap_err(), @"Caddyfile: `127.0.0.1:8003`, the listener for h1, is not in it");
}

fn of_servers(servers: Value) -> CaddyConfiguration {
    configuration(&json!({ "apps": { "http": { "servers": servers } } }).to_string())
}

/// A server that leads to the deployment's upstream.
fn leading(listen: &[&str]) -> Value {
    json!({
        "listen": listen,
        "automatic_https": { "disable": true },
        "routes": [{ "handle": [{ "handler": "reverse_proxy", "upstreams": [{ "dial": "localhost:8317" }] }] }],
    })
}

#[test]
fn plain_listeners_are_found_behind_a_front() {
    let mut server = leading(&["127.0.0.1:9003"]);
    server["protocols"] = json!(["h1", "h2c"]);
    let configuration = of_servers(json!({ "srv0": { "listen": [":80"] }, "srv1": server }));
    for front in [
        None,
        Some(Front::Tunnel),
        Some(Front::Tls),
        Some(Front::None),
    ] {
        let mut deployment = Deployment::cpa_two_hosts();
        configuration.stand_behind(front, &mut deployment).unwrap();
        for listener in deployment.listeners.values() {
            assert_eq!(
                (&*listener.address, listener.tls),
                ("127.0.0.1:9003", false)
            );
        }
        assert!(
            deployment
                .fallbacks
                .iter()
                .any(|fallback| fallback.dest == "127.0.0.1:9003")
                || front.is_some()
        );
    }
}

#[test]
fn listeners_that_the_file_has_stay() {
    let configuration = of_servers(json!({
        "srv0": leading(&["127.0.0.1:9003"]),
        "srv1": leading(&["tcp/127.0.0.1:8003-8004"]),
    }));
    let mut deployment = Deployment::cpa_two_hosts();
    configuration.stand_behind(None, &mut deployment).unwrap();
    assert_eq!(deployment, Deployment::cpa_two_hosts());
    let candidate = configuration
        .of(Candidate::named("caddy").unwrap(), &deployment)
        .unwrap();
    let Some(PrivateCopy::Caddy(copy)) = &candidate.files()[0].private_copy else {
        panic!("{candidate:?}")
    };
    let servers = &copy.confined()["apps"]["http"]["servers"];
    assert_eq!(servers["srv0"]["listen"], json!(["unix/listen-1.sock"]));
    assert_eq!(
        servers["srv1"]["listen"],
        json!(["127.0.0.1:8003", "127.0.0.1:8004"])
    );
    assert_eq!(servers["srv1"]["protocols"], json!(["h1", "h2"]));
}

#[test]
fn one_address_is_one_servers() {
    let mut bystander = leading(&["0.0.0.0:443"]);
    bystander["routes"] = json!([]);
    let mut server = leading(&["[::]:443", "udp/:443"]);
    server["listen_protocols"] = json!([["h1", "h3"], null]);
    let (copy, _) = staged(
        &json!({ "apps": { "http": { "servers": { "srv0": bystander, "srv1": server } } } })
            .to_string(),
        Some(Front::None),
    );
    let servers = &copy["apps"]["http"]["servers"];
    assert_eq!(
        servers["srv1"]["listen"],
        json!(["0.0.0.0:443", "unix/listen-1.sock"])
    );
    assert_eq!(
        servers["srv1"]["listen_protocols"],
        json!([["h1"], ["h1", "h2"]])
    );
    assert_eq!(servers["srv0"]["listen"], json!(["unix/listen-2.sock"]));
}

#[test]
fn what_cannot_be_confined_is_refused_at_its_line() {
    let text = "# rate_limit\nx {\n\trate_limit 5\n\treverse_proxy @a {host}:80\n\treverse_proxy {\n\t\tdynamic srv x\n\t}\n}\n";
    let mut refused = String::new();
    for adapted in [
        json!({ "apps": { "layer4": {} } }),
        json!({ "apps": { "http": { "routes": [{ "handle": [{ "handler": "rate_limit" }] }] } } }),
        json!({ "apps": { "http": { "listener_wrappers": [{ "wrapper": "tailscale" }] } } }),
        json!({ "apps": { "http": { "trusted_proxies": { "source": "cloudflare" } } } }),
        json!({ "apps": { "http": { "handler": "file_server", "file_system": { "backend": "s3" } } } }),
        json!({ "apps": { "http": { "match": [{ "not": [{ "maxmind": {} }] }] } } }),
        json!({ "apps": { "http": { "handler": "authentication", "providers": { "http_basic": {}, "jwt": {} } } } }),
        json!({ "apps": { "http": { "handler": "reverse_proxy", "transport": { "protocol": "ntlm" } } } }),
    ] {
        let file = UserFile {
            origin: "Caddyfile".to_owned(),
            text: text.to_owned(),
            folder: PathBuf::new(),
        };
        let error = refusal::check(&adapted, &file).unwrap_err();
        refused.push_str(&format!("{error}\n"));
    }
    insta::assert_snapshot!(refused, @r"
    Caddyfile: `layer4`, a plugin, may lead off the stage
    Caddyfile:3:2: `rate_limit`, a plugin, may lead off the stage
    Caddyfile: `tailscale`, a plugin, may lead off the stage
    Caddyfile: `cloudflare`, a plugin, may lead off the stage
    Caddyfile: `s3`, a plugin, may lead off the stage
    Caddyfile: `maxmind`, a plugin, may lead off the stage
    Caddyfile: `jwt`, a plugin, may lead off the stage
    Caddyfile: `ntlm`, a plugin, may lead off the stage
    ");
    let file = configuration(ORDINARY).file;
    for kept in [ORDINARY, HOSTILE] {
        refusal::check(&serde_json::from_str(kept).unwrap(), &file).unwrap();
    }
}

#[test]
fn a_site_that_is_asked_has_no_destination_that_a_request_decides() {
    let text = "y {\n\treverse_proxy {re.x.1}:81\n}\nx {\n\treverse_proxy @a 127.0.0.1:8317 {host}:80\n\treverse_proxy {\n\t\tdynamic srv x\n\t}\n}\n";
    let mut refused = String::new();
    let more = [
        json!({ "handler": "reverse_proxy", "upstreams": [{ "dial": "{http.request.host}:80" }] }),
        json!({ "handler": "reverse_proxy", "dynamic_upstreams": { "source": "srv" } }),
    ];
    let deployment = Deployment::cpa_two_hosts();
    for proxy in more {
        let mut server = leading(&["tcp/127.0.0.1:8003-8004"]);
        let site = json!({ "handle": [proxy] });
        server["routes"].as_array_mut().unwrap().push(site.clone());
        let elsewhere = of_servers(json!({ "srv0": server }));
        let candidate = || Candidate::named("caddy").unwrap();
        assert!(elsewhere.of(candidate(), &deployment).is_ok());
        server["routes"][0]["handle"]
            .as_array_mut()
            .unwrap()
            .push(site["handle"][0].clone());
        let mut here = of_servers(json!({ "srv0": server }));
        text.clone_into(&mut here.file.text);
        let error = here.of(candidate(), &deployment).unwrap_err();
        refused.push_str(&format!("{error}\n"));
    }
    insta::assert_snapshot!(refused, @r"
    Caddyfile:5:34: a destination that each request decides: `{http.request.host}:80`
    Caddyfile:7:3: upstreams that are looked up while it runs
    ");
}
