//! Explains a scenario or a finding.

use proxyproof_harness::{
    Candidate, Code, Scenario,
    candidate::{Gallery, Hint},
};
use proxyproof_reference::Defect;

use super::list::protocols;
use crate::{
    args::ExplainArguments,
    error::{CommandError, nearest},
    exit::Exit,
    printer::Printer,
};

pub(crate) fn explain(
    arguments: &ExplainArguments,
    printer: &Printer,
) -> Result<Exit, CommandError> {
    let subject = arguments.subject.as_str();
    let gallery = Gallery::embedded().candidates()?;
    let text = match (
        proxyproof_scenarios::named(subject),
        proxyproof_scenarios::code(subject),
    ) {
        (Some(scenario), _) => of_scenario(scenario, &gallery),
        (None, Some((code, scenarios))) => of_finding(code, &scenarios, &gallery),
        (None, None) => return Err(unknown(subject)),
    };
    printer.result(&text)?;
    Ok(Exit::PASS)
}

fn unknown(subject: &str) -> CommandError {
    let all = proxyproof_scenarios::all();
    let ids = all.iter().map(|scenario| scenario.id);
    let codes = all
        .iter()
        .flat_map(|scenario| scenario.findings.iter().map(|code| code.name));
    let known: Vec<&str> = ids.chain(codes).collect();
    CommandError::UnknownSubject {
        name: subject.to_owned(),
        nearest: nearest(subject, &known),
    }
}

fn of_scenario(scenario: &Scenario, gallery: &[Candidate]) -> String {
    let mut text = format!(
        "{}  {} · {}\n\n  {}.\n\n",
        scenario.id,
        scenario.level,
        protocols(scenario.protocols),
        capital(scenario.claim)
    );
    text.push_str(&section(
        "why it matters",
        [format!("{}.", capital(scenario.why))],
    ));
    text.push_str(&section(
        "how it is asked",
        scenario.asks.lines().map(str::to_owned),
    ));
    text.push_str(&section(
        "findings",
        scenario
            .findings
            .iter()
            .map(|code| format!("{}  {}", code.name, code.message)),
    ));
    let answers = scenario
        .findings
        .iter()
        .flat_map(|code| answers(code.name, gallery));
    text.push_str(&section("what answers it", answers));
    text.push_str(&section(
        "seen to fail with",
        scenario.breaks.iter().map(|broken| defect(broken.defect)),
    ));
    text
}

fn of_finding(code: Code, scenarios: &[&Scenario], gallery: &[Candidate]) -> String {
    let mut text = format!("{}\n\n  {}.\n\n", code.name, capital(code.message));
    text.push_str(&section(
        "why it matters",
        [format!("{}.", capital(code.why))],
    ));
    text.push_str(&section(
        "found by",
        scenarios
            .iter()
            .map(|scenario| format!("{}  {}", scenario.id, scenario.claim)),
    ));
    text.push_str(&section("what answers it", answers(code.name, gallery)));
    text
}

/// The change in each candidate of the gallery.
fn answers(code: &str, gallery: &[Candidate]) -> Vec<String> {
    let hint = |candidate: &Candidate| candidate.hint(code).map(|hint| answer(candidate, hint));
    let mut answers: Vec<String> = gallery.iter().filter_map(hint).collect();
    answers.dedup();
    answers
}

fn answer(candidate: &Candidate, hint: &Hint) -> String {
    format!(
        "{}: {}",
        candidate.name,
        hint.change.trim().replace('\n', "\n    ")
    )
}

fn defect(name: &str) -> String {
    let sentence = name
        .parse::<Defect>()
        .map(Defect::describe)
        .unwrap_or_default();
    format!("{name}  {sentence}")
}

fn section(title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines: String = lines
        .into_iter()
        .map(|line| format!("  {line}\n"))
        .collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!("{title}\n{lines}\n")
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}
