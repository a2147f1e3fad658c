//! One mismatch, with everything that somebody needs to mend it.

use std::{fmt, net::SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{blame::Blame, hint::Hint, scenario::Reach};

/// One way to break a promise, under a name that never changes: what hints and `explain` refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `topic.what_is_wrong`, lower case.
    pub name: &'static str,
    /// What is wrong, as a sentence in the reader's terms, without a final period.
    pub message: &'static str,
    /// What follows from it for CPA, the usage service or a client, as a sentence.
    pub why: &'static str,
}

impl Code {
    /// A code; the arguments are the fields in order.
    pub const fn new(name: &'static str, message: &'static str, why: &'static str) -> Self {
        Self { name, message, why }
    }

    /// An empty finding under this code.
    pub fn finding(self) -> Finding {
        Finding::new(self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// One mismatch: what was sent, what arrived, what came back, whose fault it is and what to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The stable name, `topic.what_is_wrong`.
    pub code: String,
    /// What is wrong, in the reader's terms.
    pub message: String,
    /// Which row of a table, or which of several steps, this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The request as the client wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Exhibit>,
    /// The request as the upstreams read it: nothing, or one entry for each time it arrived.
    #[serde(default)]
    pub arrived: Vec<Exhibit>,
    /// The answer as the client read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Exhibit>,
    /// Names of the header fields that matter here; empty when the whole heads do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus: Vec<String>,
    /// What should have happened.
    pub expected: String,
    /// What happened instead.
    pub observed: String,
    /// What follows from it.
    pub why: String,
    /// Whose fault it is.
    pub blame: Blame,
    /// What in the evidence says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub blame_reason: String,
    /// What to change in the candidate's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// What happened when, at both ends, on one clock.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The command that asks again.
    #[serde(default)]
    pub rerun: String,
    /// The client's end, by which the front's own records are found; no part of a report.
    #[serde(skip)]
    pub(crate) client: Option<SocketAddr>,
    /// What a control did not reach; no part of a report.
    #[serde(skip)]
    pub(crate) unreached: Option<Reach>,
}

/// Something that was on a wire, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exhibit {
    /// Lines, with bytes that are not printable written `\xNN`.
    pub text: String,
    /// Where and between whom, such as `at cpa, connection 4, request 1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// One thing that one end did or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Microseconds since the client began to send; negative before it.
    pub at_us: i64,
    /// `client`, `front`, `candidate` or the upstream's name.
    pub who: String,
    /// What it did or saw.
    pub what: String,
}

impl Finding {
    /// A finding under `code`, blamed on the candidate until evidence says otherwise.
    pub fn new(code: Code) -> Self {
        Self {
            code: code.name.to_owned(),
            message: code.message.to_owned(),
            why: code.why.to_owned(),
            ..Self::default()
        }
    }

    /// Which row of a table, or which step, it is about.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// What should have happened.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// What happened instead.
    #[must_use]
    pub fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = observed.into();
        self
    }

    /// What follows, where the code's own sentence is not precise enough.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// What a control did not reach: what relies on it is not asked.
    #[must_use]
    pub fn unreached(mut self, reach: Reach) -> Self {
        self.unreached = Some(reach);
        self
    }

    /// Shows only these header fields of the heads.
    #[must_use]
    pub fn focus(mut self, names: &[&str]) -> Self {
        self.focus
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Whose fault it is and what says so; overrules what was worked out from the evidence.
    #[must_use]
    pub fn blame(mut self, blame: Blame, reason: impl Into<String>) -> Self {
        self.blame = blame;
        self.blame_reason = reason.into();
        self
    }

    /// Adds one thing that one end did or saw, `at_us` microseconds after the client began to send.
    #[must_use]
    pub fn evidence(mut self, at_us: i64, who: impl Into<String>, what: impl Into<String>) -> Self {
        let entry = Evidence {
            at_us,
            who: who.into(),
            what: what.into(),
        };
        let place = self
            .evidence
            .partition_point(|other| other.at_us <= entry.at_us);
        self.evidence.insert(place, entry);
        self
    }
}
