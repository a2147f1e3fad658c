//! Which location wins for a target, and why.

use std::{
    ffi::OsStr,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
};

use proxyproof_oracle::{
    location::{Protocol, Request},
    routes::match_target,
};

use super::source;
use crate::{args::MatchArguments, error::CommandError, exit::Exit, printer::Printer};

pub(crate) fn matches(arguments: &MatchArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let config = source::file(&arguments.config)?;
    let reads = arguments.targets.iter().any(|target| target == STDIN);
    let with_reasons = arguments.why || !reads && printer.width().is_some();
    let mut text = String::new();
    for target in targets(&arguments.targets)? {
        let row = match_target(&config, &request(arguments, target));
        if arguments.json {
            text.push_str(&row.json());
        } else if with_reasons {
            text.push_str(&row.text());
        } else {
            text.push_str(&row.tsv());
            text.push('\n');
        }
    }
    printer.result(&text)?;
    Ok(Exit::PASS)
}

fn request(arguments: &MatchArguments, target: Vec<u8>) -> Request {
    Request {
        method: arguments.method.as_bytes().to_vec(),
        host: arguments.host.clone(),
        protocol: if arguments.h2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        },
        version: arguments.nginx_version,
        ..Request::get(target)
    }
}

/// The targets in the order they were given, those of standard input in the place of `-`.
fn targets(given: &[impl AsRef<OsStr>]) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut targets = Vec::new();
    for target in given.iter().map(AsRef::as_ref) {
        if target == STDIN {
            targets.extend(read_lines()?);
        } else {
            targets.push(target.as_bytes().to_vec());
        }
    }
    Ok(targets)
}

/// Raw lines; only the line feed ends one, since any other byte may be part of a target.
fn read_lines() -> Result<Vec<Vec<u8>>, CommandError> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|cause| CommandError::Targets { cause })?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let lines = bytes.split(|&byte| byte == b'\n');
    Ok(lines.map(<[u8]>::to_vec).collect())
}

/// The target that stands for standard input.
const STDIN: &str = "-";
