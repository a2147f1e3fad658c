//! Lists what there is.

use proxyproof_harness::{
    Deployment, Kind, Protocol, Scenario,
    candidate::Gallery,
    suite::{Filter, Plan, Selection},
};

use super::doctor;
use crate::{
    args::{ListArguments, Listing},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

pub(crate) fn list(arguments: &ListArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let rows = match arguments.what {
        Listing::Scenarios => scenarios(&arguments.filter)?,
        Listing::Candidates => candidates()?,
        Listing::Deployments => deployments()?,
        Listing::Kinds => kinds(),
    };
    printer.result(&table(&rows))?;
    Ok(Exit::PASS)
}

fn scenarios(filters: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let filters = filters.iter().map(|filter| Filter::new(filter)).collect();
    let plan = Plan::of(
        &proxyproof_scenarios::all(),
        &Selection {
            filters,
            level: None,
        },
    )?;
    let mut scenarios: Vec<&Scenario> = plan.asked().iter().map(|asked| asked.scenario).collect();
    scenarios.dedup_by_key(|scenario| scenario.id);
    let row = |scenario: &Scenario| {
        let cells = [
            scenario.id,
            scenario.level.name(),
            &protocols(scenario.protocols),
            scenario.claim,
        ];
        cells.map(str::to_owned).to_vec()
    };
    Ok(scenarios.into_iter().map(row).collect())
}

/// The protocols of a scenario, `chain` standing for both chains.
pub(crate) fn protocols(protocols: &[Protocol]) -> String {
    let both = [Protocol::ChainH1, Protocol::ChainH2]
        .iter()
        .all(|chain| protocols.contains(chain));
    let mut names: Vec<&str> = protocols
        .iter()
        .filter(|protocol| !both || !protocol.is_chain())
        .map(|protocol| protocol.name())
        .collect();
    names.extend(both.then_some("chain"));
    names.join(" ")
}

fn candidates() -> Result<Vec<Vec<String>>, CommandError> {
    let candidates = Gallery::embedded().candidates()?;
    Ok(candidates
        .into_iter()
        .map(|candidate| {
            let here = doctor::here(&candidate);
            vec![candidate.name, here, candidate.about]
        })
        .collect())
}

fn deployments() -> Result<Vec<Vec<String>>, CommandError> {
    let row = |name: &str| {
        Deployment::named(name).map(|deployment| vec![deployment.name, deployment.about])
    };
    Ok(Deployment::EMBEDDED
        .into_iter()
        .map(row)
        .collect::<Result<_, _>>()?)
}

/// A line for each kind, and one below it for each purpose that it serves.
fn kinds() -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for kind in Kind::embedded() {
        rows.push(vec![kind.name.clone(), kind.about.clone()]);
        for (purpose, requests) in &kind.endpoints {
            let requests: Vec<String> = requests.iter().map(ToString::to_string).collect();
            let line = format!("  {:<12}{}", purpose.name(), requests.join(", "));
            rows.push(vec![String::new(), line]);
        }
    }
    rows
}

/// Columns two spaces apart; the last one is as long as it is.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            format!("{}\n", cells.join("  ").trim_end())
        })
        .collect()
}
