//! The mocks held against recordings of the real programs: the same bytes in the same state bring the same bytes back.
#![expect(clippy::unwrap_used, reason = "the whole target is tests")]

mod canonical;
mod front;
mod recording;
mod usage;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = front::trials().into_iter().chain(usage::trials()).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// The trial of a recording: `cpa/chat-sse` becomes `conformance::cpa::chat-sse`.
fn trial_name(id: &str) -> String {
    format!("conformance::{}", id.replacen('/', "::", 1))
}
