//! Whether a real proxy agrees with the oracle.

use std::{
    cell::Cell,
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxyproof_harness::{
    Deployment,
    routes::{Trial, TrialResult, Tried},
};

use proxyproof_oracle::routes::Confusion;

use crate::{
    args::{DEFAULT_DEPLOYMENT, PropArguments},
    command::{
        how::Named,
        own::{self, Site},
    },
    error::CommandError,
    exit::Exit,
    printer::Printer,
    runtime,
    signals::Signals,
};

pub(crate) fn prop(arguments: &PropArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let name = arguments.candidate.as_deref().unwrap_or(FRAME);
    let deployment = Deployment::named(DEFAULT_DEPLOYMENT)?;
    // What is generated is asked of the whole file: any of its sites runs it.
    let mut sites = own::sites(&arguments.own, name, None, Named::No, deployment)?;
    let Site {
        candidate,
        deployment,
        ..
    } = sites.swap_remove(0);
    let candidate = candidate.installed()?;
    let trial = if arguments.candidate.is_some() || arguments.own.config.is_some() {
        Trial::of(&candidate)
    } else {
        Trial::of_generated_tables(&candidate)
    };
    let trial = trial.deployment(&deployment);
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let trial = trial.cases(arguments.cases).seed(seed);
    let started = Instant::now();
    let (result, stopped) = run(trial, arguments.cases, printer)?;
    let Some(result) = result else {
        return Err(CommandError::NoConfiguration {
            candidate: candidate.name,
        });
    };
    printer.result(&if arguments.json {
        let mut text = serde_json::to_string_pretty(&result).expect("plain values are JSON");
        text.push('\n');
        text
    } else {
        told(&result, arguments, started.elapsed())
    })?;
    let exit = if result.disagreements.is_empty() {
        Exit::PASS
    } else {
        Exit::FINDINGS
    };
    Ok(stopped.unwrap_or(exit))
}

/// Tries until the end or the first signal.
fn run(
    trial: Trial,
    cases: u64,
    printer: &Printer,
) -> Result<(Option<TrialResult>, Option<Exit>), CommandError> {
    let system = |action| move |cause| CommandError::System { action, cause };
    let runtime = runtime::of_every_core()?;
    let stopped = Cell::new(None);
    let bar = printer.shows_progress().then(|| bar(cases));
    let mut watch = |tried: &Tried| {
        if let Some(bar) = &bar {
            bar.set_position(tried.pairs);
        }
    };
    let result = runtime.block_on(async {
        let signals = Signals::listen().map_err(system("listen to signals"))?;
        Ok::<_, CommandError>(trial.run(&mut watch, signals.first(&stopped)).await?)
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    Ok((result?, stopped.get()))
}

fn bar(cases: u64) -> ProgressBar {
    /// At most so often is it drawn, in times a second.
    const RATE: u8 = 10;
    let target = ProgressDrawTarget::stderr_with_hz(RATE);
    let bar = ProgressBar::with_draw_target(Some(cases), target);
    let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {per_sec} {eta}");
    bar.set_style(style.expect("the template is a constant"));
    bar.enable_steady_tick(Duration::from_secs(1) / u32::from(RATE));
    bar
}

fn told(result: &TrialResult, arguments: &PropArguments, took: Duration) -> String {
    let Tried {
        tables,
        pairs,
        requests,
        not_modelled,
    } = result.tried;
    let version = result.version.as_deref().unwrap_or_default();
    let mut text = String::new();
    for disagreement in &result.disagreements {
        text.push_str(&disagreement.text());
        text.push('\n');
    }
    let verdict = match result.disagreements.len() {
        0 => "no disagreement".to_owned(),
        1 => "1 disagreement".to_owned(),
        many => format!("{many} disagreements"),
    };
    let ended = if result.stopped {
        ", stopped early"
    } else {
        ""
    };
    text.push_str(&format!(
        "{verdict} between {} {version} and the oracle{ended}\n",
        result.candidate
    ));
    let seconds = took.as_secs_f64().max(0.001);
    let rate = (requests + not_modelled) as f64 / seconds;
    text.push_str(&format!(
        "  tried     {pairs} pairs of a table and a target on {tables} {}, {requests} requests compared in {seconds:.1} s ({rate:.0} a second)\n",
        if tables == 1 { "table" } else { "tables" },
    ));
    if not_modelled > 0 {
        text.push_str(&format!(
            "  unsaid    {not_modelled} requests about which the oracle says nothing\n"
        ));
    }
    text.push_str(&Confusion::text(&result.confusions));
    for unsteady in &result.unsteady {
        text.push_str(&format!(
            "  unsteady  {} {}: {}, but {} once and not again\n",
            unsteady.protocol, unsteady.target, unsteady.said, unsteady.observed
        ));
    }
    let name = arguments
        .candidate
        .as_ref()
        .map_or_else(String::new, |name| format!(" {name}"));
    let own = own::typed(&arguments.own);
    text.push_str(&format!(
        "  repeat    proxyproof routes prop{name}{own} --cases {} --seed {}\n",
        arguments.cases, result.seed
    ));
    text
}

/// Any number; people copy it, so it is short.
fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

/// Has a frame around its configuration, in which generated tables fit.
const FRAME: &str = "nginx";
