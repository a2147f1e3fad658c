//! The JSON report: the result as it is, and the schema of its shape.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use crate::suite::{SitesResult, SuiteResult};

/// What is written: the result of a run, or those of several sites.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Report {
    One(Box<SuiteResult>),
    Several(SitesResult),
}

/// Writes a result as indented JSON with a final line feed; of several sites, a [`SitesResult`].
///
/// # Errors
/// When `target` can't be written.
pub fn write_json(results: &[SuiteResult], mut target: impl io::Write) -> io::Result<()> {
    let report = match results {
        [one] => Report::One(Box::new(one.clone())),
        several => Report::Several(SitesResult::of(several.to_vec())),
    };
    serde_json::to_writer_pretty(&mut target, &report)?;
    target.write_all(b"\n")?;
    target.flush()
}

/// Reads a result that [`write_json`] wrote of one site.
///
/// # Errors
/// When the text is no such JSON.
pub fn read_json(text: &str) -> Result<SuiteResult, serde_json::Error> {
    serde_json::from_str(text)
}

/// The JSON Schema (draft 2020-12) of what [`write_json`] writes, indented.
pub fn schema() -> String {
    crate::schema::text_of::<Report>()
}
