//! A scenario as a reader counts it: once, whatever the number of protocols.

use crate::{
    level::Level,
    suite::{Outcome, SuiteResult},
    verdict::Verdict,
};

/// All outcomes of one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) id: &'a str,
    pub(crate) level: Level,
    pub(crate) outcomes: Vec<&'a Outcome>,
}

impl<'a> Standing<'a> {
    /// Every scenario of a result, in report order.
    pub(crate) fn all(result: &'a SuiteResult) -> Vec<Self> {
        let mut standings: Vec<Self> = Vec::new();
        for outcome in &result.scenarios {
            match standings
                .iter_mut()
                .find(|standing| standing.id == outcome.id)
            {
                Some(standing) => standing.outcomes.push(outcome),
                None => standings.push(Self {
                    id: &outcome.id,
                    level: outcome.level,
                    outcomes: vec![outcome],
                }),
            }
        }
        standings
    }

    /// The worst verdict on any protocol; skipped only when it was asked on none.
    pub(crate) fn verdict(&self) -> Verdict {
        let asked = self
            .outcomes
            .iter()
            .map(|o| o.verdict)
            .filter(|verdict| *verdict != Verdict::Skipped);
        asked.max().unwrap_or(Verdict::Skipped)
    }

    pub(crate) fn topic(&self) -> &'a str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// The outcomes with this verdict.
    pub(crate) fn with(&self, verdict: Verdict) -> Vec<&'a Outcome> {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.verdict == verdict)
            .copied()
            .collect()
    }
}

/// The protocols of some outcomes, `chain` standing for both chains.
pub(crate) fn protocols(outcomes: &[&Outcome]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !names.contains(&outcome.protocol.as_str()) {
            names.push(&outcome.protocol);
        }
    }
    let chains = ["chain-h1", "chain-h2"];
    if chains.iter().all(|chain| names.contains(chain)) {
        names.retain(|name| !chains.contains(name));
        names.push("chain");
    }
    names.join(" ")
}
