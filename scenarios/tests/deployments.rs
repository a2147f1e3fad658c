//! Proxies of the gallery serve every deployment that ships, and the sites beside this file: one test for each of both.
//!
//! What passes is a pass, a gap that is listed with a reason, and a question that is not the site's; a question that the proxy
//! cannot be asked is one of [`NOT_OFFERED`].

mod asked;
#[path = "embedded/serving.rs"]
mod serving;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use proxyproof_harness::{
    Candidate, Deployment, Verdict,
    report::Terminal,
    suite::{Outcome, SuiteResult},
};

/// Who serves all of them.
const CANDIDATES: [&str; 4] = ["reference", "nginx-template", "haproxy", "caddy"];

/// Sites that do not ship: files in the folder `sites`.
const SITES: [&str; 1] = ["expressions"];

/// Features that a candidate of these does not have: what needs one is skipped.
const NOT_OFFERED: [(&str, &[&str]); 4] = [
    ("reference", &[]),
    (
        "nginx-template",
        &["extended_connect", "proxy_protocol_reassembly"],
    ),
    ("haproxy", &["proxy_protocol_reassembly"]),
    (
        "caddy",
        &[
            "backup_server",
            "extended_connect",
            "proxy_protocol_v1",
            "proxy_protocol_v2",
            "proxy_protocol_reassembly",
            "reload",
        ],
    ),
];

fn main() -> ExitCode {
    if let Some(ended) = serving::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::from_args();
    let trials = CANDIDATES.into_iter().flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Where everything has to be tested, what is missing is an error.
fn trials(name: &'static str) -> Vec<Trial> {
    let candidate = Candidate::named(name).expect("its name is a candidate's");
    let everything = std::env::var("CI").is_ok_and(|value| value == "true");
    let missing = candidate.installed().is_err() && !everything;
    let trial = |deployment: &'static str| {
        let test = move || serves(name, deployment);
        Trial::test(format!("{name}/{deployment}"), test).with_ignored_flag(missing)
    };
    let sites = Deployment::EMBEDDED.into_iter().chain(SITES);
    sites.map(trial).collect()
}

/// Asks everything, and tells what is neither a pass nor explained.
fn serves(name: &str, deployment: &str) -> Result<(), Failed> {
    let candidate = Candidate::named(name).and_then(Candidate::installed);
    let candidate = candidate.map_err(|error| error.in_full())?;
    let file = match SITES.contains(&deployment) {
        true => format!(
            "{}/tests/sites/{deployment}.toml",
            env!("CARGO_MANIFEST_DIR")
        ),
        false => deployment.to_owned(),
    };
    let site = Deployment::named(&file).map_err(|error| error.in_full())?;
    let result = asked::ask_of(&candidate, &site, &[])?;
    let offered = |outcome: &Outcome| {
        let lacks = outcome.reason.as_deref().unwrap_or_default();
        match lacks.strip_prefix("needs ") {
            None => true,
            Some(features) => features.split(", ").all(|one| is_not_offered(name, one)),
        }
    };
    let wrong = result
        .scenarios
        .iter()
        .filter(|outcome| match outcome.verdict {
            Verdict::Pass | Verdict::Known => false,
            Verdict::Skipped => !offered(outcome),
            Verdict::Fail | Verdict::Broken => true,
        });
    let wrong: Vec<Outcome> = wrong.cloned().collect();
    match wrong.is_empty() && result.stale_gaps.is_empty() {
        true => Ok(()),
        false => Err(told(result, wrong).into()),
    }
}

fn is_not_offered(candidate: &str, feature: &str) -> bool {
    let lists = NOT_OFFERED.iter().filter(|(name, _)| *name == candidate);
    lists
        .flat_map(|(_, features)| features.iter())
        .any(|one| *one == feature)
}

/// What the terminal report would say of these alone.
fn told(result: SuiteResult, wrong: Vec<Outcome>) -> String {
    let wrong = SuiteResult {
        scenarios: wrong,
        ..result
    };
    Terminal::default().render(&wrong)
}
