//! Asks several proxies the same.

use std::path::Path;

use proxyproof_harness::{
    Candidate, Deployment, Level,
    candidate::Gallery,
    report::{Detail, Matrix, Rows},
    suite::{Filter, Plan, Selection, Suite, SuiteResult},
};

use super::{build, run::ask};
use crate::{
    args::{MatrixArguments, MatrixFormat},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

pub(crate) fn matrix(arguments: &MatrixArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let filters = arguments.filter.iter();
    let selection = Selection {
        filters: filters.map(|filter| Filter::new(filter)).collect(),
        level: None,
    };
    let plan = Plan::of(&proxyproof_scenarios::all(), &selection)?;
    let deployment = Deployment::named(&arguments.deployment)?;
    let mut results: Vec<SuiteResult> = Vec::new();
    let mut stopped = None;
    for candidate in candidates(arguments)? {
        let suite = Suite::new(&plan, &candidate, &deployment);
        let (result, stop) = ask(suite, printer)?;
        results.push(result);
        stopped = stop;
        if stopped.is_some() {
            break;
        }
    }
    printer.result(&told(&results, arguments.format, printer))?;
    let exits = results
        .iter()
        .map(|result| Exit::of(result, Level::Required));
    // In the order of the codes, as for one run; a pass is what is left.
    let worst = [Exit::FINDINGS, Exit::COULD_NOT_ASK, Exit::KNOWN_GAP_PASSED]
        .into_iter()
        .find(|exit| exits.clone().any(|other| other == *exit));
    Ok(stopped.or(worst).unwrap_or(Exit::PASS))
}

/// Every one is there before the first is asked.
fn candidates(arguments: &MatrixArguments) -> Result<Vec<Candidate>, CommandError> {
    if arguments.candidates.is_empty() {
        let members = Gallery::embedded().candidates()?.into_iter();
        return Ok(members
            .filter_map(|candidate| candidate.installed().ok())
            .collect());
    }
    let candidate = |name: &String| match name.split_once('=') {
        Some((name, binary)) => build::installed(Candidate::named(name)?, Some(Path::new(binary))),
        None => build::installed(Candidate::named(name)?, None),
    };
    arguments.candidates.iter().map(candidate).collect()
}

fn told(results: &[SuiteResult], format: MatrixFormat, printer: &Printer) -> String {
    let rows = if printer.detail() == Detail::Verbose {
        Rows::All
    } else {
        Rows::Telling
    };
    match format {
        MatrixFormat::Terminal => Matrix::of(results).text(rows),
        MatrixFormat::Markdown => Matrix::of(results).markdown(rows),
        MatrixFormat::Json => {
            let text = serde_json::to_string_pretty(results).expect("plain values are JSON");
            format!("{text}\n")
        }
    }
}
