//! `run --config`: a configuration of one's own.

use crate::invocation::{Invocation, assert_told};

/// With a deployment that is named, which the file has to fit.
fn run(file: &str, more: &[&str]) -> Invocation {
    let named = ["run", "nginx", "--deployment", "cpa-two-hosts", "--config"];
    let mut invocation = Invocation::new(&named).argument(file);
    for argument in more {
        invocation = invocation.argument(argument);
    }
    invocation
}

/// What the proxy itself says needs the proxy.
macro_rules! with_nginx {
    ($($name:ident: $file:literal $($more:literal)*;)+) => {
        $(
            pub(crate) fn $name() {
                assert_told!(run($file, &[$($more),*]));
            }
        )+
    };
}

with_nginx! {
    the_published_one_does_not_load: "own/published.conf";
    the_published_one_with_maps: "own/published.conf" "--assume-maps" "-f" "identity/forged_forwarded_for@h1";
    as_pasted_from_the_web: "own/pasted.conf" "--assume-maps" "-f" "upstream/connections_reused@h1";
    the_corrected_one: "own/corrected.conf" "-f" "identity";
    a_whole_tree: "own/tree/nginx.conf" "-f" "identity" "-f" "streaming/close_delimited@h1";
    an_include_that_listens: "own/included_server.conf" "-f" "upstream/connections_reused@h1";
    one_that_ends_tls: "own/ends_tls.conf" "--front" "none" "-f" "identity" "-f" "front" "-f" "streaming/one_event_at_a_time@h1";
    one_behind_a_server_that_ends_tls: "own/behind_tls.conf" "--front" "tls" "-f" "identity" "-f" "front" "-f" "streaming/one_event_at_a_time";
    other_sites_of_the_same_server: "own/other_sites/nginx.conf" "-f" "routes/exact_is_exact@h1" "-f" "upstream/connections_reused@h1";
    destinations_in_variables_and_a_rate_limit: "own/variables.conf" "-f" "routes/table" "-f" "routes/longest_prefix_wins";
    a_directive_without_its_end: "own/broken.conf";
    a_directive_that_nginx_does_not_know: "own/unknown_directive.conf";
}

/// Sockets and IPv6, as configurations have them; the copy listens and connects on the stage.
pub(crate) fn other_kinds_of_addresses() {
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

pub(crate) fn secrets_reach_no_report() {
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

pub(crate) fn another_proxys_own() {
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

pub(crate) fn the_real_proxy_agrees_with_the_rules_on_it() {
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

/// Its template ends TLS itself, with the certificate of the stage.
pub(crate) fn a_member_of_the_gallery_without_a_tunnel() {
    for front in ["none", "tls"] {
        let told = Invocation::new(&["run", "haproxy", "--front", front]).told();
        assert!(told.starts_with("exit code: 0\n"), "{told}");
    }
}

/// What TLS itself shows of a version: NGINX 1.22 keeps the head of an HTTP/2 answer over TLS until its body begins.
pub(crate) fn the_whole_suite_on_one_that_ends_tls() {
    let told = run("own/ends_tls.conf", &["--front", "none", "-f", "*@h1"]).told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
}

/// Both protocols share a listener behind TLS, and every target gets there.
pub(crate) fn routes_of_one_that_ends_tls_are_compared() {
    let told = Invocation::new(&["routes", "prop", "nginx", "--cases", "100", "--seed", "1"])
        .argument("--config")
        .argument("own/ends_tls.conf")
        .argument("--front")
        .argument("none")
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(!told.contains(" 0 requests compared"), "{told}");
}
