//! A user's configuration in Apache's language, in the place of the gallery's.
//!
//! `reader` finds lines, words and their places; `include` follows to other files; `directives` knows what leads off the
//! stage, and `copy` makes the rest keep to the private directory, by `destination`.

mod copy;
mod destination;
mod directives;
mod include;
mod reader;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::copy::ApacheCopy;
pub(super) use self::copy::private_copy;
use self::include::{Group, followed};
use self::reader::{Line, Variables, lines};
use super::user_file::UserFile;
use super::{Candidate, LaunchFile, PrivateCopy, Role};
use crate::deployment::Deployment;
use crate::document::DocumentError;
use crate::error::HarnessError;
use crate::stage::loopback_alone;

/// The candidate with this file for its configuration.
pub(super) fn configured(
    candidate: Candidate,
    file: UserFile,
    deployment: &Deployment,
) -> Result<Candidate, HarnessError> {
    let mut variables = Variables::new();
    let root = server_root(&file);
    let groups = followed(&file, &root, &mut variables)?;
    let included = || groups.iter().flat_map(|group| &group.files);
    let files = || std::iter::once(&file).chain(included().map(|(_, file)| file));
    let mut all: Vec<Line> = Vec::new();
    for file in files() {
        let lines = lines(&file.text, &mut variables);
        // Code of its own reaches nothing where nothing is.
        if !loopback_alone() {
            check(file, &lines)?;
        }
        all.extend(lines);
    }
    candidate.names_the_addresses(&file, deployment, |address| {
        all.iter().any(|line| has(line, address))
    })?;
    let copy = copy_of(&candidate, deployment, &groups, variables);
    let included: Vec<Arc<LaunchFile>> = included()
        .map(|(name, file)| Arc::new(launch_file(name, file, &copy)))
        .collect();
    let mut candidate = candidate.with_user_file(file, PrivateCopy::Apache(copy));
    let launch = &mut candidate.launch;
    launch.files.extend(included);
    for arguments in [Some(&mut launch.arguments), launch.validate.as_mut()] {
        let before = copy::before(&root);
        arguments
            .into_iter()
            .for_each(|arguments| arguments.extend(before.iter().cloned()));
    }
    Ok(candidate)
}

fn copy_of(
    candidate: &Candidate,
    deployment: &Deployment,
    groups: &[Group],
    variables: Variables,
) -> ApacheCopy {
    let listeners = candidate.listeners_of(deployment);
    let upstreams = deployment.upstreams.values();
    let found = groups.iter().filter(|group| !group.files.is_empty());
    ApacheCopy {
        listeners: listeners.map(|(_, address)| address.clone()).collect(),
        upstreams: upstreams
            .flat_map(|upstream| upstream.addresses().map(str::to_owned))
            .collect(),
        includes: found
            .map(|group| (group.written.clone(), group.pattern.clone()))
            .collect(),
        variables: variables.into_iter().collect(),
    }
}

fn launch_file(name: &str, file: &UserFile, copy: &ApacheCopy) -> LaunchFile {
    LaunchFile {
        name: name.to_owned(),
        origin: file.origin.clone(),
        text: file.text.clone(),
        role: Role::Native,
        insertions: Vec::new(),
        deployment: None,
        private_copy: Some(PrivateCopy::Apache(copy.clone())),
    }
}

/// Nothing that cannot be confined is in it.
fn check(file: &UserFile, lines: &[Line]) -> Result<(), DocumentError> {
    let refused = lines
        .iter()
        .find(|line| directives::runs_code(&line.name, line.value(0), line.value(1)));
    refused.map_or(Ok(()), |line| {
        let name = line.name.trim_start_matches('<');
        let why = format!("`{name}` runs a program, or code of its own");
        Err(file.refused(line.span.clone(), why))
    })
}

/// Whether a line listens at this address, or passes requests on to it.
fn has(line: &Line, address: &str) -> bool {
    match &*line.name {
        "listen" => copy::opened(line.value(0), &[address.to_owned()]).is_some(),
        _ => destination::of(line).is_some_and(|word| destination::leads_to(&word.value, address)),
    }
}

/// Where relative paths begin: what the file says, or the folder of the main file above it.
fn server_root(file: &UserFile) -> PathBuf {
    let lines = lines(&file.text, &mut Variables::new());
    let said = lines.iter().find(|line| line.name == "serverroot");
    if let Some(said) = said.filter(|line| Path::new(line.value(0)).is_absolute()) {
        return PathBuf::from(said.value(0));
    }
    let mut folders = file.folder.ancestors();
    let is_root = |folder: &&Path| {
        let mains = ["apache2.conf", "httpd.conf", "conf/httpd.conf"];
        mains.iter().any(|main| folder.join(main).is_file())
    };
    folders.find(is_root).unwrap_or(&file.folder).to_owned()
}

#[cfg(test)]
mod tests;
