//! Whether a configuration does what a deployment wants.

use proxyproof_harness::Deployment;
use proxyproof_oracle::routes::{Want, check as compare};

use super::source;
use crate::{args::CheckArguments, error::CommandError, exit::Exit, printer::Printer};

pub(crate) fn check(arguments: &CheckArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let deployment = Deployment::named(&arguments.deployment)?;
    let config = source::file(&arguments.config)?;
    let upstreams = deployment.addresses();
    let table = deployment.table();
    let check = compare(
        &config,
        Want {
            host: arguments.host.as_deref(),
            table: &table,
            upstreams: &upstreams,
        },
    );
    printer.result(&if arguments.json {
        check.json()
    } else {
        check.text()
    })?;
    // What could only be sampled is said, and is no finding; without a server nothing was looked at.
    let holds = check.wrong.is_empty() && !check.proofs.is_empty();
    Ok(if holds { Exit::PASS } else { Exit::FINDINGS })
}
