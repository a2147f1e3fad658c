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
    an_included_upstream_that_is_not_the_deployments: "own/tree/foreign.conf";
    one_that_ends_tls_behind_a_tunnel: "own/ends_tls.conf";
    one_that_wants_a_header_without_a_tunnel: "own/corrected.conf" "--front" "none";
    one_that_ends_tls_behind_a_front_that_does: "own/ends_tls.conf" "--front" "tls";
    a_listener_of_no_protocol: "own/corrected.conf" "--listen" "h9=127.0.0.1:1";
    an_address_without_a_name: "own/corrected.conf" "--upstream" "127.0.0.1:1";
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
fn a_front_that_the_candidate_is_not_for() {
    assert_told!(Invocation::new(&["run", "apache", "--front", "none"]));
    assert_told!(Invocation::new(&["run", "nginx", "--front", "tls"]));
}

/// Its template ends TLS itself, with the certificate of the stage.
#[test]
fn the_embedded_candidate_without_a_tunnel() {
    for front in ["none", "tls"] {
        let told = Invocation::new(&["run", "reference", "--front", front]).told();
        assert!(told.starts_with("exit code: 0\n"), "{told}");
    }
}
