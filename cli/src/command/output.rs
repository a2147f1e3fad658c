//! A file that a report goes to.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use crate::error::CommandError;

/// A file that is known to be writable before the run, and keeps what it has until the report is there.
#[derive(Debug, Default)]
pub(crate) struct Output(Option<(PathBuf, File)>);

impl Output {
    /// Opens the file without touching what is in it; nothing where no file is wanted.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        match opened {
            Ok(file) => Ok(Self(Some((path.to_owned(), file)))),
            Err(cause) => Err(CommandError::Output {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// Replaces what is in the file.
    pub(crate) fn write(
        self,
        report: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        let Some((path, file)) = self.0 else {
            return Ok(());
        };
        emptied(&file)
            .and_then(|()| report(&file))
            .map_err(|cause| CommandError::Report { path, cause })
    }
}

/// A pipe or a terminal has no length to cut.
fn emptied(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)
    } else {
        Ok(())
    }
}
