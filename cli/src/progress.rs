//! What runs at the moment, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxyproof_harness::suite::{CandidateName, Outcome, Sink, SuiteResult};

/// At most so often is it drawn, in times a second.
const RATE: u8 = 10;
/// So many of the running scenarios are named.
const NAMED: usize = 3;

/// One line on stderr that goes away at the end.
pub(crate) struct Progress {
    bar: ProgressBar,
    running: Vec<String>,
    round: u32,
    rounds: u32,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(RATE));
        let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {elapsed} {msg}");
        bar.set_style(style.expect("the template is a constant"));
        Self {
            bar,
            running: Vec::new(),
            round: 1,
            rounds: 1,
        }
    }

    fn tell(&self) {
        let round = if self.rounds > 1 {
            format!("round {}/{} ", self.round, self.rounds)
        } else {
            String::new()
        };
        let named = self
            .running
            .iter()
            .take(NAMED)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let more = match self.running.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" +{more}"),
        };
        self.bar.set_message(format!("{round}{named}{more}"));
    }
}

impl Sink for Progress {
    fn suite_started(
        &mut self,
        _candidate: &CandidateName,
        _deployment: &str,
        entries: usize,
        rounds: u32,
    ) {
        self.rounds = rounds;
        self.bar.set_length(entries as u64);
        self.bar
            .enable_steady_tick(Duration::from_secs(1) / u32::from(RATE));
    }

    fn round_started(&mut self, round: u32) {
        self.round = round;
        self.running.clear();
        self.bar.set_position(0);
        self.tell();
    }

    fn scenario_started(&mut self, id: &str, protocol: &str) {
        self.running.push(format!("{id}@{protocol}"));
        self.tell();
    }

    fn scenario_finished(&mut self, outcome: &Outcome) {
        let name = format!("{}@{}", outcome.id, outcome.protocol);
        self.running.retain(|running| *running != name);
        self.bar.inc(1);
        self.tell();
    }

    fn suite_finished(&mut self, _result: &SuiteResult) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
