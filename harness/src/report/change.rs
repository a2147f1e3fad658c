//! Findings by the change that mends them: what somebody has to do, shortest list first.

use super::standing::Standing;
use crate::{finding::Finding, level::Level, verdict::Verdict};

/// One edit, and everything that it mends.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    /// `file:line`, or whose fault it is where no file is known.
    pub(crate) address: String,
    /// What is wrong there.
    pub(crate) because: &'a str,
    /// The strictest level among what it mends.
    pub(crate) level: Level,
    /// The scenarios that it mends, in report order.
    pub(crate) scenarios: Vec<&'a str>,
}

impl<'a> Change<'a> {
    /// Every change that the failures ask for: required ones first, then those that mend most.
    pub(crate) fn all(standings: &[Standing<'a>]) -> Vec<Self> {
        let mut changes: Vec<(Self, &'a Finding)> = Vec::new();
        for standing in standings {
            for finding in standing
                .with(Verdict::Fail)
                .into_iter()
                .flat_map(|outcome| &outcome.findings)
            {
                match changes
                    .iter_mut()
                    .find(|(_, first)| same_change(first, finding))
                {
                    Some((change, _)) => change.mends(standing),
                    None => changes.push((Self::of(finding, standing), finding)),
                }
            }
        }
        let mut changes: Vec<Self> = changes.into_iter().map(|(change, _)| change).collect();
        changes.sort_by_key(|change| (change.level, std::cmp::Reverse(change.scenarios.len())));
        changes
    }

    fn of(finding: &'a Finding, standing: &Standing<'a>) -> Self {
        let hint = finding.hint.as_ref();
        let address = hint
            .map(|hint| hint.address())
            .filter(|address| !address.is_empty());
        Self {
            address: address.unwrap_or_else(|| finding.blame.name().to_owned()),
            because: hint.map_or(finding.message.as_str(), |hint| hint.because.as_str()),
            level: standing.level,
            scenarios: vec![standing.id],
        }
    }

    fn mends(&mut self, standing: &Standing<'a>) {
        self.level = self.level.min(standing.level);
        if !self.scenarios.contains(&standing.id) {
            self.scenarios.push(standing.id);
        }
    }
}

fn same_change(one: &Finding, other: &Finding) -> bool {
    match (&one.hint, &other.hint) {
        (Some(one), Some(other)) => {
            one.file == other.file && one.place == other.place && one.change == other.change
        }
        (None, None) => one.code == other.code && one.blame == other.blame,
        _ => false,
    }
}
