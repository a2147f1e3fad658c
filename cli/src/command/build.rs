//! Another build of a candidate's program.

use std::{
    io,
    path::{Path, PathBuf},
};

use proxyproof_harness::{Candidate, HarnessError};

use crate::error::CommandError;

/// Why a file is no build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildFault {
    /// A name without a folder is looked for on the `PATH`.
    #[error("it is not on the PATH")]
    NotOnPath {
        /// The file of this name in the current folder.
        here: Option<PathBuf>,
    },
    /// The system does not find it, or does not let it be looked at.
    #[error("{}", words(.0))]
    Unreachable(io::Error),
    /// A folder, a socket, a device.
    #[error("it is no file")]
    NoFile,
    /// A file that nobody may execute.
    #[error("it is not executable")]
    NotExecutable,
}

/// The candidate as this build of it, or as the manifest has it; the version is asked for.
pub(crate) fn installed(
    candidate: Candidate,
    binary: Option<&Path>,
) -> Result<Candidate, CommandError> {
    let Some(binary) = binary else {
        return Ok(candidate.installed()?);
    };
    match candidate.with_binary(binary).installed() {
        Err(HarnessError::NotInstalled { .. }) => Err(CommandError::Build {
            path: binary.to_owned(),
            fault: fault(binary),
        }),
        result => Ok(result?),
    }
}

fn fault(binary: &Path) -> BuildFault {
    if binary.components().count() == 1 {
        let here = Path::new(".").join(binary);
        return BuildFault::NotOnPath {
            here: here.is_file().then_some(here),
        };
    }
    match binary.metadata() {
        Err(cause) => BuildFault::Unreachable(cause),
        Ok(file) if file.is_file() => BuildFault::NotExecutable,
        Ok(_) => BuildFault::NoFile,
    }
}

impl BuildFault {
    /// What to do about it.
    pub(crate) fn help(&self, path: &Path) -> String {
        match self {
            Self::NotOnPath { here: Some(here) } => {
                format!("`{}` is the file in this folder", here.display())
            }
            Self::NotExecutable => format!("`chmod +x {}` makes it so", path.display()),
            _ => "give the path of an executable, as in `/usr/sbin/nginx`".to_owned(),
        }
    }
}

fn words(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => cause.to_string(),
    }
}
