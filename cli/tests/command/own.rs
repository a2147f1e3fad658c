//! `run --config`: a configuration of one's own.

use crate::invocation::{Invocation, assert_told};
use crate::up::is_installed;

fn run(file: &str, more: &[&str]) -> Invocation {
    let mut invocation = Invocation::new(&["run", "nginx", "--config"]).argument(file);
    for argument in more {
        invocation = invocation.argument(argument);
    }
    invocation
}

/// What the proxy itself says needs the proxy; CI has it.
macro_rules! with_nginx {
    ($($name:ident: $file:literal $($more:literal)*;)+) => {
        $(
            #[test]
            fn $name() {
                if is_installed("nginx") {
                    assert_told!(run($file, &[$($more),*]));
                }
            }
        )+
    };
}

with_nginx! {
    the_published_one_does_not_load: "own/published.conf";
    the_published_one_with_maps: "own/published.conf" "--assume-maps" "-f" "identity/forged_forwarded_for@h1";
    as_pasted_from_the_web: "own/pasted.conf" "--assume-maps" "-f" "upstream/connections_reused@h1";
    the_corrected_one: "own/corrected.conf" "-f" "identity";
    a_whole_tree: "own/tree/nginx.conf" "-f" "identity" "-f" "streaming/one_event_at_a_time@h1";
    an_include_that_listens: "own/included_server.conf" "-f" "upstream/connections_reused@h1";
    one_that_ends_tls: "own/ends_tls.conf" "--front" "none" "-f" "identity" "-f" "front" "-f" "streaming/one_event_at_a_time@h1";
    one_behind_a_server_that_ends_tls: "own/behind_tls.conf" "--front" "tls" "-f" "identity" "-f" "front" "-f" "streaming/one_event_at_a_time";
    other_sites_of_the_same_server: "own/other_sites/nginx.conf" "-f" "routes/exact_is_exact@h1" "-f" "upstream/connections_reused@h1";
    destinations_in_variables_and_a_rate_limit: "own/variables.conf" "-f" "routes/table" "-f" "routes/longest_prefix_wins";
    a_directive_without_its_end: "own/broken.conf";
    a_directive_that_nginx_does_not_know: "own/unknown_directive.conf";
}

macro_rules! refused_before_anything_runs {
    ($($name:ident: $file:literal $($more:literal)*;)+) => {
        $(
            #[test]
            fn $name() {
                let told = run($file, &[$($more),*]);
                assert_told!(told);
            }
        )+
    };
}

refused_before_anything_runs! {
    no_such_file: "own/nowhere.conf";
    no_configuration: "own/no_configuration.conf";
    no_server: "own/no_server.conf";
    a_listener_that_is_not_the_deployments: "own/public_listener.conf";
    an_upstream_that_is_not_the_deployments: "own/foreign_upstream.conf";
    a_destination_off_the_stage: "own/foreign_destination.conf";
    a_destination_that_a_client_chooses: "own/unknown_variable.conf";
    another_protocol_than_http: "own/fastcgi.conf";
    an_include_that_is_not_there: "own/missing_include.conf";
    an_included_upstream_that_is_not_the_deployments: "own/tree/foreign.conf";
    one_that_ends_tls_behind_a_tunnel: "own/ends_tls.conf";
    one_that_wants_a_header_without_a_tunnel: "own/corrected.conf" "--front" "none";
    one_that_ends_tls_behind_a_front_that_does: "own/ends_tls.conf" "--front" "tls";
    a_listener_of_no_protocol: "own/corrected.conf" "--listen" "h9=127.0.0.1:1";
    an_address_without_a_name: "own/corrected.conf" "--upstream" "127.0.0.1:1";
}

/// Sockets and IPv6, as configurations have them; the copy listens and connects on the stage.
#[test]
fn other_kinds_of_addresses() {
    if !is_installed("nginx") {
        return;
    }
    let told = run(
        "own/addresses.conf",
        &[
            "--listen",
            "h1=[::1]:8003",
            "--listen",
            "h2c=unix:/run/gateway.sock",
            "--upstream",
            "cpa=unix:/run/cpa.sock",
            "--upstream",
            "usage=[::1]:18317",
            "-f",
            "routes",
            "-f",
            "identity",
        ],
    )
    .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
}

#[test]
fn secrets_reach_no_report() {
    if !is_installed("nginx") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let json = folder.path().join("report.json");
    let told = run(
        "own/secrets.conf",
        &["-f", "headers", "--verbose", "--json"],
    )
    .argument(&json)
    .told();
    let json = std::fs::read_to_string(json).expect("it was written");
    for report in [told, json] {
        assert!(
            report.contains("Authorization: Bearer [secret]"),
            "{report}"
        );
        assert!(!report.contains("sk-live-0123456789"), "{report}");
    }
}

#[test]
fn a_configuration_in_another_language() {
    assert_told!(Invocation::new(&[
        "run",
        "reference",
        "-f",
        "routes/table@h1",
        "--config",
        "own/corrected.conf"
    ]));
}

#[test]
fn another_proxys_own() {
    if is_installed("haproxy") {
        let told = Invocation::new(&["run", "haproxy", "--config", "own/haproxy.cfg"])
            .argument("-f")
            .argument("identity/forged_forwarded_for@h1")
            .argument("-f")
            .argument("upstream/connections_reused@h1")
            .told();
        assert!(told.starts_with("exit code: 1\n"), "{told}");
        for line in [
            "upstream    1 passed",
            "✗ identity/forged_forwarded_for",
            "add to own/haproxy.cfg",
        ] {
            assert!(told.contains(line), "{told}");
        }
    }
}

#[test]
fn another_proxys_own_without_an_address() {
    assert_told!(Invocation::new(&[
        "run",
        "haproxy",
        "--config",
        "own/haproxy.cfg",
        "--upstream",
        "cpa=10.0.0.5:8317"
    ]));
}

#[test]
fn the_real_proxy_agrees_with_the_rules_on_it() {
    if is_installed("nginx") {
        let arguments = [
            "routes",
            "prop",
            "nginx",
            "--config",
            "own/corrected.conf",
            "--cases",
            "500",
            "--seed",
            "1",
        ];
        let told = Invocation::new(&arguments).told();
        assert!(told.starts_with("exit code: 0"), "{told}");
        assert!(told.contains("no disagreement between nginx"), "{told}");
    }
}

#[test]
fn a_front_that_the_candidate_is_not_for() {
    assert_told!(Invocation::new(&["run", "reference", "--front", "none"]));
    assert_told!(Invocation::new(&["run", "nginx", "--front", "tls"]));
}

/// Its template ends TLS itself, with the certificate of the stage.
#[test]
fn a_member_of_the_gallery_without_a_tunnel() {
    if !is_installed("haproxy") {
        return;
    }
    for front in ["none", "tls"] {
        let told = Invocation::new(&["run", "haproxy", "--front", front]).told();
        assert!(told.starts_with("exit code: 0\n"), "{told}");
    }
}

/// What TLS itself shows of a version: NGINX 1.22 keeps the head of an HTTP/2 answer over TLS until its body begins.
#[test]
fn the_whole_suite_on_one_that_ends_tls() {
    if !is_installed("nginx") {
        return;
    }
    let told = run("own/ends_tls.conf", &["--front", "none", "-f", "*@h1"]).told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
}

/// Both protocols share a listener behind TLS, and every target gets there.
#[test]
fn routes_of_one_that_ends_tls_are_compared() {
    if !is_installed("nginx") {
        return;
    }
    let told = Invocation::new(&["routes", "prop", "nginx", "--cases", "100", "--seed", "1"])
        .argument("--config")
        .argument("own/ends_tls.conf")
        .argument("--front")
        .argument("none")
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(!told.contains(" 0 requests compared"), "{told}");
}
