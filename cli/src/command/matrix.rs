//! Asks several proxies the same.

use std::path::Path;

use proxyproof_harness::{
    Candidate, Deployment,
    candidate::Gallery,
    report::{Column, Detail, Matrix, Rows},
    suite::{Filter, Plan, Selection, Suite},
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
    let mut columns: Vec<Column> = Vec::new();
    let mut stopped = None;
    let (candidates, missing) = candidates(arguments)?;
    for candidate in candidates {
        let suite = Suite::new(&plan, &candidate, &deployment);
        let (column, stop) = match ask(suite, printer) {
            Ok((result, stop)) => (Column::Asked(Box::new(result)), stop),
            // What is wrong with one proxy says nothing about the others.
            Err(CommandError::Harness(error)) => {
                let candidate = candidate.name.clone();
                let error = error.in_full();
                (Column::Unasked { candidate, error }, None)
            }
            Err(error) => return Err(error),
        };
        columns.push(column);
        stopped = stop;
        if stopped.is_some() {
            break;
        }
    }
    printer.result(&told(&columns, &missing, arguments.format, printer))?;
    let exits = columns.iter().map(|column| match column {
        Column::Asked(result) => Exit::of(std::slice::from_ref(result), arguments.fail_on),
        Column::Unasked { .. } => Exit::COULD_NOT_ASK,
    });
    // In the order of the codes, as for one run; a pass is what is left.
    let worst = [Exit::FINDINGS, Exit::COULD_NOT_ASK, Exit::KNOWN_GAP_PASSED]
        .into_iter()
        .find(|exit| exits.clone().any(|other| other == *exit));
    Ok(stopped.or(worst).unwrap_or(Exit::PASS))
}

/// Every one is there before the first is asked; of the gallery, those that are not installed are named.
fn candidates(arguments: &MatrixArguments) -> Result<(Vec<Candidate>, Vec<String>), CommandError> {
    let mut missing = Vec::new();
    let mut there = Vec::new();
    if arguments.candidates.is_empty() {
        for member in Gallery::embedded().candidates()? {
            let name = member.name.clone();
            match member.installed() {
                Ok(candidate) => there.push(candidate),
                Err(_) => missing.push(name),
            }
        }
    }
    for name in &arguments.candidates {
        // The name of a folder may have the sign in it.
        let build = name.split_once('=').filter(|_| !Path::new(name).is_dir());
        there.push(match build {
            Some((name, binary)) => {
                build::installed(Candidate::named(name)?, Some(Path::new(binary)))?
            }
            None => build::installed(Candidate::named(name)?, None)?,
        });
    }
    Ok((there, missing))
}

fn told(columns: &[Column], missing: &[String], format: MatrixFormat, printer: &Printer) -> String {
    let rows = if printer.detail() == Detail::Verbose {
        Rows::All
    } else {
        Rows::Telling
    };
    let missing = match missing {
        [] => String::new(),
        names => format!("\nnot installed: {}\n", names.join(", ")),
    };
    match format {
        MatrixFormat::Terminal => Matrix::of(columns).text(rows) + &missing,
        MatrixFormat::Markdown => Matrix::of(columns).markdown(rows) + &missing,
        MatrixFormat::Json => {
            let text = serde_json::to_string_pretty(columns).expect("plain values are JSON");
            format!("{text}\n")
        }
    }
}
