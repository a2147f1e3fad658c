//! Explains a scenario or a finding.

use proxyproof_harness::{Break, Candidate, Code, Scenario, candidate::Gallery};
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
    printer.result(&wrapped(&text, printer.width()))?;
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
    let codes: Vec<&str> = scenario.findings.iter().map(|code| code.name).collect();
    text.push_str(&section("what answers it", answers(&codes, gallery)));
    text.push_str(&section(
        "seen to fail with",
        scenario.breaks.iter().map(defect),
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
    text.push_str(&section("what answers it", answers(&[code.name], gallery)));
    text
}

/// The change in each candidate of the gallery; those with the same change share a line.
fn answers(codes: &[&str], gallery: &[Candidate]) -> Vec<String> {
    let mut changes: Vec<(&str, Vec<&str>)> = Vec::new();
    for candidate in gallery {
        let hints = codes.iter().filter_map(|code| candidate.hint(code));
        for change in hints.map(|hint| hint.change.trim()) {
            match changes.iter_mut().find(|(other, _)| *other == change) {
                Some((_, names)) if !names.contains(&candidate.name.as_str()) => {
                    names.push(&candidate.name);
                }
                Some(_) => {}
                None => changes.push((change, vec![&candidate.name])),
            }
        }
    }
    let line = |(change, names): (&str, Vec<&str>)| {
        format!("{}: {}", names.join(", "), change.replace('\n', "\n    "))
    };
    changes.into_iter().map(line).collect()
}

fn defect(broken: &Break) -> String {
    if broken.is_known_gap() {
        return "the reference proxy as it is, which has this as a known gap".to_owned();
    }
    let name = broken.defect;
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

/// Long lines broken, and continued where they began.
fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let broken = text.lines().flat_map(|line| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let options = textwrap::Options::new(width)
            .subsequent_indent(indent)
            .break_words(false);
        textwrap::wrap(line, options)
    });
    broken.map(|line| format!("{line}\n")).collect()
}
