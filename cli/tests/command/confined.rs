//! What a run does to the machine, as `strace` sees it: files outside the folder for temporary files, listeners,
//! connections and programs, of every member of the gallery and of a hostile configuration for each language.
//!
//! Without `strace` or the proxy a test is ignored, and says so; with `CI=true` it fails. Namespaces, which would confine
//! whatever a configuration says, are left out.

#[path = "confined/trace.rs"]
mod trace;

use std::{
    env,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use libtest_mimic::{Arguments, Failed, Trial};
use proxyproof_harness::Candidate;

use self::trace::{Rules, violations};

fn main() -> ExitCode {
    let gallery = [
        "reference",
        "nginx",
        "nginx-corrected",
        "haproxy",
        "caddy",
        "apache",
    ];
    let user_files: [(_, &[_]); 6] = [
        ("nginx", &["confined/nginx/nginx.conf"]),
        // Where a log is, it does not say.
        ("nginx", &["own/other_sites/nginx.conf"]),
        ("haproxy", &["confined/haproxy.cfg"]),
        ("caddy", &["confined/hostile.Caddyfile", "--front", "none"]),
        // Automatic HTTPS is what it does not say.
        (
            "caddy",
            &["caddyfile/ordinary.Caddyfile", "--front", "none"],
        ),
        ("apache", &["confined/apache/apache2.conf"]),
    ];
    let gallery = gallery
        .into_iter()
        .map(|candidate| trial(format!("gallery::{candidate}"), candidate, &[]));
    let user_files = user_files.into_iter().map(|(candidate, file)| {
        trial(
            format!("user_file::{candidate}::{}", file[0]),
            candidate,
            file,
        )
    });
    let itself = Trial::test("what_leads_off_is_found", trace::what_leads_off_is_found);
    let trials = gallery.chain(user_files).chain([itself]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// `file` is what follows `--config`, if anything does.
fn trial(name: String, candidate: &'static str, file: &'static [&'static str]) -> Trial {
    match missing(candidate) {
        None => Trial::test(name, move || confined(candidate, file)),
        Some(why) => {
            let required = env::var("CI").is_ok_and(|value| value == "true");
            let failed = why.clone();
            Trial::test(name, move || Err(failed.into()))
                .with_kind(why)
                .with_ignored_flag(!required)
        }
    }
}

fn missing(candidate: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|folder| folder.join("strace").is_file()) {
        return Some("there is no `strace` on the PATH".to_owned());
    }
    let candidate = Candidate::named(candidate).expect("it is in the gallery");
    let installation = candidate.installation();
    installation.err().map(|error| error.to_string())
}

/// One scenario, which starts the candidate and asks it, under `strace`.
fn confined(candidate: &str, file: &[&str]) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    // A path that needs quotes in every language.
    let temporary = folder.path().canonicalize()?.join("with a blank");
    std::fs::create_dir(&temporary)?;
    let log = folder.path().join("strace");
    let program = Candidate::named(candidate)?.installation()?.binary;
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-y", "-e"])
        .arg(format!("trace={}", trace::CALLS))
        .arg("-o")
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_proxyproof"))
        .args(["run", candidate, "-f", "routes/table", "--no-isolation"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command"))
        .env("TMPDIR", &temporary)
        // Everything is slower under it.
        .env("PROXYPROOF_PATIENCE", "4")
        .stdin(Stdio::null());
    if !file.is_empty() {
        command.arg("--config").args(file);
    }
    let output = command.output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    // Whether it routes as the deployment wants is not asked here: that it served is.
    if !printed.contains(" of 1 scenario in ") && !printed.contains("PASSED  1 scenario in ") {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it was not asked: {printed}{errors}").into());
    }
    let rules = Rules {
        folder: &temporary,
        programs: vec![
            Path::new(env!("CARGO_BIN_EXE_proxyproof")),
            Path::new(&program),
        ],
    };
    let found = violations(&std::fs::read_to_string(&log)?, &rules);
    let left: Vec<_> = temporary.read_dir()?.flatten().collect();
    match found.is_empty() && left.is_empty() {
        true => Ok(()),
        false => Err(format!("left behind: {left:?}, and:\n{}", found.join("\n")).into()),
    }
}
