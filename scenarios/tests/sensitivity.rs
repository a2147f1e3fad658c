//! A check that can't fail is a defect: every scenario fails under each defect it names, with the finding it names, on
//! every protocol that it is asked on.

mod asked;
mod embedded;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Arguments, Failed, Trial};
use proxyproof_harness::{
    Break, Level, Protocol, Scenario, Verdict,
    suite::{Outcome, SuiteResult},
};

fn main() -> ExitCode {
    if let Some(ended) = embedded::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::from_args();
    let wanted: Vec<(&Scenario, Break)> = pairs()
        .into_iter()
        .filter(|(s, b)| is_wanted(&arguments, &name(s, *b)))
        .collect();
    let mut runs: BTreeMap<&str, Arc<Run>> = BTreeMap::new();
    for (scenario, defect) in wanted
        .iter()
        .map(|(scenario, broken)| (*scenario, broken.defect))
    {
        let asks_both = scenario.level == Level::Observed;
        for defect in std::iter::once(defect).chain(asks_both.then_some(NO_DEFECT)) {
            runs.entry(defect)
                .or_insert_with(|| Arc::new(Run::new(defect, &wanted)));
        }
    }
    let mut trials: Vec<Trial> = pairs()
        .into_iter()
        .map(|(scenario, broken)| trial(&runs, scenario, broken))
        .collect();
    let idle = proxyproof_scenarios::all()
        .into_iter()
        .filter(|scenario| scenario.breaks.is_empty());
    trials.extend(idle.map(|scenario| {
        Trial::test(scenario.id, || {
            Err("no defect is named that breaks it".into())
        })
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn pairs() -> Vec<(&'static Scenario, Break)> {
    let all = proxyproof_scenarios::all().into_iter();
    all.flat_map(|scenario| {
        scenario
            .breaks
            .iter()
            .map(move |broken| (scenario, *broken))
    })
    .collect()
}

fn name(scenario: &Scenario, broken: Break) -> String {
    if broken.is_known_gap() {
        return format!("a known gap breaks {}", scenario.id);
    }
    format!("{} breaks {}", broken.defect, scenario.id)
}

/// As libtest-mimic reads its own arguments: what is not wanted is not asked.
fn is_wanted(arguments: &Arguments, name: &str) -> bool {
    let is = |filter: &String| {
        if arguments.exact {
            name == filter
        } else {
            name.contains(filter.as_str())
        }
    };
    arguments.filter.as_ref().is_none_or(is) && !arguments.skip.iter().any(is)
}

fn trial(runs: &BTreeMap<&str, Arc<Run>>, scenario: &'static Scenario, broken: Break) -> Trial {
    let run = runs.get(broken.defect).cloned();
    let correct = runs.get(NO_DEFECT).cloned();
    Trial::test(name(scenario, broken), move || {
        let result = run.as_ref().ok_or("this test was not wanted")?.result()?;
        let outcomes: Vec<&Outcome> = outcomes(result, scenario);
        if scenario.level == Level::Observed {
            let correct = correct
                .as_ref()
                .ok_or("this test was not wanted")?
                .result()?;
            let correct = self::outcomes(correct, scenario);
            return seen_where_it_must_be(&outcomes, broken, |outcome| {
                let mut same = correct.iter().filter(|c| c.protocol == outcome.protocol);
                same.all(|c| c.records.get(broken.finding) != outcome.records.get(broken.finding))
            });
        }
        seen_where_it_must_be(&outcomes, broken, |outcome| is_found(outcome, broken))
    })
}

fn outcomes<'r>(result: &'r SuiteResult, scenario: &Scenario) -> Vec<&'r Outcome> {
    let asked = result
        .scenarios
        .iter()
        .filter(|outcome| outcome.id == scenario.id && outcome.verdict != Verdict::Skipped);
    asked.collect()
}

fn is_found(outcome: &Outcome, broken: Break) -> bool {
    let verdict = if broken.is_known_gap() {
        Verdict::Known
    } else {
        Verdict::Fail
    };
    let mut findings = outcome.findings.iter();
    outcome.verdict == verdict && findings.any(|finding| finding.code == broken.finding)
}

/// On every protocol that was asked, but for the exceptions; and an exception that holds no more is an error, too.
fn seen_where_it_must_be(
    outcomes: &[&Outcome],
    broken: Break,
    is_seen: impl Fn(&Outcome) -> bool,
) -> Result<(), Failed> {
    let is_as_listed = |outcome: &&Outcome| {
        let protocol = outcome.protocol.parse::<Protocol>();
        protocol.is_ok_and(|protocol| is_seen(outcome) == broken.is_seen_on(protocol))
    };
    let (right, wrong): (Vec<&Outcome>, Vec<&Outcome>) =
        outcomes.iter().copied().partition(is_as_listed);
    if wrong.is_empty() && right.iter().any(|outcome| is_seen(outcome)) {
        return Ok(());
    }
    let (missing, unexpected): (Vec<&Outcome>, Vec<&Outcome>) =
        wrong.into_iter().partition(|outcome| !is_seen(outcome));
    let text = format!(
        "`{}` with `{}` is missing:{}\nfound against the listed exception:{}",
        broken.finding,
        broken.defect,
        told(&missing),
        told(&unexpected)
    );
    Err(text.into())
}

fn told(outcomes: &[&Outcome]) -> String {
    let lines = outcomes.iter().map(|outcome| {
        let codes: Vec<&str> = outcome
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        let reason = outcome.reason.as_deref().unwrap_or_default();
        format!(
            "\n  {} {} [{}] {:?} {reason}",
            outcome.protocol,
            outcome.verdict,
            codes.join(", "),
            outcome.records
        )
    });
    lines.collect()
}

/// One run for all scenarios that name the same defect, made when the first one looks.
struct Run {
    defect: &'static str,
    filters: Vec<String>,
    result: OnceLock<Result<SuiteResult, String>>,
}

impl Run {
    fn new(defect: &'static str, wanted: &[(&'static Scenario, Break)]) -> Self {
        let concerned = |(scenario, broken): &&(&Scenario, Break)| match defect {
            NO_DEFECT => scenario.level == Level::Observed || broken.is_known_gap(),
            defect => broken.defect == defect,
        };
        let filters = wanted
            .iter()
            .filter(concerned)
            .map(|(scenario, _)| scenario.id.to_owned())
            .collect();
        Self {
            defect,
            filters,
            result: OnceLock::new(),
        }
    }

    fn result(&self) -> Result<&SuiteResult, Failed> {
        let defects: &[&str] = if self.defect == NO_DEFECT {
            &[]
        } else {
            &[self.defect]
        };
        let result = self
            .result
            .get_or_init(|| embedded::ask(defects, &self.filters));
        result
            .as_ref()
            .map_err(|error| Failed::from(error.as_str()))
    }
}

/// The key of the run of a correct proxy.
const NO_DEFECT: &str = "";
