//! The embedded candidate of a test executable: the executable itself, started again with a hidden argument.

mod serving;

use proxyproof_harness::{Candidate, Deployment, suite::SuiteResult};

pub(crate) use self::serving::serve_if_asked;
use crate::asked::ask_of;

/// Asks the reference with these defects what these filters mean.
pub(crate) fn ask(defects: &[&str], filters: &[String]) -> Result<SuiteResult, String> {
    let candidate = Candidate::named("reference").map_err(|error| error.in_full())?;
    let candidate = candidate.with_defects(defects.iter().copied());
    ask_of(&candidate, &Deployment::cpa_two_hosts(), filters)
}
