//! Real clients through a stage of `proxyproof up`: the OpenAI and Anthropic SDKs, and Codex.
//!
//! `PROXYPROOF_CLIENTS` names the folder they are installed in; without it the tests are ignored, with it a client that is
//! missing is an error.

mod codex;
mod sdk;
mod stage;

use std::{env, path::PathBuf, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let installed = env::var_os("PROXYPROOF_CLIENTS").map(PathBuf::from);
    let mut trials = Vec::new();
    for candidate in ["reference", "nginx-corrected"] {
        for way in ["plain", "tls-h1", "tls-h2"] {
            let clients = installed.clone().unwrap_or_default();
            trials.push(Trial::test(format!("sdk::{candidate}::{way}"), move || {
                sdk::ask(&clients, candidate, way)
            }));
        }
        for transport in codex::TRANSPORTS {
            let clients = installed.clone().unwrap_or_default();
            trials.push(Trial::test(
                format!("codex::{candidate}::{}", transport.name),
                move || codex::ask(&clients, candidate, &transport),
            ));
        }
    }
    let trials = trials.into_iter().map(|trial| match installed {
        Some(_) => trial,
        None => trial
            .with_kind("PROXYPROOF_CLIENTS is not set: see CONTRIBUTING.md")
            .with_ignored_flag(true),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
