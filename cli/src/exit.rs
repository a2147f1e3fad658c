//! How the command ends: the only place that gives exit codes a meaning.

use std::process::ExitCode;

use proxyproof_harness::{
    Level,
    suite::{SuiteResult, Summary},
};

/// An exit code with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Everything that was asked holds, as far as `--fail-on` looks.
    pub(crate) const PASS: Self = Self(0);
    /// A promise is broken, or a verdict was not the same every time.
    pub(crate) const FINDINGS: Self = Self(1);
    /// The command line, or a file that it names, makes no sense.
    pub(crate) const USAGE: Self = Self(2);
    /// The harness could not ask: a candidate that does not start, a scenario that is broken, a report that can't be written.
    pub(crate) const COULD_NOT_ASK: Self = Self(3);
    /// The filters select no scenario, or none that this candidate and this site can be asked.
    pub(crate) const NOTHING_SELECTED: Self = Self(4);
    /// A known gap passed, so that its entry is stale.
    pub(crate) const KNOWN_GAP_PASSED: Self = Self(5);
    /// A figure is slower than the baseline, or the objective, allows.
    pub(crate) const SLOWER: Self = Self(6);
    /// Stopped by SIGINT, as shells count: 128 and the signal's number.
    pub(crate) const INTERRUPTED: Self = Self(130);
    /// Stopped by SIGTERM.
    pub(crate) const TERMINATED: Self = Self(143);

    /// What the results of a run, that no signal stopped, come to; the first that applies in the order of the codes.
    pub(crate) fn of(results: &[SuiteResult], fail_on: Level) -> Self {
        let summary: Summary = results.iter().map(|result| result.summary).sum();
        let recommended = if fail_on >= Level::Recommended {
            summary.recommended_failed
        } else {
            0
        };
        if summary.required_failed + recommended + summary.unstable > 0 {
            Self::FINDINGS
        } else if summary.broken > 0 {
            Self::COULD_NOT_ASK
        } else if summary.asked_nothing() && !results.iter().any(|result| result.interrupted) {
            Self::NOTHING_SELECTED
        } else if results.iter().any(|result| !result.stale_gaps.is_empty()) {
            Self::KNOWN_GAP_PASSED
        } else {
            Self::PASS
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// The end of every long help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  everything asked holds
    1  findings: a promise is broken, or a verdict was not the same in every round
    2  usage: the command line, or a file that it names, makes no sense
    3  the harness could not ask
    4  nothing selected
    5  a known gap passed: its entry in the manifest is stale
    6  slower than the baseline or the objective allows
  130  stopped by Ctrl-C (SIGINT), after a report of what was asked until then
  143  stopped by SIGTERM, likewise";
