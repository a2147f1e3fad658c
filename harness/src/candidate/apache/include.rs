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
            for (index, path) in meant(&root.join(&written)).iter().enumerate() {
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
fn meant(path: &Path) -> Vec<PathBuf> {
    let pattern = path.to_string_lossy();
    let mut found: Vec<PathBuf> = match glob::glob(&pattern) {
        Ok(found) => found.flatten().collect(),
        Err(_) => Vec::new(),
    };
    if path.exists() {
        found = vec![path.to_owned()];
    }
    found.sort();
    let below = |path: PathBuf| match path.is_dir() {
        true => meant(&path.join("*")),
        false => vec![path],
    };
    found.into_iter().flat_map(below).take(MOST).collect()
}

/// More than any server has: a pattern that means a whole disk is a mistake.
const MOST: usize = 1000;
