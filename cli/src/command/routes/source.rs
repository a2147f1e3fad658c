//! Configurations on disk and in the gallery.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use glob::MatchOptions;
use proxyproof_harness::{Candidate, HarnessError};
use proxyproof_oracle::{
    conf::{LoadError, Loader, Sources, is_glob},
    routes::Config,
};

use crate::error::CommandError;

/// Reads a configuration and all that it includes, from the folder of the file as NGINX does.
pub(super) fn file(path: &Path) -> Result<Config, CommandError> {
    let text = fs::read(path).map_err(|cause| CommandError::Configuration {
        path: path.to_owned(),
        cause,
    })?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let name = path.display().to_string();
    Ok(Config::read(&name, text, &mut Folder(folder))?)
}

/// A file, or the configuration of a candidate if no such file is there.
pub(super) fn file_or_candidate(path: &Path) -> Result<Config, CommandError> {
    let name = path.to_string_lossy();
    if path.exists() || path.components().count() > 1 {
        return file(path);
    }
    match Candidate::named(&name) {
        Ok(candidate) => of(&candidate),
        Err(HarnessError::UnknownCandidate { .. }) if name.contains('.') => file(path),
        Err(error) => Err(error.into()),
    }
}

/// The candidate's own files, without the frame that the harness puts around them.
fn of(candidate: &Candidate) -> Result<Config, CommandError> {
    let mut sources = Sources::new();
    let mut text = String::new();
    for file in candidate
        .files()
        .iter()
        .filter(|file| file.name.ends_with(".conf") && file.origin.ends_with(".conf"))
    {
        sources = sources.file(&file.name, file.text.as_bytes());
        text.push_str(&format!("include {};\n", file.name));
    }
    if text.is_empty() {
        return Err(CommandError::NoConfiguration {
            candidate: candidate.name.clone(),
        });
    }
    Ok(Config::read(&candidate.name, text, &mut sources)?)
}

/// The folder of the main file, to which relative includes are relative.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let path = self.0.join(pattern);
        if !is_glob(pattern) {
            return Ok(vec![read(&path)?]);
        }
        let found = glob::glob_with(&path.to_string_lossy(), AS_GLOB_3);
        let found = found.map_err(|error| unreadable(&error))?;
        found
            .map(|path| read(&path.map_err(|error| unreadable(&error))?))
            .collect()
    }
}

fn read(path: &Path) -> Result<(String, Vec<u8>), LoadError> {
    match fs::read(path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LoadError::Missing),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &dyn std::error::Error) -> LoadError {
    LoadError::Unreadable {
        reason: error.to_string(),
    }
}

/// As glob(3), which NGINX uses: `*` crosses no slash and finds no hidden file.
const AS_GLOB_3: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};
