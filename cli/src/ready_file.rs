//! The file by which scripts learn that something answers, and where.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::error::CommandError;

/// It holds keys.
const PRIVATE: u32 = 0o600;

/// A file that appears whole, once something answers; one of an earlier run is removed before.
#[derive(Debug)]
pub(crate) struct ReadyFile(Option<PathBuf>);

impl ReadyFile {
    /// Prepares for a file at this path; nothing where none is wanted.
    pub(crate) fn at(path: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        match cleared(path) {
            Ok(()) => Ok(Self(Some(path.to_owned()))),
            Err(cause) => Err(CommandError::Output {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// Writes the file.
    pub(crate) fn write(&self, value: &Value) -> Result<(), CommandError> {
        let Some(path) = &self.0 else {
            return Ok(());
        };
        written(path, &format!("{value:#}\n")).map_err(|cause| CommandError::Output {
            path: path.clone(),
            cause,
        })
    }
}

/// A script that waits for the file must not find the one of yesterday.
fn cleared(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if found.is_file() => fs::remove_file(path),
        // A pipe or a terminal stays what it is.
        Ok(_) => Ok(()),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Beside its place first, so that no reader sees half of it.
fn written(path: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, text);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE)
        .open(&beside)?;
    file.write_all(text.as_bytes())
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            // The first error is the one to tell.
            let _ = fs::remove_file(&beside);
        })
}
