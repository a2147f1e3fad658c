//! The mocks held against recordings of the real programs: the same bytes in the same state bring the same bytes back.
#![expect(clippy::unwrap_used, reason = "the whole target is tests")]

mod front;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, front::trials()).exit();
}

/// The trial of a recording: `cpa/chat-sse` becomes `conformance::cpa::chat-sse`.
fn trial_name(id: &str) -> String {
    format!("conformance::{}", id.replacen('/', "::", 1))
}
