//! Brings the outcomes of several rounds together.

use std::collections::BTreeMap;

use super::{Outcome, StaleGap};
use crate::{
    candidate::{Candidate, KnownGap, Occurrence},
    protocol::Protocol,
    verdict::Verdict,
};

/// What became of each entry in all rounds so far, in report order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    worst: Outcome,
    counts: BTreeMap<Verdict, u32>,
}

impl Tally {
    /// Adds a round, which has the same entries in the same order as those before.
    ///
    /// A round that was stopped is not counted for what it did not finish, unless there is nothing else to say.
    pub(crate) fn add(&mut self, round: Vec<Outcome>) {
        if self.entries.is_empty() {
            self.entries = round.into_iter().map(Entry::new).collect();
            return;
        }
        for (entry, outcome) in self.entries.iter_mut().zip(round) {
            entry.add(outcome);
        }
    }

    /// One outcome for each entry.
    pub(crate) fn into_outcomes(self) -> Vec<Outcome> {
        self.entries.into_iter().map(Entry::into_outcome).collect()
    }
}

impl Entry {
    fn new(outcome: Outcome) -> Self {
        Self {
            counts: BTreeMap::from([(outcome.verdict, 1)]),
            worst: outcome,
        }
    }

    fn add(&mut self, outcome: Outcome) {
        if outcome.verdict == Verdict::Skipped {
            return;
        }
        if self.worst.verdict == Verdict::Skipped {
            *self = Self::new(outcome);
            return;
        }
        *self.counts.entry(outcome.verdict).or_default() += 1;
        let longest = self.worst.duration_ms.max(outcome.duration_ms);
        if outcome.verdict > self.worst.verdict {
            self.worst = outcome;
        }
        self.worst.duration_ms = longest;
    }

    fn into_outcome(self) -> Outcome {
        let mut outcome = self.worst;
        // A known gap may be one that does not show every time.
        let expected = |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::Known);
        if self.counts.len() > 1 && !self.counts.keys().all(expected) {
            outcome.unstable = self.counts;
        }
        outcome
    }
}

/// The known gaps that were asked about and explain no finding, where nothing else went wrong instead.
pub(crate) fn stale_gaps(candidate: &Candidate, outcomes: &[Outcome]) -> Vec<StaleGap> {
    let stale = |gap: &&KnownGap| {
        let mut covered = covered(gap, outcomes).peekable();
        let shows_not = |outcome: &Outcome| {
            let decided = matches!(outcome.verdict, Verdict::Pass | Verdict::Known);
            decided && !outcome.findings.iter().any(|finding| gap.explains(finding))
        };
        covered.peek().is_some() && covered.all(shows_not)
    };
    let steady = |gap: &&KnownGap| gap.occurrence == Occurrence::Always;
    let gaps = candidate.known.iter().filter(steady).filter(stale);
    gaps.map(|gap| StaleGap {
        pattern: gap.entry(),
        reason: gap.reason.clone(),
    })
    .collect()
}

fn covered<'o>(gap: &'o KnownGap, outcomes: &'o [Outcome]) -> impl Iterator<Item = &'o Outcome> {
    let covers = |outcome: &&Outcome| {
        let protocol: Result<Protocol, _> = outcome.protocol.parse();
        protocol.is_ok_and(|protocol| gap.covers(&outcome.id, protocol))
    };
    let asked = outcomes
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Skipped);
    asked.filter(covers)
}
