//! A user's configuration in HAProxy's language, in the place of the gallery's.
//!
//! `reader` finds lines, words and their places; `refusal` knows what cannot be confined, and `copy` makes the rest keep to
//! the private directory, by `address` and `parameters`.

mod address;
mod copy;
mod parameters;
mod reader;
mod refusal;

pub use self::copy::HaproxyCopy;
pub(super) use self::copy::private_copy;
use self::reader::{Line, lines};
use super::user_file::UserFile;
use super::{Candidate, PrivateCopy, template};
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::stage::loopback_alone;

/// The candidate with this file for its configuration.
pub(super) fn configured(
    candidate: Candidate,
    file: UserFile,
    deployment: &Deployment,
) -> Result<Candidate, HarnessError> {
    let lines = lines(&file.text);
    // Code of its own reaches nothing where nothing is.
    if !loopback_alone() {
        refusal::check(&file, &lines)?;
    }
    let copy = HaproxyCopy {
        folder: file.folder.clone(),
        listeners: candidate
            .listeners_of(deployment)
            .map(|(_, address)| address.clone())
            .collect(),
        upstreams: deployment
            .upstreams
            .values()
            .flat_map(|upstream| upstream.addresses().map(str::to_owned))
            .collect(),
    };
    candidate.names_the_addresses(&file, deployment, |address| {
        lines.iter().any(|line| has(line, address))
    })?;
    let folder = template::literal(&copy.folder.to_string_lossy());
    let mut candidate = candidate.with_user_file(file, PrivateCopy::Haproxy(copy));
    // What the file names by a relative path is beside it, as far as it can be known: maps, error files, lists.
    let launch = &mut candidate.launch;
    for arguments in [Some(&mut launch.arguments), launch.validate.as_mut()] {
        arguments
            .into_iter()
            .for_each(|arguments| arguments.extend(["-C".to_owned(), folder.clone()]));
    }
    Ok(candidate)
}

/// Whether a line listens at this address, or connects to it.
fn has(line: &Line, address: &str) -> bool {
    let words = line.words();
    match &*words[0].value {
        "bind" => words.get(1).is_some_and(|place| {
            let listeners = [address.to_owned()];
            let mut pieces = place.value.split(',');
            pieces.any(|piece| !address::opened(piece, &listeners).is_empty())
        }),
        "server" | "server-template" | "dispatch" => words
            .iter()
            .skip(1)
            .any(|word| address::is_same(&word.value, address)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
