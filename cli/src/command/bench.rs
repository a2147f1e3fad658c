//! Measures proxies.

use std::{cell::Cell, fs, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxyproof_benches::{
    Contest, Profile, Report,
    report::{Comparison, Worth},
};
use proxyproof_harness::{Candidate, Deployment};

use crate::{
    args::{BenchArguments, BenchQuestion, CompareArguments},
    error::CommandError,
    exit::Exit,
    printer::Printer,
    signals::Signals,
};

pub(crate) fn bench(arguments: &BenchArguments, printer: &Printer) -> Result<Exit, CommandError> {
    match &arguments.question {
        Some(BenchQuestion::Compare(arguments)) => compare(arguments, printer),
        None => measure(arguments, printer),
    }
}

fn measure(arguments: &BenchArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let mut profile = Profile::named(&arguments.profile)?;
    profile.placement = arguments.placement.unwrap_or(profile.placement);
    profile.rounds = arguments.rounds.unwrap_or(profile.rounds);
    let deployment = Deployment::named(&arguments.deployment)?;
    let installed = |name: &String| Candidate::named(name)?.installed();
    let candidates: Result<Vec<_>, _> = arguments.candidates.iter().map(installed).collect();
    let progress = Progress::new(printer, profile.takes(arguments.candidates.len() + 1));
    let contest = Contest::new(profile, deployment, candidates?);
    let system = |action| move |cause| CommandError::System { action, cause };
    // The upstreams' thread is this one, so that their CPU time can be told from the client's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("start the runtime"))?;
    let stopped = Cell::new(None);
    let report = runtime.block_on(async {
        let signals = Signals::listen().map_err(system("listen to signals"))?;
        tokio::select! {
            report = contest.run(|who, turn, turns| progress.tell(who, turn, turns)) => Ok::<_, CommandError>(Some(report?)),
            () = signals.first(&stopped) => Ok(None),
        }
    })?;
    drop(progress);
    let Some(report) = report else {
        return Ok(stopped.get().unwrap_or(Exit::INTERRUPTED));
    };
    printer.result(&report.text())?;
    if let Some(path) = &arguments.json {
        fs::write(path, report.json()).map_err(|cause| CommandError::Report {
            path: path.clone(),
            cause,
        })?;
    }
    Ok(match report.verdict {
        Worth::Valid | Worth::Suspect => Exit::PASS,
        Worth::Void => Exit::COULD_NOT_ASK,
    })
}

fn compare(arguments: &CompareArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let name = |path: &Path| path.display().to_string();
    let (old_name, new_name) = (name(&arguments.old), name(&arguments.new));
    let comparison = Comparison::of((&old_name, &old), (&new_name, &new))?;
    printer.result(&comparison.text())?;
    let slower = comparison.slower(arguments.fail_above / 100.0);
    if slower.is_empty() {
        return Ok(Exit::PASS);
    }
    let figures: Vec<&str> = slower.iter().map(|change| change.figure.as_str()).collect();
    let allowed = arguments.fail_above;
    printer.result(&format!(
        "\nslower by more than {allowed} %: {}\n",
        figures.join("; ")
    ))?;
    Ok(Exit::SLOWER)
}

fn read(path: &Path) -> Result<Report, CommandError> {
    let text = fs::read_to_string(path).map_err(|cause| CommandError::Input {
        path: path.to_owned(),
        cause,
    })?;
    Ok(Report::parse(&path.display().to_string(), &text)?)
}

/// One line on stderr with the time left.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new(printer: &Printer, takes: Duration) -> Self {
        if !printer.shows_progress() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} left  {msg}");
        bar.set_style(style.expect("the template is a constant"));
        bar.set_message(format!("about {} s", takes.as_secs()));
        Self(Some(bar))
    }

    fn tell(&self, who: &str, turn: u64, turns: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(turns);
            bar.set_position(turn);
            bar.set_message(who.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
