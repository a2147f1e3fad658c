//! What is neither a failure nor a pass: gaps that passed, verdicts that changed, what was skipped and why.

use super::{
    page::{Terminal, first_line},
    styles::paint,
};
use crate::{report::standing::Standing, suite::SuiteResult, verdict::Verdict};

impl Terminal {
    pub(super) fn notes(&self, result: &SuiteResult, standings: &[Standing<'_>]) -> Vec<String> {
        let mut notes = self.stale(result);
        notes.extend(self.unstable(result));
        notes.extend(self.reasons(standings, Verdict::Known));
        notes.extend(self.reasons(standings, Verdict::Skipped));
        notes
    }

    fn stale(&self, result: &SuiteResult) -> Vec<String> {
        let mark = paint(self.styles.known, "known gap passed");
        let gaps = result.stale_gaps.iter();
        gaps.map(|gap| format!("{mark}  {}: remove the entry ({})", gap.pattern, gap.reason))
            .collect()
    }

    fn unstable(&self, result: &SuiteResult) -> Vec<String> {
        let mark = paint(self.styles.fail, "unstable");
        let changed = result
            .scenarios
            .iter()
            .filter(|outcome| !outcome.unstable.is_empty());
        changed
            .map(|outcome| {
                let counts: Vec<String> = outcome
                    .unstable
                    .iter()
                    .map(|(verdict, count)| format!("{verdict} {count}×"))
                    .collect();
                format!(
                    "{mark}  {}@{}: {}",
                    outcome.id,
                    outcome.protocol,
                    counts.join(", ")
                )
            })
            .collect()
    }

    /// One line for each reason why scenarios as a whole have this verdict.
    fn reasons(&self, standings: &[Standing<'_>], verdict: Verdict) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for standing in standings
            .iter()
            .filter(|standing| standing.verdict() == verdict)
        {
            let reason = standing.with(verdict)[0]
                .reason
                .as_deref()
                .map(first_line)
                .unwrap_or_default();
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, ids)) => ids.push(standing.id),
                None => reasons.push((reason, vec![standing.id])),
            }
        }
        let mark = paint(self.style(verdict), format!("{verdict:7}"));
        let line = |(reason, ids): (&str, Vec<&str>)| match ids.len() - 1 {
            0 => format!("{mark}  {}: {reason}", ids[0]),
            more => format!("{mark}  {} (+{more} more): {reason}", ids[0]),
        };
        reasons.into_iter().map(line).collect()
    }
}
