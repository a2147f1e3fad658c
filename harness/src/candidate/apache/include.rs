//! The files that an Apache configuration includes.

use std::path::{Path, PathBuf};

use super::reader::{Line, Variables, lines};
use crate::candidate::user_file::UserFile;
use crate::error::HarnessError;

/// The files that one `Include` means.
#[derive(Debug)]
pub(super) struct Group {
    /// Its argument, with the values of variables.
    pub(super) written: String,
    /// What the private copies are called, in Apache's order.
    pub(super) files: Vec<(String, UserFile)>,
    /// What means all of them in the private directory.
    pub(super) pattern: String,
}

/// Everything that a file includes, however deep, with what is defined there.
pub(super) fn followed(
    main: &UserFile,
    root: &Path,
    variables: &mut Variables,
) -> Result<Vec<Group>, HarnessError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut open = vec![main.text.clone()];
    while let Some(text) = open.pop() {
        for line in lines(&text, variables).into_iter().filter(is_include) {
            let written = line.value(0).to_owned();
            if groups.iter().any(|group| group.written == written) {
                continue;
            }
            let number = groups.len() + 1;
            let mut files = Vec::new();
            for (index, path) in meant(&root.join(&written), DEEPEST).iter().enumerate() {
                let file = UserFile::read(path)?;
                open.push(file.text.clone());
                files.push((format!("included-{number}-{index:04}.conf"), file));
            }
            groups.push(Group {
                written,
                files,
                pattern: format!("included-{number}-*.conf"),
            });
        }
    }
    Ok(groups)
}

pub(super) fn is_include(line: &Line) -> bool {
    ["include", "includeoptional"].contains(&&*line.name)
}

/// A file, every file below a folder, or what a pattern means; by name.
fn meant(path: &Path, depth: usize) -> Vec<PathBuf> {
    let found = match path.exists() {
        true => vec![path.to_owned()],
        false => matching(&path.to_string_lossy()),
    };
    let below = |path: PathBuf| match path.is_dir() {
        true if depth == 0 => Vec::new(),
        true => meant(&path.join("*"), depth - 1),
        false => vec![path],
    };
    found.into_iter().flat_map(below).take(MOST).collect()
}

/// Like Apache, a pattern passes over files that are hidden.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let mut found: Vec<PathBuf> = match glob::glob_with(pattern, options) {
        Ok(found) => found.flatten().collect(),
        Err(_) => Vec::new(),
    };
    found.sort();
    found
}

/// More than any server has: a pattern that means a whole disk is a mistake.
const MOST: usize = 1000;
/// Folders in folders, which may lead round in a circle.
const DEEPEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_mean_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("sites/more")).unwrap();
        std::os::unix::fs::symlink(path("sites"), path("sites/more/circle")).unwrap();
        for name in [
            "sites/b.conf",
            "sites/a.conf",
            "sites/.c.conf",
            "sites/more/d.conf",
        ] {
            std::fs::write(path(name), "").unwrap();
        }
        let names = |written: &str, depth| meant(&path(written), depth);
        assert_eq!(
            names("sites/*.conf", DEEPEST),
            [path("sites/a.conf"), path("sites/b.conf")]
        );
        assert_eq!(
            names("sites", 2),
            ["sites/a.conf", "sites/b.conf", "sites/more/d.conf"].map(path)
        );
        assert_eq!(names("sites/b.conf", DEEPEST), [path("sites/b.conf")]);
        assert!(names("nowhere", DEEPEST).is_empty());
    }
}
