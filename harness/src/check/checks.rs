//! The collector that every scenario is given.

use std::collections::BTreeMap;

use crate::{
    finding::{Code, Finding},
    scenario::Scenario,
};

/// A probe failed where the scenario expects an exchange to go on. Any scenario may push it.
pub const THE_EXCHANGE_BROKE_OFF: Code = Code::new(
    "exchange.broke_off",
    "an exchange breaks off where it should go on",
    "a client sees an error instead of an answer",
);

/// The candidate's process ended while it was asked. Any scenario may push it.
pub const THE_CANDIDATE_DIED: Code = Code::new(
    "candidate.died",
    "the proxy dies when it is asked this",
    "anybody who can reach the listener can take the site down",
);

/// A control that was answered at first is answered no more. The runner pushes it.
pub const THE_SITE_STOPPED: Code = Code::new(
    "site.stopped_answering",
    "the site stopped answering while it was asked",
    "what was asked meanwhile says nothing, so it is not believed",
);

/// Collects what a scenario finds; none of its methods ends the scenario.
#[derive(Debug)]
pub struct Checks {
    scenario: &'static Scenario,
    findings: Vec<Finding>,
    records: BTreeMap<String, String>,
    subject: Option<String>,
    unlisted: Option<String>,
    skipped: Option<String>,
}

impl Checks {
    /// An empty collector for one run of a scenario.
    pub fn new(scenario: &'static Scenario) -> Self {
        Self {
            scenario,
            findings: Vec::new(),
            records: BTreeMap::new(),
            subject: None,
            unlisted: None,
            skipped: None,
        }
    }

    /// An empty collector for a part of the scenario that runs beside others; [`Checks::absorb`] takes it back.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::new(self.scenario)
    }

    /// Takes over what was collected beside.
    pub fn absorb(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.records.extend(other.records);
        self.unlisted = self.unlisted.take().or(other.unlisted);
        self.skipped = self.skipped.take().or(other.skipped);
    }

    /// Says why the claim could not be looked at: it is skipped with this reason, unless something was found.
    pub fn skip(&mut self, reason: impl Into<String>) {
        self.skipped = Some(reason.into());
    }

    /// Adds a finding, under the subject of [`Checks::about`] unless it has one of its own.
    pub fn push(&mut self, mut finding: Finding) {
        let listed = [THE_EXCHANGE_BROKE_OFF, THE_CANDIDATE_DIED];
        let mut codes = self.scenario.findings.iter().chain(&listed);
        if !codes.any(|code| code.name == finding.code) {
            self.unlisted.get_or_insert_with(|| finding.code.clone());
        }
        if finding.subject.is_none() {
            finding.subject.clone_from(&self.subject);
        }
        self.findings.push(finding);
    }

    /// Names the row of a table, or the step, that the following findings are about.
    pub fn about(&mut self, subject: impl Into<String>) {
        self.subject = Some(subject.into());
    }

    /// Pushes `finding` unless `holds`; gives `holds`.
    pub fn ensure(&mut self, holds: bool, finding: impl FnOnce() -> Finding) -> bool {
        if !holds {
            self.push(finding());
        }
        holds
    }

    /// Notes what an observing scenario saw; a key that is there already gets the new value.
    pub fn record(&mut self, key: impl Into<String>, value: impl std::fmt::Display) {
        self.records.insert(key.into(), value.to_string());
    }

    /// The findings so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The records so far.
    pub fn records(&self) -> &BTreeMap<String, String> {
        &self.records
    }

    /// Nothing was found, recorded or skipped.
    pub(crate) fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.records.is_empty() && self.skipped.is_none()
    }

    /// Why the claim could not be looked at, if so.
    pub(crate) fn skipped(&self) -> Option<&str> {
        self.skipped.as_deref()
    }

    /// A code that was pushed although the scenario does not list it: `explain` would not know it.
    pub(crate) fn unlisted(&self) -> Option<&str> {
        self.unlisted.as_deref()
    }

    pub(crate) fn into_parts(self) -> (Vec<Finding>, BTreeMap<String, String>) {
        (self.findings, self.records)
    }
}
