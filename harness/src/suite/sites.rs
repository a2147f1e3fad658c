//! Results of several sites as one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::{SCHEMA, SuiteResult, Summary, Tool};

/// What was found out about several sites of one file, asked one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SitesResult {
    /// The version of this shape.
    pub schema: u32,
    /// Who asked.
    pub tool: Tool,
    /// Counts of all sites together.
    pub summary: Summary,
    /// Wall-clock time of all runs in milliseconds.
    pub duration_ms: u64,
    /// One entry for each site, in the order of the file.
    pub sites: Vec<SuiteResult>,
}

impl SitesResult {
    /// The results of these sites together.
    #[must_use]
    pub fn of(sites: Vec<SuiteResult>) -> Self {
        Self {
            schema: SCHEMA,
            tool: Tool::this(),
            summary: sites.iter().map(|site| site.summary).sum(),
            duration_ms: sites.iter().map(|site| site.duration_ms).sum(),
            sites,
        }
    }
}
