//! Shows what is installed here.

use std::path::Path;

use proxyproof_harness::{
    Candidate, HarnessError,
    candidate::{Gallery, LaunchKind},
};

use super::list::table;
use crate::{error::CommandError, exit::Exit, isolation, printer::Printer};

/// Where a container engine listens unless `DOCKER_HOST` says otherwise.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

pub(crate) fn doctor(printer: &Printer) -> Result<Exit, CommandError> {
    let mut rows = Vec::new();
    for candidate in Gallery::embedded().candidates()? {
        rows.push(row(&candidate)?);
    }
    rows.push(docker());
    rows.push(namespaces());
    printer.result(&table(&rows))?;
    Ok(Exit::PASS)
}

/// Whether it is installed, and which version.
pub(crate) fn here(candidate: &Candidate) -> String {
    match candidate.installation() {
        Ok(_) if matches!(candidate.launch.kind, LaunchKind::Embedded) => "ready".to_owned(),
        Ok(installed) => installed
            .version
            .unwrap_or_else(|| "unknown version".to_owned()),
        Err(HarnessError::NotInstalled { .. }) => "not installed".to_owned(),
        Err(_) => "unusable".to_owned(),
    }
}

fn row(candidate: &Candidate) -> Result<Vec<String>, CommandError> {
    let (name, here) = (candidate.name.clone(), here(candidate));
    match candidate.installation() {
        Ok(_) if matches!(candidate.launch.kind, LaunchKind::Embedded) => {
            Ok(vec![name, here, "embedded".into()])
        }
        Ok(installed) => Ok(vec![name, here, installed.binary.display().to_string()]),
        Err(HarnessError::NotInstalled { binary, .. }) => {
            let adds = format!("adds: candidate {name}");
            let binary = format!("(no `{binary}` on the PATH)");
            Ok(vec![name, here, adds, binary])
        }
        Err(HarnessError::System { action, cause }) => {
            Ok(vec![name, here, format!("can't {action}: {cause}")])
        }
        Err(error) => Err(error.into()),
    }
}

fn docker() -> Vec<String> {
    let host = std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty());
    let cells = match host {
        Some(host) => ["docker", "configured", &host, ""].map(str::to_owned),
        None if Path::new(DOCKER_SOCKET).exists() => {
            ["docker", "socket", DOCKER_SOCKET, ""].map(str::to_owned)
        }
        None => [
            "docker",
            "no engine",
            "adds: candidates in containers",
            "(DOCKER_HOST unset, no socket)",
        ]
        .map(str::to_owned),
    };
    cells.to_vec()
}

/// What `run` and `matrix` start candidates in.
fn namespaces() -> Vec<String> {
    let adds = "adds: candidates reach loopback alone, and write nothing outside";
    match isolation::missing() {
        None => ["namespaces", "ready", "unshare"]
            .map(str::to_owned)
            .to_vec(),
        Some(why) => {
            let why = format!("({why})");
            ["namespaces", "none", adds, &why]
                .map(str::to_owned)
                .to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_told_with_what_it_would_add() {
        let candidate = Candidate::named("nginx").unwrap();
        let row = row(&candidate.with_binary("no-such-nginx")).unwrap();
        assert_eq!(
            row,
            [
                "nginx",
                "not installed",
                "adds: candidate nginx",
                "(no `no-such-nginx` on the PATH)"
            ]
        );
    }
}
