//! Measures proxies.

use std::{cell::Cell, fs, io::Write, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxyproof_benches::{
    Contest, Profile, Report,
    objective::{Kept, Objective, Search},
    report::{Comparison, Merged, Worth},
};
use proxyproof_harness::{Candidate, Deployment};

use time::OffsetDateTime;

use super::{itself::client, output::Output};
use crate::{
    args::{BenchArguments, BenchQuestion, CompareArguments, MergeArguments},
    error::CommandError,
    exit::Exit,
    printer::Printer,
    runtime,
    signals::Signals,
};

pub(crate) fn bench(arguments: &BenchArguments, printer: &Printer) -> Result<Exit, CommandError> {
    match &arguments.question {
        Some(BenchQuestion::Compare(arguments)) => compare(arguments, printer),
        Some(BenchQuestion::Merge(arguments)) => merge(arguments, printer),
        None => measure(arguments, printer),
    }
}

fn measure(arguments: &BenchArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let mut profile = match arguments.sweep {
        Some(sweep) => sweep.profile(),
        None => Profile::named(&arguments.profile)?,
    };
    profile.placement = arguments.placement.unwrap_or(profile.placement);
    profile.rounds = arguments.rounds.unwrap_or(profile.rounds);
    let deployment = Deployment::named(&arguments.deployment)?;
    let installed = |name: &String| Candidate::named(name)?.installed();
    let candidates: Result<Vec<_>, _> = arguments.candidates.iter().map(installed).collect();
    let candidates = candidates?;
    let objective = arguments.slo;
    match objective.map(|objective| (objective, objective.rate)) {
        Some((objective, None)) => {
            return search(&objective, profile, &deployment, &candidates, printer);
        }
        Some((objective, Some(rate))) => profile = objective.profile(rate, profile),
        None => {}
    }
    let files = [
        &arguments.json,
        &arguments.csv,
        &arguments.hlog,
        &arguments.html,
    ];
    let files = files.map(|path| Output::open(path.as_deref()));
    let [json, csv, hlog, html] = files;
    let (json, csv, hlog, html) = (json?, csv?, hlog?, html?);
    let contest = Contest::new(profile, deployment, candidates, client()?);
    let report = match ask(contest, arguments.start_at, printer)? {
        Ok(report) => report,
        Err(stopped) => return Ok(stopped),
    };
    let told = printer.result(&report.text());
    json.write(|mut file| file.write_all(report.json().as_bytes()))?;
    csv.write(|mut file| file.write_all(report.csv().as_bytes()))?;
    html.write(|mut file| file.write_all(report.html().as_bytes()))?;
    let log = report.interval_log()?;
    hlog.write(|mut file| file.write_all(&log))?;
    told?;
    match (report.verdict, &objective) {
        (Worth::Void, _) => Ok(Exit::COULD_NOT_ASK),
        (_, Some(objective)) => held(objective, &report, printer),
        (Worth::Valid | Worth::Suspect, None) => Ok(Exit::PASS),
    }
}

/// The report, or the exit of whoever was stopped.
fn ask(
    contest: Contest,
    start: Option<OffsetDateTime>,
    printer: &Printer,
) -> Result<Result<Report, Exit>, CommandError> {
    let progress = Progress::new(printer, contest.takes());
    let system = |action| move |cause| CommandError::System { action, cause };
    // The upstreams' thread is this one, so that their CPU time can be told from the client's.
    let runtime = runtime::of_one_thread()?;
    let stopped = Cell::new(None);
    let report = runtime.block_on(async {
        let signals = Signals::listen().map_err(system("listen to signals"))?;
        let asking = async {
            wait_for(start).await?;
            let told = |who: &str, turn, turns| progress.tell(who, turn, turns);
            Ok::<_, CommandError>(contest.run(told).await?)
        };
        tokio::select! {
            report = asking => report.map(Some),
            () = signals.first(&stopped) => Ok(None),
        }
    })?;
    Ok(report.ok_or_else(|| stopped.get().unwrap_or(Exit::INTERRUPTED)))
}

/// The highest rate at which each candidate keeps an objective.
fn search(
    objective: &Objective,
    mut profile: Profile,
    deployment: &Deployment,
    candidates: &[Candidate],
    printer: &Printer,
) -> Result<Exit, CommandError> {
    // Each step asks anew: a few rounds tell a rate that is kept from one that is not.
    profile.rounds = profile.rounds.min(ROUNDS_OF_A_STEP);
    printer.result(&format!("{objective}\n"))?;
    let width = candidates
        .iter()
        .map(|candidate| candidate.name.len())
        .max();
    let width = width.unwrap_or(0);
    for candidate in candidates {
        let mut search = Search::default();
        while let Some(rate) = search.next() {
            let profile = objective.profile(rate, profile.clone());
            let contest = Contest::new(
                profile,
                deployment.clone(),
                vec![candidate.clone()],
                client()?,
            );
            let report = match ask(contest, None, printer)? {
                Ok(report) => report,
                Err(stopped) => return Ok(stopped),
            };
            let measured = &report.contenders[1].measures[0];
            // Requests that fail at a rate say something about it; a machine that was busy does not.
            if report.verdict == Worth::Void && measured.errors.total() == 0 {
                printer.result(&report.text())?;
                return Ok(Exit::COULD_NOT_ASK);
            }
            search.tell(rate, matches!(objective.kept_by(measured)?, Kept::Yes(_)));
        }
        let found = match search.found() {
            (0.0, Some(broken)) => format!("not kept, not even at {broken}/s"),
            (kept, None) => format!("kept at {kept}/s, which is as fast as it is asked"),
            (kept, Some(broken)) => format!("kept up to {kept}/s, not at {broken}/s"),
        };
        printer.result(&format!("  {:width$}  {found}\n", candidate.name))?;
    }
    Ok(Exit::PASS)
}

/// As few as give a percentile a second chance.
const ROUNDS_OF_A_STEP: u32 = 3;

/// Whether every candidate keeps the objective; one whose samples are too few keeps nothing.
fn held(objective: &Objective, report: &Report, printer: &Printer) -> Result<Exit, CommandError> {
    let mut exit = Exit::PASS;
    let mut text = format!("\n{objective}\n");
    let width = report
        .contenders
        .iter()
        .map(|contender| contender.name.len())
        .max();
    let width = width.unwrap_or(0);
    for contender in report.contenders.iter().skip(1) {
        for measured in &contender.measures {
            let millis = |nanos: u64| format!("{:.3} ms", nanos as f64 / 1e6);
            let (words, kept) = match objective.kept_by(measured)? {
                Kept::Yes(value) => (format!("kept, {}", millis(value)), true),
                Kept::No(value) => (format!("NOT kept, {}", millis(value)), false),
                Kept::Unknown => ("not known: too few samples".to_owned(), false),
            };
            text.push_str(&format!("  {:width$}  {words}\n", contender.name));
            if !kept {
                exit = Exit::SLOWER;
            }
        }
    }
    printer.result(&text)?;
    Ok(exit)
}

/// Until a time of the wall clock, as several machines have it.
async fn wait_for(start: Option<OffsetDateTime>) -> Result<(), CommandError> {
    let Some(start) = start else { return Ok(()) };
    let left = start - OffsetDateTime::now_utc();
    match Duration::try_from(left) {
        Ok(left) => {
            let until = tokio::time::Instant::now() + left;
            tokio::time::sleep_until(until).await;
            Ok(())
        }
        // A start that was missed would measure something else than the others do.
        Err(_) => Err(CommandError::Late { start }),
    }
}

fn merge(arguments: &MergeArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let out = Output::open(arguments.out.as_deref())?;
    let mut merged = Merged::default();
    for path in &arguments.logs {
        let text = fs::read_to_string(path).map_err(|cause| CommandError::Input {
            path: path.clone(),
            cause,
        })?;
        merged.add(&path.display().to_string(), &text)?;
    }
    let log = merged.interval_log()?;
    out.write(|mut file| file.write_all(&log))?;
    printer.result(&merged.text())?;
    Ok(Exit::PASS)
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
