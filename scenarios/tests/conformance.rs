//! The reference proxy keeps every promise: one test for each scenario and protocol, asked together on one stage.

mod asked;
mod embedded;

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Arguments, Failed, Trial};
use proxyproof_harness::{
    Verdict,
    report::Terminal,
    suite::{Outcome, SuiteResult},
};

fn main() -> ExitCode {
    if let Some(ended) = embedded::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::from_args();
    let names: Vec<String> = proxyproof_scenarios::all()
        .into_iter()
        .flat_map(|scenario| {
            scenario
                .protocols
                .iter()
                .map(move |protocol| format!("{}@{protocol}", scenario.id))
        })
        .collect();
    let wanted: Vec<String> = names
        .iter()
        .filter(|name| is_wanted(&arguments, name))
        .cloned()
        .collect();
    let run = Arc::new(Run {
        wanted,
        result: OnceLock::new(),
    });
    let trials = names.into_iter().map(|name| {
        let run = Arc::clone(&run);
        Trial::test(name.clone(), move || run.verdict(&name))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
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

/// One run for all tests of this process, made when the first one looks.
struct Run {
    wanted: Vec<String>,
    result: OnceLock<Result<SuiteResult, String>>,
}

impl Run {
    fn verdict(&self, name: &str) -> Result<(), Failed> {
        let result = self.result.get_or_init(|| embedded::ask(&[], &self.wanted));
        let result = result
            .as_ref()
            .map_err(|error| Failed::from(error.as_str()))?;
        let is_it = |outcome: &&Outcome| format!("{}@{}", outcome.id, outcome.protocol) == name;
        let outcome = result
            .scenarios
            .iter()
            .find(is_it)
            .ok_or("the run has no such entry")?;
        if let Some(gap) = result
            .stale_gaps
            .iter()
            .find(|gap| name.starts_with(&gap.pattern))
        {
            return Err(format!("the known gap `{}` passes: remove it", gap.pattern).into());
        }
        match outcome.verdict {
            Verdict::Pass | Verdict::Skipped | Verdict::Known => Ok(()),
            Verdict::Fail | Verdict::Broken => Err(told(result, outcome).into()),
        }
    }
}

/// What the terminal report would say of one outcome.
fn told(result: &SuiteResult, outcome: &Outcome) -> String {
    let alone = SuiteResult {
        scenarios: vec![outcome.clone()],
        stale_gaps: Vec::new(),
        ..result.clone()
    };
    Terminal::default().render(&alone)
}
