//! The user's files and their private copies.

use std::sync::Arc;

use serde::Serialize;

use super::LaunchFile;

/// The files of a staged candidate as the user wrote them, for pointing into them.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    files: Vec<Arc<LaunchFile>>,
}

/// A place in a file of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as the user names it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters.
    pub length: usize,
    /// The whole line, without its end.
    pub text: String,
}

impl Configuration {
    /// The files, the main one first.
    #[must_use]
    pub fn files(&self) -> &[Arc<LaunchFile>] {
        &self.files
    }
}
