//! A pass has to be earned: what proxies that are wrong altogether are let through with.
//!
//! Those that pass nothing on get one finding, that of the control, and no pass. For those that pass on, wrongly,
//! `<name>.txt` lists the scenarios that they pass: whoever adds a claim sees whom it lets through. `PROXYPROOF_ACCEPT=1`
//! writes what was seen.

#[path = "../asked/mod.rs"]
mod asked;
mod proxy;

use std::path::Path;
use std::time::{Duration, Instant};

use proxyproof_harness::{
    Candidate, Deployment, Verdict,
    suite::{Outcome, SuiteResult},
};

use self::proxy::{Passing, Refusing};

#[test]
fn bad_gateway_to_all() {
    passes_nothing(Refusing::Answers("502 Bad Gateway"));
}

#[test]
fn ok_to_all() {
    passes_nothing(Refusing::Answers("200 OK"));
}

#[test]
fn upgrade_required_to_all() {
    passes_nothing(Refusing::Answers("426 Upgrade Required"));
}

#[test]
fn black_hole() {
    passes_nothing(Refusing::Silent);
}

#[test]
fn closes_at_once() {
    passes_nothing(Refusing::Closes);
}

#[test]
fn echoes_the_request() {
    passes_nothing(Refusing::Echoes);
}

#[test]
fn first_upstream_gets_everything() {
    lets_through("first-upstream", Passing::Everything, &[]);
}

#[test]
fn one_byte_of_each_body_changed() {
    lets_through("changed-byte", Passing::ChangedByte, &[]);
}

#[test]
fn late_by_300_ms() {
    let late = Passing::Late(Duration::from_millis(300));
    // Scenarios of many requests would take minutes, and are about something else.
    let one_by_one = "streaming/one_event_at_a_time";
    lets_through("late", late, &[one_by_one, "websocket", "abort"]);
}

#[test]
fn bad_gateway_from_some_time_on() {
    let kind = Passing::UntilConnection(100);
    let candidate = Candidate::in_process("passing", move |listeners, upstreams| {
        proxy::pass(listeners, upstreams.address("cpa"), kind)
    });
    // Whatever is asked on a stage of its own is asked of one that passes everything again.
    let topics = ["routes", "host", "identity", "headers"].map(str::to_owned);
    let result =
        asked::ask_of(&candidate, &Deployment::cpa_two_hosts(), &topics).expect("it can be asked");
    let failed = |outcome: &&Outcome| outcome.verdict == Verdict::Fail;
    let (controls, others): (Vec<&Outcome>, Vec<&Outcome>) = (result.scenarios.iter())
        .filter(failed)
        .partition(|outcome| outcome.id == "site/answers");
    assert!(!controls.is_empty());
    for finding in controls.iter().flat_map(|outcome| &outcome.findings) {
        assert_eq!(finding.code, "site.stopped_answering");
    }
    // What failed before it stopped, failed for what arrived.
    for finding in others.iter().flat_map(|outcome| &outcome.findings) {
        assert!(!finding.arrived.is_empty(), "{finding:?}");
    }
    let mut reasons = result
        .scenarios
        .iter()
        .filter_map(|one| one.reason.as_deref());
    assert!(reasons.any(|reason| reason == "its control failed: site/answers"));
}

fn passes_nothing(kind: Refusing) {
    let candidate = Candidate::in_process("refusing", move |listeners, _| {
        proxy::refuse(listeners, kind)
    });
    let started = Instant::now();
    let result =
        asked::ask_of(&candidate, &Deployment::cpa_two_hosts(), &[]).expect("it can be asked");
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
    assert_eq!(with(&result, Verdict::Pass), [""; 0], "{kind:?}");
    assert_eq!(with(&result, Verdict::Broken), [""; 0], "{kind:?}");
    // On each way in that such a candidate has: its listener, and through the front.
    assert_eq!(
        with(&result, Verdict::Fail),
        ["site/answers@h1", "site/answers@chain-h1"]
    );
}

fn lets_through(name: &str, kind: Passing, topics: &[&str]) {
    let candidate = Candidate::in_process("passing", move |listeners, upstreams| {
        proxy::pass(listeners, upstreams.address("cpa"), kind)
    });
    let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let result =
        asked::ask_of(&candidate, &Deployment::cpa_two_hosts(), &topics).expect("it can be asked");
    let seen: String = with(&result, Verdict::Pass)
        .iter()
        .map(|passed| format!("{passed}\n"))
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_proxies");
    let file = file.join(format!("{name}.txt"));
    if std::env::var_os("PROXYPROOF_ACCEPT").is_some() {
        std::fs::write(&file, &seen).expect("the folder is in the repository");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(seen, expected, "{name} passes other scenarios than written");
}

fn with(result: &SuiteResult, verdict: Verdict) -> Vec<String> {
    let outcomes = result.scenarios.iter();
    let wanted = outcomes.filter(|outcome| outcome.verdict == verdict);
    let name = |outcome: &Outcome| format!("{}@{}", outcome.id, outcome.protocol);
    wanted.map(name).collect()
}

/// For a whole run on one that passes nothing on, whatever keeps it from that.
const LONGEST: Duration = Duration::from_secs(15);
