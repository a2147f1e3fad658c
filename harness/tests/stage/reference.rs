//! The embedded candidate, which is this executable again.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use proxyproof_harness::{Candidate, Protocol, Stage};

use crate::nginx::passes_on;
use crate::trials;

/// The child: `__reference --config FILE`.
pub(crate) fn run() -> ExitCode {
    let file = std::env::args().nth(3).unwrap_or_default();
    match proxyproof_reference::run(Path::new(&file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn is_staged() {
    trials::run(async {
        let candidate = Candidate::named("reference").expect("it is in the gallery");
        let candidate = candidate.installed().expect("it is this executable");
        let stage = Stage::of(&candidate).start().await;
        let stage = stage.unwrap_or_else(|error| panic!("{error:?}"));
        for protocol in Protocol::ALL {
            assert!(stage.offers(protocol), "{protocol}");
        }
        passes_on(&stage, "/healthz", "cpa").await;
        stage.reload().expect("it lives");
        passes_on(&stage, "/healthz", "cpa").await;
        let ending = stage.terminate().await.expect("it drains");
        assert!(ending.is_success(), "{ending}");
        stage.stop().await.expect("it stops");
    });
}
