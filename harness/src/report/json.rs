//! The JSON report: the result as it is, and the schema of its shape.

use std::io;

use crate::suite::SuiteResult;

/// Writes the result as indented JSON with a final line feed.
///
/// # Errors
/// When `target` can't be written.
pub fn write_json(result: &SuiteResult, mut target: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut target, result)?;
    target.write_all(b"\n")?;
    target.flush()
}

/// Reads a result that [`write_json`] wrote.
///
/// # Errors
/// When the text is no such JSON.
pub fn read_json(text: &str) -> Result<SuiteResult, serde_json::Error> {
    serde_json::from_str(text)
}

/// The JSON Schema (draft 2020-12) of what [`write_json`] writes, indented.
pub fn schema() -> String {
    crate::schema::text_of::<SuiteResult>()
}
