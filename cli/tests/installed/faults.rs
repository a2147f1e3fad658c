//! Configurations about which something false was said once, and what is said now: `faults/` holds them, smallest first.

use crate::invocation::{Invocation, assert_told};

macro_rules! said {
    ($($name:ident: $folder:literal $candidate:literal $file:literal $($more:literal)*;)+) => {
        $(
            pub(crate) fn $name() {
                let file = concat!("faults/", $folder, "/", $file);
                let arguments = ["run", $candidate, "--config", file, $($more),*];
                assert_told!(Invocation::new(&arguments));
            }
        )+
    };
}

// Those that ask for one upstream say so in a deployment, or by what the file passes on to.
said! {
    one_upstream_of_a_deployment: "02-one-upstream-usage-service-demanded" "nginx" "nginx.conf"
        "--deployment" "faults/02-one-upstream-usage-service-demanded/deployment.toml";
    one_upstream_of_a_file: "02-one-upstream-usage-service-demanded" "nginx" "nginx.conf" "-f" "@h1";
    a_late_head: "06-http2-over-tls-head" "nginx" "nginx.conf" "-f" "streaming@h2";
    a_late_head_after_blanks: "06-http2-over-tls-head" "nginx" "blanks.conf" "-f" "streaming@h2";
    a_body_of_the_limit_that_is_collected_first: "08-limit-accepted-with-request-buffering" "nginx" "nginx.conf"
        "--deployment" "faults/08-limit-accepted-with-request-buffering/deployment.toml" "-f" "upload/limit_accepted";
    a_larger_limit: "09-larger-limit-is-a-fault" "nginx" "nginx.conf" "-f" "upload";
    a_handshake_in_http_1_0: "17-websocket-over-http-1.0" "nginx" "nginx.conf"
        "--deployment" "faults/17-websocket-over-http-1.0/deployment.toml" "-f" "websocket/upgrade" "-f" "websocket/http_version";
    the_usage_service_alone: "30-only-the-usage-service" "nginx" "nginx.conf" "-f" "site" "-f" "routes/table" "-f" "circle";
    an_address_that_is_replaced: "31-forwarded-for-finding-stays" "nginx" "fixed.conf" "-f" "identity/forged_forwarded_for";
}

said! {
    a_second_request_that_is_the_clients_next: "12-smuggling-without-x-real-ip" "caddy" "Caddyfile"
        "--deployment" "faults/12-smuggling-without-x-real-ip/deployment.toml" "-f" "http/length_and_chunked";
    the_same_with_a_field_more: "12-smuggling-without-x-real-ip" "caddy" "with-real-ip.Caddyfile"
        "--deployment" "faults/12-smuggling-without-x-real-ip/deployment.toml" "-f" "http/length_and_chunked";
    a_fault_of_the_users_file: "13-known-gaps-of-the-gallery" "caddy" "Caddyfile"
        "--deployment" "faults/13-known-gaps-of-the-gallery/deployment.toml" "-f" "identity/forged_real_ip" "-f" "host/unknown_refused";
    an_address_for_a_host: "14-host-ip-certificate" "caddy" "Caddyfile" "--host" "127.0.0.1"
        "--deployment" "faults/14-host-ip-certificate/deployment.toml" "-f" "routes/table";
    errors_that_take_an_upstream_out_of_service: "24-health-checks" "caddy" "passive.Caddyfile" "--host" "127.0.0.1"
        "--deployment" "faults/24-health-checks/deployment.toml" "-f" "upstream/errors_eject_nobody"
        "-f" "upstream/error_statuses_pass" "-f" "streaming/one_event_at_a_time";
}

pub(crate) fn a_check_that_caddy_makes() {
    one_finding_names_the_check("caddy", "Caddyfile", &["--host", "127.0.0.1"]);
}

pub(crate) fn a_check_that_haproxy_makes() {
    one_finding_names_the_check("haproxy", "haproxy.cfg", &[]);
}

/// Whether the first control comes before the first check or behind it, which no clock of the harness decides.
fn one_finding_names_the_check(candidate: &str, file: &str, more: &[&str]) {
    let file = format!("faults/24-health-checks/{file}");
    let deployment = "faults/24-health-checks/deployment.toml";
    let arguments = [
        "run",
        candidate,
        "--config",
        &file,
        "--deployment",
        deployment,
    ];
    let arguments = [&arguments, more, &["-f", "streaming"]].concat();
    let told = Invocation::new(&arguments).told();
    assert!(told.starts_with("exit code: 1\n"), "{told}");
    let failed: Vec<&str> = told.lines().filter(|line| line.starts_with('✗')).collect();
    assert!(
        matches!(failed[..], [one] if one.starts_with("✗ site/answers")),
        "{told}"
    );
    let check = "cpa is out of service for the proxy, whose check of /health was answered 404";
    assert!(told.contains(check), "{told}");
}
