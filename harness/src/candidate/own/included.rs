//! Where the files come from that a configuration includes.

use std::path::{Path, PathBuf};

use glob::MatchOptions;
use proxyproof_oracle::conf::{Dump, Loader as _, is_glob};

use crate::error::HarnessError;

/// Where included files are looked for.
#[derive(Clone, Debug)]
pub(super) enum IncludedFiles {
    /// In these folders, in this order; the first is that of the main file, to which NGINX takes includes to be relative.
    Folders(Vec<PathBuf>),
    /// In the output of `nginx -T`, which has them all.
    Dump(Box<Dump>),
}

/// An included file.
pub(super) struct IncludedFile {
    /// Its name, as a user would write it.
    pub(super) name: String,
    content: Content,
}

enum Content {
    OnDisk(PathBuf),
    Known(Vec<u8>),
}

impl IncludedFiles {
    /// The files beside a main file. Those of a fragment in `conf.d` or `sites-enabled` are NGINX's own, whose folder is
    /// above it.
    pub(super) fn beside(main: &Path) -> Self {
        let folder = main.parent().unwrap_or(Path::new("")).to_owned();
        let mut folders = vec![folder.clone()];
        let whole = folder.canonicalize().unwrap_or(folder);
        let above = whole.ancestors().skip(1);
        folders.extend(
            above
                .filter(|folder| folder.join("nginx.conf").is_file())
                .map(Path::to_owned),
        );
        Self::Folders(folders)
    }

    /// What an `include` means, in the order in which NGINX reads it: by name.
    pub(super) fn of(&self, pattern: &str) -> Vec<IncludedFile> {
        match self {
            Self::Folders(folders) => folders
                .iter()
                .map(|folder| on_disk(&folder.join(pattern)))
                .find(|files| !files.is_empty())
                .unwrap_or_default(),
            Self::Dump(dump) => {
                let found = dump.sources().load(pattern).unwrap_or_default().into_iter();
                let known = found.map(|(name, text)| IncludedFile {
                    name,
                    content: Content::Known(text),
                });
                known.collect()
            }
        }
    }
}

impl IncludedFile {
    pub(super) fn text(&self) -> Result<Vec<u8>, HarnessError> {
        match &self.content {
            Content::Known(text) => Ok(text.clone()),
            Content::OnDisk(path) => {
                std::fs::read(path).map_err(|cause| HarnessError::Unreadable {
                    file: self.name.clone(),
                    cause,
                })
            }
        }
    }
}

fn on_disk(path: &Path) -> Vec<IncludedFile> {
    let file = |path: PathBuf| IncludedFile {
        name: path.display().to_string(),
        content: Content::OnDisk(path),
    };
    let pattern = path.to_string_lossy();
    if !is_glob(&pattern) {
        return path
            .is_file()
            .then(|| file(path.to_owned()))
            .into_iter()
            .collect();
    }
    let Ok(found) = glob::glob_with(&pattern, AS_GLOB_3) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = found.flatten().filter(|file| file.is_file()).collect();
    files.sort();
    files.into_iter().map(file).collect()
}

/// As glob(3), which NGINX uses: `*` crosses no slash and finds no hidden file.
const AS_GLOB_3: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};
