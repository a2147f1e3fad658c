//! One scenario, asked once.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt;

use super::plan::Asked;
use crate::{
    ask::Ask,
    check::{Checks, THE_EXCHANGE_BROKE_OFF},
    error::HarnessError,
    finding::Finding,
    patience::Patience,
    scenario::Reach,
    stage::RunningStage,
    waiting::Waiting,
};

/// How long one scenario may take on one protocol: every single wait in it is bounded far below this.
pub(crate) const SCENARIO: Patience = Patience::new("scenario", Duration::from_secs(60));

/// What came of asking once.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Why it could not be asked to the end, if so.
    pub(crate) broken: Option<String>,
    /// Why the claim could not be looked at, if so.
    pub(crate) skipped: Option<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) records: BTreeMap<String, String>,
    pub(crate) took: Duration,
}

impl Attempt {
    /// Asks on a stage that is there, for no longer than `patience`.
    pub(crate) async fn on(stage: &RunningStage, asked: Asked, patience: Patience) -> Self {
        Self::of_control(stage, asked, None, patience).await
    }

    /// The same for a control: only what is relied on, where that is said.
    pub(crate) async fn of_control(
        stage: &RunningStage,
        asked: Asked,
        reaches: Option<&BTreeSet<Reach>>,
        patience: Patience,
    ) -> Self {
        let started = Instant::now();
        if !stage.offers(asked.protocol) {
            let missing = format!("the deployment has no way in for {}", asked.protocol);
            return Self::of(
                Checks::new(asked.scenario),
                Some(missing),
                started.elapsed(),
            );
        }
        let ask = Ask::new(stage, asked.protocol).for_what_is_relied_on(reaches);
        let mut checks = Checks::new(asked.scenario);
        let waiting = Waiting::default();
        let asking = AssertUnwindSafe((asked.scenario.run)(&ask, &mut checks)).catch_unwind();
        let ended = patience
            .within("the scenario to end", waiting.hear(asking))
            .await;
        let broken = match ended {
            Ok(Ok(Ok(()))) if checks.is_empty() && waiting.last().is_none() => {
                Some("the scenario asked nothing".to_owned())
            }
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => unasked(error, &mut checks),
            Ok(Err(panic)) => Some(format!(
                "the scenario panicked: {}",
                words_of(panic.as_ref())
            )),
            Err(ran_out) => Some(overrun(ran_out.waited, waiting.last())),
        };
        let mut attempt = Self::of(checks, broken, started.elapsed());
        if let (Some(front), true) = (stage.front(), asked.protocol.is_chain()) {
            for finding in &mut attempt.findings {
                finding.blame_front(front);
            }
        }
        attempt
    }

    /// There was no stage to ask on.
    pub(crate) fn without_stage(error: &HarnessError, took: Duration) -> Self {
        Self {
            broken: Some(error.in_full()),
            skipped: None,
            findings: Vec::new(),
            records: BTreeMap::new(),
            took,
        }
    }

    /// Nothing was found.
    pub(crate) fn clean() -> Self {
        Self {
            broken: None,
            skipped: None,
            findings: Vec::new(),
            records: BTreeMap::new(),
            took: Duration::ZERO,
        }
    }

    /// Whether nothing went wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.broken.is_none() && self.findings.is_empty()
    }

    fn of(checks: Checks, broken: Option<String>, took: Duration) -> Self {
        let unlisted = checks
            .unlisted()
            .map(|code| format!("the scenario pushes `{code}`, which it does not list"));
        let skipped = checks.skipped().map(str::to_owned);
        let (findings, records) = checks.into_parts();
        Self {
            broken: unlisted.or(broken),
            skipped,
            findings,
            records,
            took,
        }
    }
}

/// A probe that breaks off where the scenario does not expect it is the candidate's doing, not ours.
fn unasked(error: HarnessError, checks: &mut Checks) -> Option<String> {
    match error {
        HarnessError::Probe(error) if !error.could_not_ask() => {
            let finding = THE_EXCHANGE_BROKE_OFF
                .finding()
                .expected("an exchange that the scenario can go on with");
            checks.push(finding.observed(format!("failed to {}", crate::error::chain(&error))));
            None
        }
        error => Some(error.in_full()),
    }
}

fn overrun(waited: Duration, last: Option<String>) -> String {
    let last = last.map_or_else(String::new, |awaited| format!("; it waited for {awaited}"));
    format!(
        "the scenario did not end within {:.0} s{last}",
        waited.as_secs_f64()
    )
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
