//! `bench` and `bench compare`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::invocation::{Invocation, assert_told, text_of, until};
use crate::load::{self, report_of};

#[test]
fn an_unknown_candidate() {
    assert_told!(Invocation::new(&["bench", "ngnix"]));
}

#[test]
fn a_profile_that_is_not_there() {
    assert_told!(Invocation::new(&["bench", "--profile", "no-such.toml"]));
}

#[test]
fn a_profile_with_a_misspelt_word() {
    assert_told!(Invocation::new(&[
        "bench",
        "--profile",
        "./misspelt-profile.toml"
    ]));
}

#[test]
fn an_impossible_rate() {
    assert_told!(Invocation::new(&[
        "bench",
        "--profile",
        "./impossible-profile.toml"
    ]));
}

#[test]
fn a_baseline_of_another_schema() {
    assert_told!(Invocation::new(&[
        "bench",
        "compare",
        "./contradictory.toml",
        "./contradictory.toml"
    ]));
}

/// A real run, whatever it is worth on the machine of the test, and what `compare` says of it made worse.
#[test]
fn what_is_slower_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name);
    let profile = "name = \"short\"\nabout = \"A test's\"\nrounds = 3\nround_ms = 60\nwarmup_ms = 20\nfresh_every = 2\n\
                   [[measure]]\nname = \"two\"\nconnections = 2\n[[measure]]\nname = \"stream\"\nconnections = 2\nask = \"events\"\n";
    std::fs::write(path("short.toml"), profile).expect("a file can be written");
    let (child, _folder) =
        Invocation::new(&["bench", "reference", "--placement", "free", "--profile"])
            .argument(path("short.toml"))
            .argument("--json")
            .argument(path("old.json"))
            .started();
    let output = child.wait_with_output().expect("it ends");
    let code = output.status.code();
    // 3 is a void run: the machine was busy.
    assert!(code == Some(0) || code == Some(3), "{}", text_of(&output));
    let text = std::fs::read_to_string(path("old.json")).expect("the report is written");
    let mut old: Value = serde_json::from_str(&text).expect("the report is JSON");
    assert_eq!(old["schema"], "proxyproof-bench/1");
    let measures = old["contenders"][1]["measures"]
        .as_array()
        .expect("measures");
    for measure in measures {
        assert_eq!(measure["errors"]["wrong"], 0, "{measure}");
        assert_eq!(measure["errors"]["broken"], 0, "{measure}");
        assert!(measure["latency"]["count"].as_u64() > Some(0), "{measure}");
    }
    assert!(old["contenders"][1]["measures"][1]["event_delay"].is_object());
    old["verdict"] = json!("valid");
    let mut new = old.clone();
    for round in new["contenders"][1]["measures"][0]["rounds"]
        .as_array_mut()
        .expect("rounds")
    {
        let p50 = round["p50"].as_u64().expect("nanoseconds");
        round["p50"] = json!(p50 * 1000);
    }
    std::fs::write(path("old.json"), old.to_string()).expect("a file can be written");
    std::fs::write(path("new.json"), new.to_string()).expect("a file can be written");
    let compared = |old: &str, new: &str| {
        let compare = Invocation::new(&["bench", "compare"])
            .argument(path(old))
            .argument(path(new));
        let (child, _folder) = compare.started();
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), text_of(&output))
    };
    let (code, told) = compared("old.json", "new.json");
    assert_eq!(code, Some(6), "{told}");
    assert!(
        told.contains("slower by more than 5 %: reference, two, p50"),
        "{told}"
    );
    let (code, told) = compared("old.json", "old.json");
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn an_objective_that_is_none() {
    assert_told!(Invocation::new(&["bench", "--slo", "p99 5ms at 500/s"]));
}

#[test]
fn a_beginning_that_is_over() {
    assert_told!(Invocation::new(&[
        "bench",
        "--start-at",
        "2020-01-01T00:00:00Z"
    ]));
}

#[test]
fn a_profile_of_no_such_name() {
    assert_told!(Invocation::new(&["bench", "--profile", "quik"]));
}

#[test]
fn what_is_no_log_is_not_added() {
    assert_told!(Invocation::new(&["bench", "merge", "./contradictory.toml"]));
}

/// An objective that anything keeps, and one that nothing does; every output is there, and logs add up.
#[test]
fn an_objective_is_kept_or_not_and_every_file_is_written() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name);
    let files = [
        ("--json", "b.json"),
        ("--csv", "b.csv"),
        ("--hlog", "b.hlog"),
        ("--html", "b.html"),
    ];
    let asked = |objective: &str| {
        let mut bench =
            Invocation::new(&["bench", "--rounds", "2", "--placement", "free", "--slo"])
                .argument(objective);
        for (option, name) in files {
            bench = bench.argument(option).argument(path(name));
        }
        bench.told()
    };
    let kept = asked("p50 < 60s at 200/s");
    // On a machine that is busy with something else the run is void, which is an answer too.
    let void = |told: &str| told.starts_with("exit code: 3\n");
    assert!(
        void(&kept) || kept.contains("  reference  kept, "),
        "{kept}"
    );
    let text = |name: &str| std::fs::read_to_string(path(name)).expect("it was written");
    assert!(text("b.csv").starts_with("contender,version,measure,round,"));
    assert!(text("b.html").starts_with("<!doctype html>"));
    let merged = Invocation::new(&["bench", "merge"])
        .argument(path("b.hlog"))
        .argument(path("b.hlog"))
        .argument("--out")
        .argument(path("all.hlog"))
        .told();
    assert!(
        merged.contains("reference/200_requests_a_second"),
        "{merged}"
    );
    assert!(text("all.hlog").contains("2 logs added together"));
    let broken = asked("p50 < 1us at 200/s");
    assert!(
        void(&broken) || broken.starts_with("exit code: 6\n"),
        "{broken}"
    );
}

#[test]
fn a_sweep_of_nothing_known() {
    assert_told!(Invocation::new(&["bench", "--sweep", "color"]));
}

/// Every kind of load on the embedded proxy: nothing is wrong, and everything was asked.
#[test]
fn every_kind_of_load_is_answered() {
    load::every_kind_is_answered_by("reference");
}

/// A profile of one round with this load.
fn one_measure(measure: &str) -> String {
    format!(
        "name = \"one\"\nabout = \"A test's\"\nplacement = \"free\"\nrounds = 1\nround_ms = 200\nwarmup_ms = 20\nfresh_every = 1\n\
         [[measure]]\nname = \"one\"\n{measure}\n"
    )
}

/// The report on the embedded proxy and a copy of it with a defect.
fn beside_a_defect(defect: &str, measure: &str, folder: &Path) -> Value {
    let path = |name: &str| folder.join(name);
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../candidates/reference");
    let with = format!("defects = ['{defect}', ");
    for (name, text, with) in [
        (
            "candidate.toml",
            "name = \"reference\"",
            "name = \"broken\"",
        ),
        ("reference.toml.j2", "defects = [", &with),
    ] {
        let file = std::fs::read_to_string(gallery.join(name)).expect("it is in the gallery");
        assert!(file.contains(text), "{file}");
        std::fs::write(path(name), file.replacen(text, with, 1)).expect("a file can be written");
    }
    let bench = Invocation::new(&["bench", "reference"]).argument(folder);
    report_of(bench, &one_measure(measure), &path("one.json"))
}

#[test]
fn uploads_that_are_kept_back_are_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let upload = "ask = \"upload\"\nconnections = 1\nbody = 100000";
    let report = beside_a_defect("buffer_request", upload, folder.path());
    let passed_on = |who: usize| report["contenders"][who]["measures"][0]["passed_on"].clone();
    assert_eq!(
        [passed_on(0), passed_on(1), passed_on(2)],
        [Value::Null, json!(true), json!(false)],
        "{report}"
    );
}

/// Latency alone would hide it.
#[test]
fn a_connection_for_each_request_is_told_on_either_side() {
    for (defect, side) in [
        ("close_every_connection", "client_connections"),
        ("connection_per_request", "upstream_connections"),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let report = beside_a_defect(defect, "connections = 2", folder.path());
        let of = |who: usize| report["contenders"][who]["measures"][0]["rounds"][0][side].as_f64();
        assert!(of(1) < Some(100.0) && of(2) > Some(900.0), "{report}");
    }
}

/// Streams that a proxy keeps until they are whole come in one lump.
#[test]
fn a_stream_in_one_lump_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let report = beside_a_defect(
        "buffer_response",
        "ask = \"events\"\nconnections = 1\nevent_interval_us = 5000",
        folder.path(),
    );
    let of = |who: usize| &report["contenders"][who]["measures"][0];
    let share = |who: usize| {
        let count = |figure: &Value| figure.as_f64().expect("a count");
        count(&of(who)["together"]) / count(&of(who)["event_delay"]["count"])
    };
    assert!(share(1) < 0.5 && share(2) > 0.9, "{report}");
}

/// A client that would ask for ten minutes ends with whoever gave it its orders.
#[test]
fn a_killed_benchmark_leaves_no_client() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("long.toml");
    let profile = one_measure("connections = 1").replace("round_ms = 200", "round_ms = 600000");
    std::fs::write(&file, profile).expect("a file can be written");
    let (mut child, _folder) = Invocation::new(&["bench", "reference", "--profile"])
        .argument(file)
        .started();
    let mut client = None;
    until("it has a client", || {
        client = client_of(child.id());
        client.is_some()
    });
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
    let client = client.expect("it was found");
    until("its client is gone", || !is_client(client));
}

/// The client among the children of a process.
fn client_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").expect("it is there");
    let numbers = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = format!("PPid:\t{parent}\n");
    let is_child = |process: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"));
        status.is_ok_and(|status| status.contains(&parent))
    };
    numbers.filter(is_child).find(|process| is_client(*process))
}

fn is_client(process: u32) -> bool {
    let command = std::fs::read_to_string(format!("/proc/{process}/cmdline"));
    command.is_ok_and(|command| command.contains("__client"))
}

/// Neighbours on every core.
#[test]
fn a_busy_neighbour_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let spins = Arc::new(AtomicBool::new(true));
    let neighbours: Vec<_> = (0..4)
        .map(|_| {
            let spins = Arc::clone(&spins);
            std::thread::spawn(move || while spins.load(Ordering::Relaxed) {})
        })
        .collect();
    let report = report_of(
        Invocation::new(&["bench", "reference"]),
        &one_measure("connections = 1"),
        &folder.path().join("busy.json"),
    );
    spins.store(false, Ordering::Relaxed);
    for neighbour in neighbours {
        neighbour.join().expect("it only spins");
    }
    assert_ne!(report["verdict"], "valid");
    let reasons = report["reasons"].as_array().expect("a list");
    let told = |reason: &Value| {
        reason
            .as_str()
            .is_some_and(|text| text.contains("other programs"))
    };
    assert!(reasons.iter().any(told), "{reasons:?}");
}

/// A mock that has to read what the proxy only passes on, with a core for the proxy alone.
#[test]
#[ignore = "needs NGINX, and a machine that does nothing else: CI runs it by itself"]
fn a_saturated_mock_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let profile = one_measure("connections = 4\nask = \"upload\"\nbody = 1048576")
        .replace("\"free\"", "\"split\"")
        .replace("round_ms = 200", "round_ms = 1000");
    let bench = Invocation::new(&["bench", "reference", "nginx-corrected"]);
    let report = report_of(bench, &profile, &folder.path().join("saturated.json"));
    assert_ne!(report["verdict"], "valid");
    let reasons = report["reasons"].as_array().expect("a list");
    // Where something else took the core, the mock could not fill it.
    let told = ["filled their core", "other programs", "elsewhere"];
    let told = |reason: &Value| told.iter().any(|words| reason.to_string().contains(words));
    assert!(reasons.iter().any(told), "{reasons:?}");
}

/// `PROXYPROOF_COMMAND=target/release/proxyproof cargo test -p proxyproof --test command -- --ignored --test-threads 1`
#[test]
#[ignore = "needs NGINX; two minutes, and slower than a million in a debug build: CI runs it with a release build"]
fn a_million_requests_without_an_error() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let profile = "name = \"million\"\nabout = \"A test's\"\nplacement = \"free\"\nrounds = 3\nround_ms = 12000\nwarmup_ms = 100\n\
                   fresh_every = 3\n[[measure]]\nname = \"32 connections\"\nconnections = 32\n";
    // Whatever the run is worth on a busy machine: what counts is that every answer was right.
    let bench = Invocation::new(&["bench", "reference", "nginx-corrected"]);
    let report = report_of(bench, profile, &folder.path().join("million.json"));
    let contenders = report["contenders"].as_array().expect("a list");
    let counts = contenders
        .iter()
        .filter_map(|contender| contender["measures"][0]["latency"]["count"].as_u64());
    assert!(counts.sum::<u64>() >= 1_000_000, "{report}");
    for contender in contenders {
        let measure = &contender["measures"][0];
        let errors = measure["errors"].as_object().expect("by kind");
        assert!(errors.values().all(|count| *count == 0), "{contender}");
    }
}
