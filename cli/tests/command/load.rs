//! Benchmarks with a profile of the test's, and one with every kind of load.

use std::path::Path;

use serde_json::{Value, json};

use crate::invocation::Invocation;

/// The report by this profile, which lies beside it.
pub(crate) fn report_of(bench: Invocation, profile: &str, json: &Path) -> Value {
    let toml = json.with_extension("toml");
    std::fs::write(&toml, profile).expect("a file can be written");
    let told = bench
        .argument("--profile")
        .argument(toml)
        .argument("--json")
        .argument(json)
        .told();
    let text = std::fs::read_to_string(json).unwrap_or_else(|_| panic!("{told}"));
    serde_json::from_str(&text).expect("the report is JSON")
}

/// Nothing is wrong, and everything was asked.
pub(crate) fn every_kind_is_answered_by(candidate: &str) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name);
    let measures = [
        "protocol = \"h2\"\nconnections = 1",
        "protocol = \"h2\"\nconnections = 2\nstreams = 4\nthrough = \"front\"",
        "ask = \"upload\"\nconnections = 2\nbody = 100000",
        "ask = \"events\"\nconnections = 2\nevent_interval_us = 2000",
        "ask = \"idle_streams\"\nconnections = 20",
        "ask = \"events\"\nprotocol = \"h2\"\nthrough = \"front\"\nconnections = 2\nstreams = 3",
        "ask = \"idle_streams\"\nprotocol = \"h2\"\nconnections = 2\nstreams = 10",
        "ask = \"idle_sockets\"\nconnections = 20",
        "routes = 25\nconnections = 2",
    ];
    let mut profile = "name = \"kinds\"\nabout = \"A test's\"\nplacement = \"free\"\nrounds = 1\nround_ms = 200\nwarmup_ms = 20\n\
                       fresh_every = 1\n"
        .to_owned();
    for (number, measure) in measures.iter().enumerate() {
        profile.push_str(&format!("[[measure]]\nname = \"{number}\"\n{measure}\n"));
    }
    let bench = Invocation::new(&["bench", candidate]);
    let mut report = report_of(bench, &profile, &path("kinds.json"));
    for contender in report["contenders"].as_array().expect("a list") {
        for (number, _) in measures.iter().enumerate() {
            let measure = &contender["measures"][number];
            let errors = measure["errors"].as_object().expect("by kind");
            let none = errors.values().all(|count| *count == 0);
            let completed = measure["rounds"][0]["completed"].as_u64();
            assert!(none && completed > Some(0), "{contender}");
        }
    }
    // What was held is compared by its memory, not by latencies that nobody measured.
    report["verdict"] = json!("valid");
    std::fs::write(path("kinds.json"), report.to_string()).expect("a file can be written");
    let compare = Invocation::new(&["bench", "compare"])
        .argument(path("kinds.json"))
        .argument(path("kinds.json"))
        .told();
    assert!(compare.starts_with("exit code: 0\n"), "{compare}");
    // Streams that are held cost memory, of a proxy.
    let held = &report["contenders"][1]["measures"][4]["rounds"][0];
    assert_eq!(held["completed"], 20);
    let over_http2 = &report["contenders"][1]["measures"][6]["rounds"][0];
    assert_eq!(over_http2["completed"], 20);
    // The delays of events are known on every way, and the time to the first.
    for number in [3, 5] {
        let measure = &report["contenders"][1]["measures"][number];
        for figure in ["event_delay", "first_event"] {
            assert!(measure[figure]["count"].as_u64() > Some(0), "{measure}");
        }
        assert!(
            measure["timeline"]
                .as_array()
                .is_some_and(|events| events.len() > 1),
            "{measure}"
        );
    }
}
