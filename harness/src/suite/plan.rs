//! What will be asked, in which order, how much of it at once.

use crate::{
    protocol::Protocol,
    scenario::{Scenario, StageUse},
    suite::filter::Selection,
};

/// What will be asked.
#[derive(Clone, Debug)]
pub struct Plan {
    asked: Vec<Asked>,
    /// What has to hold on each protocol that is asked, before anything else is.
    controls: Vec<Asked>,
    /// How many scenarios run at once; they mostly wait, so this may exceed the number of cores by far.
    pub jobs: usize,
    /// How often everything is asked.
    pub rounds: u32,
}

/// One scenario on one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The claim and the code that tries to falsify it.
    pub scenario: &'static Scenario,
    /// How the candidate is reached.
    pub protocol: Protocol,
}

/// There is nothing to ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A filter means no scenario at all.
    #[error("no scenario matches `{filter}`")]
    FilterMatchesNothing {
        /// The filter as it was given.
        filter: String,
        /// The id that was probably meant.
        nearest: Option<&'static str>,
    },
    /// Every filter means something, but nothing of it is of the wanted level.
    #[error("the filters and the level select no scenario")]
    NothingSelected,
}

impl Plan {
    /// Scenarios that run at once unless the caller says otherwise.
    ///
    /// Chosen so that a suite of some hundred scenarios, most of which wait, keeps two cores busy without making
    /// them late.
    pub const DEFAULT_JOBS: usize = 12;

    /// Everything in `all`, in that order, that `selection` means.
    ///
    /// # Errors
    /// When a filter matches nothing, or nothing is left.
    pub fn of(all: &[&'static Scenario], selection: &Selection) -> Result<Self, PlanError> {
        let mut wanted: Vec<(&str, Protocol)> = Vec::new();
        for filter in &selection.filters {
            let meant = filter.select(all);
            if meant.is_empty() {
                return Err(PlanError::FilterMatchesNothing {
                    filter: filter.text().to_owned(),
                    nearest: nearest(filter.text(), all),
                });
            }
            wanted.extend(
                meant
                    .into_iter()
                    .map(|(scenario, protocol)| (scenario.id, protocol)),
            );
        }
        let asked: Vec<Asked> = all
            .iter()
            .filter(|scenario| selection.admits(scenario))
            .flat_map(|scenario| {
                scenario
                    .protocols
                    .iter()
                    .map(|&protocol| Asked { scenario, protocol })
            })
            .filter(|asked| {
                selection.filters.is_empty()
                    || wanted.contains(&(asked.scenario.id, asked.protocol))
            })
            .collect();
        if asked.is_empty() {
            return Err(PlanError::NothingSelected);
        }
        let on_asked = |control: &Asked| asked.iter().any(|one| one.protocol == control.protocol);
        let controls = all
            .iter()
            .filter(|one| matches!(one.stage, StageUse::Control));
        let controls = controls.flat_map(|scenario| {
            let protocols = scenario.protocols.iter();
            protocols.map(move |&protocol| Asked { scenario, protocol })
        });
        Ok(Self {
            controls: controls.filter(on_asked).collect(),
            asked,
            jobs: Self::DEFAULT_JOBS,
            rounds: 1,
        })
    }

    /// How many run at once; at least one.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// How often everything is asked; at least once.
    #[must_use]
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// What is asked in each round, in report order.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// What is asked first, whether it is selected or not.
    pub(crate) fn controls(&self) -> &[Asked] {
        &self.controls
    }

    /// How many scenarios there are, however many protocols each is asked on.
    pub fn scenarios(&self) -> usize {
        let mut ids: Vec<&str> = self.asked.iter().map(|asked| asked.scenario.id).collect();
        ids.dedup();
        ids.len()
    }
}

impl Asked {
    /// `topic/claim@protocol`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.scenario.id, self.protocol)
    }
}

fn nearest(filter: &str, all: &[&'static Scenario]) -> Option<&'static str> {
    let (pattern, _) = filter.rsplit_once('@').unwrap_or((filter, ""));
    let claims = |scenario: &&'static Scenario| scenario.id.split('/').nth(1).unwrap_or_default();
    let ids = all.iter().map(|scenario| scenario.id);
    crate::document::nearest(pattern, ids).or_else(|| {
        let claim = crate::document::nearest(pattern, all.iter().map(claims))?;
        all.iter()
            .find(|scenario| claims(scenario) == claim)
            .map(|scenario| scenario.id)
    })
}
