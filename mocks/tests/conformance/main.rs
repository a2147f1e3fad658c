//! The mocks held against recordings of the real programs: the same bytes in the same state bring the same bytes back.
#![expect(clippy::unwrap_used, reason = "the whole target is tests")]

mod cpa;
mod front;
mod normal_form;
mod recording;
mod usage;

use libtest_mimic::Failed;

fn main() {
    let mut arguments = libtest_mimic::Arguments::from_args();
    // Trials wait most of their time: for paced answers, and for ten seconds of silence.
    arguments.test_threads.get_or_insert(16);
    let trials = cpa::trials()
        .into_iter()
        .chain(front::trials())
        .chain(usage::trials());
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// The trial of a recording: `cpa/chat-sse` becomes `conformance::cpa::chat-sse`.
fn trial_name(id: &str) -> String {
    format!("conformance::{}", id.replacen('/', "::", 1))
}

/// Runs a trial on a runtime of its own.
fn block_on(trial: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(trial)
}
