//! The JUnit report: one suite a topic, one case for each scenario and protocol.

use std::io;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::terminal::finding_text;
use crate::{
    suite::{Outcome, SuiteResult},
    verdict::Verdict,
};

/// Writes results as JUnit XML, of several sites each topic with its host before it: `fail` is a failure, `broken` an error, `known` and `skipped` are skipped with their reasons.
///
/// # Errors
/// When `target` can't be written.
pub fn write_junit(results: &[SuiteResult], mut target: impl io::Write) -> io::Result<()> {
    let text = report(results).to_string().map_err(io::Error::other)?;
    target.write_all(text.as_bytes())?;
    target.flush()
}

fn report(results: &[SuiteResult]) -> Report {
    let name = results
        .first()
        .map_or("", |result| result.candidate.name.as_str());
    let mut report = Report::new(format!("proxyproof {name}"));
    let milliseconds = results.iter().map(|result| result.duration_ms).sum();
    report.set_time(std::time::Duration::from_millis(milliseconds));
    for result in results {
        let mut topics: Vec<&str> = Vec::new();
        for outcome in &result.scenarios {
            if !topics.contains(&outcome.topic()) {
                topics.push(outcome.topic());
            }
        }
        report.add_test_suites(topics.into_iter().map(|topic| {
            let name = match results {
                [_] => topic.to_owned(),
                _ => format!("{} {topic}", result.deployment),
            };
            suite(result, topic, name)
        }));
    }
    report
}

fn suite(result: &SuiteResult, topic: &str, name: String) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let candidate = &result.candidate;
    for (name, value) in [
        ("candidate", candidate.name.as_str()),
        ("version", candidate.version.as_str()),
        ("launch", candidate.launch.as_str()),
        ("deployment", result.deployment.as_str()),
    ] {
        suite.add_property(Property::new(name, value));
    }
    suite.add_test_cases(
        result
            .scenarios
            .iter()
            .filter(|outcome| outcome.topic() == topic)
            .map(case),
    );
    suite
}

fn case(outcome: &Outcome) -> TestCase {
    let mut case = TestCase::new(
        format!("{}@{}", outcome.id, outcome.protocol),
        status(outcome),
    );
    case.set_classname(format!("proxyproof.{}", outcome.topic()));
    case.set_time(outcome.duration());
    case
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let reason = outcome.reason.as_deref().unwrap_or_default();
    match outcome.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Skipped | Verdict::Known => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{}: {reason}", outcome.verdict));
            status
        }
        Verdict::Broken => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("broken").set_message(reason);
            status
        }
        Verdict::Fail => failure(outcome),
    }
}

fn failure(outcome: &Outcome) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    if let Some(first) = outcome.findings.first() {
        status
            .set_type(first.code.as_str())
            .set_message(first.message.as_str());
    }
    let texts: Vec<String> = outcome.findings.iter().map(finding_text).collect();
    status.set_description(texts.join("\n"));
    status
}
