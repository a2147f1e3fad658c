//! Sites as people have them, in `sites/`: what is concluded from the file alone, which claims fail with which code, and
//! where what is to be changed.

use std::fmt::Write as _;

use serde_json::Value;

use crate::invocation::Invocation;

macro_rules! sites {
    ($($name:ident: $file:literal $($filter:literal)*;)+) => {
        $(
            pub(crate) fn $name() {
                let filters: &[&str] = &[$($filter),*];
                insta::assert_snapshot!(run(concat!("sites/", $file), filters));
            }
        )+
    };
}

// Whole trees and files, fragments, and what is no file of a server.
sites! {
    litellm_on_several_servers: "litellm-tree/nginx.conf" "upstream" "streaming@h2" "host/public_name";
    cpa_beside_a_stream_block: "stream-beside/nginx.conf" "identity" "websocket/upgrade";
    the_output_of_nginx: "dump/nginx-T.txt" "routes" "host";
    a_template_of_the_image: "image-template/default.conf.template" "streaming/head_before_first_event" "host";
    a_name_of_compose: "compose-dns/default.conf" "host" "streaming/head_before_first_event";
    a_name_without_a_port: "name-alone/site.conf" "streaming/head_before_first_event" "upload" "upstream/http_1_1";
    a_chat_page: "open-webui/sites-available/chat" "websocket" "upload";
    a_relay_behind_others: "behind-cdn/relay.conf" "identity" "websocket";
}

// Parts of a site, and several sites.
sites! {
    an_api_below_a_path: "below-llm/site.conf" "routes" "upload";
    pages_and_an_api: "spa-and-api/app.conf" "routes" "upstream/down_is_502";
    upstreams_of_a_map: "map-chosen/models.conf" "routes";
    a_pool_and_a_server_for_others: "vllm-pool/vllm.conf" "host" "upstream";
    a_provider_over_tls: "cloud-api/api.conf" "headers/credentials_intact" "host" "routes";
    two_gateways_in_one_file: "two-gateways/sites.conf" "host" "upload" "websocket/upgrade";
    a_port_for_each_program: "by-port/homelab.conf" "upload" "websocket/upgrade";
    one_of_several_sites: "several-sites/sites.conf" "host" "routes";
    a_location_in_another: "nested-auth/litellm.conf" "host" "websocket";
}

// What the copy does without.
sites! {
    a_gate_in_front: "auth-request/site.conf" "headers" "upload/limit_accepted";
    keys_that_nginx_asks_for: "key-gate/gate.conf" "headers" "upload/limit_accepted";
    an_office_alone: "office-only/cpa.conf" "identity" "websocket" "streaming/head_before_first_event";
    directives_that_this_nginx_lacks: "modules-not-there/site.conf" "headers" "streaming";
    a_module_that_is_not_there: "geoip2/nginx.conf" "streaming";
    zones_and_parameters_of_other_files: "foreign-zones/api.conf" "identity" "headers";
    destinations_in_parts: "variables/site.conf" "routes" "host/public_name";
    pages_in_php: "php-beside/site.conf" "routes" "host/public_name";
    filters_and_a_cache: "filters/gateway.conf" "headers" "host/public_name";
}

// Faults that NGINX has nothing against.
sites! {
    preflights_answered_by_the_proxy: "ollama-cors/ollama.conf" "routes" "headers";
    nothing_but_a_destination: "ollama-defaults/ollama.conf" "streaming" "host";
    fields_dropped_by_a_location: "dropped-headers/nginx.conf" "identity" "host";
}

// Refused, and why.
sites! {
    http2_of_a_later_release: "http2-on/site.conf";
    a_map_that_was_forgotten: "map-forgotten/nginx.conf";
}

pub(crate) fn the_whole_suite_on_what_is_right() {
    insta::assert_snapshot!(run("sites/right/nginx.conf", &[]));
}

/// The conclusions, and a line for each claim that does not hold; the refusal where nothing runs.
fn run(file: &str, filters: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let report = folder.path().join("report.json");
    let mut invocation = Invocation::new(&["run", "nginx", "--config", file]);
    if !filters.is_empty() {
        for filter in ["site"].iter().chain(filters) {
            invocation = invocation.argument("-f").argument(filter);
        }
    }
    // The template's variables.
    let invocation = invocation
        .environment("NGINX_PORT", "80")
        .environment("SERVER_NAME", "vllm.example.org")
        .environment("BACKEND", "vllm:8000")
        .argument("--json")
        .argument(&report);
    let told = invocation.told();
    // It is there before anything runs.
    match std::fs::read(&report).unwrap_or_default().as_slice() {
        [] => told,
        report => {
            let report: Value = serde_json::from_slice(report).expect("a report");
            match report["sites"].as_array() {
                Some(sites) => sites.iter().map(shown).collect::<Vec<_>>().join("\n"),
                None => shown(&report),
            }
        }
    }
}

fn shown(report: &Value) -> String {
    let mut text = String::new();
    for conclusion in report["site"].as_array().expect("a list") {
        writeln!(text, "{}", word(conclusion)).expect("a text takes everything");
    }
    text.push('\n');
    for scenario in report["scenarios"].as_array().expect("a list") {
        let verdict = word(&scenario["verdict"]);
        if ["pass", "skipped"].contains(&verdict) {
            continue;
        }
        let codes = scenario["findings"].as_array().expect("a list");
        let mut codes: Vec<&str> = codes.iter().map(|finding| word(&finding["code"])).collect();
        codes.dedup();
        let (id, protocol) = (word(&scenario["id"]), word(&scenario["protocol"]));
        writeln!(text, "{verdict} {id}@{protocol}: {}", codes.join(", "))
            .expect("a text takes everything");
        if verdict == "fail" {
            writeln!(text, "    {}", cause(&scenario["findings"][0]["hint"]))
                .expect("a text takes everything");
        }
    }
    text
}

/// Where something is to be changed, and into what.
fn cause(hint: &Value) -> String {
    if hint.is_null() {
        return "no cause known".to_owned();
    }
    let within = if hint["within"] == true { " in it" } else { "" };
    let line = &hint["place"]["line"];
    format!(
        "{}:{line}{within}: {}",
        word(&hint["file"]),
        word(&hint["change"])
    )
}

fn word(value: &Value) -> &str {
    value.as_str().expect("a text")
}
