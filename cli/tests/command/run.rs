//! `run` to its end.

use proxyproof_harness::{Verdict, report::read_json};

use crate::invocation::{Invocation, assert_told};

const ONE: &str = "identity/forged_forwarded_for";

#[test]
fn the_embedded_candidate() {
    assert_told!(Invocation::new(&["run", "-f", ONE]));
}

#[test]
fn several_rounds() {
    assert_told!(Invocation::new(&["run", "-q", "-f", ONE, "--repeat", "3"]));
}

#[test]
fn findings() {
    assert_told!(Invocation::new(&["run", "candidates/forgetful", "-f", ONE]));
}

#[test]
fn findings_of_one_protocol_in_colour() {
    let filter = format!("{ONE}@h2");
    assert_told!(Invocation::new(&[
        "run",
        "candidates/forgetful",
        "-f",
        &filter,
        "--color",
        "always"
    ]));
}

#[test]
fn a_line_for_each_verdict() {
    assert_told!(Invocation::new(&["run", "-v", "-f", ONE]));
}

#[test]
fn a_known_gap_that_passes() {
    assert_told!(Invocation::new(&["run", "candidates/cautious", "-f", ONE]));
}

#[test]
fn reports_are_written() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (json, junit) = (
        folder.path().join("run.json"),
        folder.path().join("run.xml"),
    );
    std::fs::write(&json, "x".repeat(1 << 20)).expect("writable");
    let told = Invocation::new(&["run", "-q", "candidates/forgetful", "-f", ONE, "--json"])
        .argument(&json)
        .argument("--junit")
        .argument(&junit)
        .told();
    assert!(told.starts_with("exit code: 1\n"), "{told}");
    let result =
        read_json(&std::fs::read_to_string(json).expect("it was written")).expect("it is a result");
    let verdicts: Vec<Verdict> = result
        .scenarios
        .iter()
        .map(|outcome| outcome.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Fail; 4]);
    let finding = &result.scenarios[0].findings[0];
    let hint = finding.hint.as_ref().expect("the manifest has one");
    assert_eq!(hint.address(), "candidates/forgetful/forgetful.toml:4");
    assert!(
        std::fs::read_to_string(junit)
            .expect("it was written")
            .contains("failures=\"4\"")
    );
}
