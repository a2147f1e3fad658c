//! Asks a proxy everything.

use std::cell::Cell;

use proxyproof_harness::{
    Deployment,
    report::{Terminal, write_json, write_junit},
    stage::Keep,
    suite::{Filter, Plan, Selection, Sink, Suite, SuiteResult},
};

use super::{
    how::{Named, Wanted},
    output::Output,
};
use crate::{
    args::{DEFAULT_DEPLOYMENT, RunArguments},
    error::CommandError,
    exit::Exit,
    printer::Printer,
    progress::Progress,
    runtime,
    signals::Signals,
};

pub(crate) fn run(arguments: &RunArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let plan = plan(arguments)?;
    let name = arguments
        .deployment
        .as_deref()
        .unwrap_or(DEFAULT_DEPLOYMENT);
    let sites = wanted(arguments).sites(Deployment::named(name)?, printer)?;
    let json = Output::open(arguments.json.as_deref())?;
    let junit = Output::open(arguments.junit.as_deref())?;
    let terminal = Terminal {
        styles: printer.styles(),
        width: printer.width(),
        detail: printer.detail(),
        fail_on: arguments.fail_on,
    };
    let mut results = Vec::new();
    let mut told = Ok(());
    let mut stopped = None;
    let mut failed = None;
    for site in &sites {
        let suite = Suite::new(&plan, &site.candidate, &site.deployment)
            .keep(match arguments.keep {
                true => Keep::Directory,
                false => Keep::Nothing,
            })
            .command(command(arguments) + &site.chosen);
        let (result, signal) = match ask(suite, printer) {
            Ok(asked) => asked,
            // What was found out before is not lost.
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        let between = if results.is_empty() { "" } else { "\n" };
        told = told.and(printer.result(&format!("{between}{}", terminal.render(&result))));
        results.push(result);
        stopped = signal;
        if stopped.is_some() {
            break;
        }
    }
    let closing = terminal.sites(&results);
    if !closing.is_empty() {
        told = told.and(printer.result(&closing));
    }
    if !results.is_empty() {
        json.write(|file| write_json(&results, file))?;
        junit.write(|file| write_junit(&results, file))?;
    }
    told?;
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(stopped.unwrap_or_else(|| Exit::of(&results, arguments.fail_on)))
}

fn wanted(arguments: &RunArguments) -> Wanted<'_> {
    Wanted {
        name: arguments.candidate.as_deref(),
        own: Some(&arguments.own),
        deployment: match arguments.deployment {
            Some(_) => Named::Yes,
            None => Named::No,
        },
        how: &arguments.how,
    }
}

/// What was typed, as far as it matters for asking one thing again.
fn command(arguments: &RunArguments) -> String {
    let mut command = format!("proxyproof run{}", wanted(arguments).typed());
    if let Some(deployment) = &arguments.deployment {
        command.push_str(&format!(" --deployment {deployment}"));
    }
    command
}

fn plan(arguments: &RunArguments) -> Result<Plan, CommandError> {
    let filters = arguments
        .filter
        .iter()
        .map(|filter| Filter::new(filter))
        .collect();
    let selection = Selection {
        filters,
        level: Some(arguments.level),
    };
    let plan = Plan::of(&proxyproof_scenarios::all(), &selection)?;
    Ok(plan
        .jobs(usize::from(arguments.jobs))
        .rounds(arguments.repeat))
}

/// Runs the suite until its end or the first signal.
pub(super) fn ask(
    suite: Suite<'_>,
    printer: &Printer,
) -> Result<(SuiteResult, Option<Exit>), CommandError> {
    let runtime = runtime::of_every_core()?;
    let stopped = Cell::new(None);
    let mut progress = printer.shows_progress().then(Progress::new);
    let mut sinks: Vec<&mut dyn Sink> = Vec::new();
    sinks.extend(progress.as_mut().map(|progress| progress as &mut dyn Sink));
    let result = runtime.block_on(async {
        let signals = Signals::listen().map_err(|cause| CommandError::System {
            action: "listen to signals",
            cause,
        })?;
        Ok::<_, CommandError>(suite.run(&mut sinks, signals.first(&stopped)).await?)
    })?;
    Ok((result, stopped.get()))
}
