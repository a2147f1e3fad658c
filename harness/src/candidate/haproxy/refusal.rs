//! What no private copy can keep to its directory: what runs programs, or code of its own.

use super::reader::{Line, Word, lines};
use crate::candidate::user_file::UserFile;
use crate::document::DocumentError;

/// Nothing that cannot be confined is in it.
pub(super) fn check(file: &UserFile, lines: &[Line]) -> Result<(), DocumentError> {
    lines.iter().try_for_each(|line| match refused(file, line) {
        Some((word, why)) => Err(file.refused(word.span.clone(), why)),
        None => Ok(()),
    })
}

fn refused<'l>(file: &UserFile, line: &'l Line) -> Option<(&'l Word, String)> {
    let words = line.words();
    let first = &words[0];
    let value = |at: usize| words.get(at).map_or("", |word| &*word.value);
    let why = match (&*line.section, &*first.value, value(1)) {
        ("program", "program", _) => "`program` starts a program of its own",
        ("global", name, _) if RUNS_CODE.contains(&name) => {
            return Some((first, format!("`{name}` runs code of its own")));
        }
        ("global", "insecure-fork-wanted", _) => {
            "`insecure-fork-wanted` lets it start programs of its own"
        }
        ("global", "setenv" | "presetenv", name) if loads_code(name) => {
            return Some((
                &words[1],
                format!("`{name}` makes programs load code of its own"),
            ));
        }
        (_, "external-check", "command") => "`external-check command` starts a program of its own",
        (_, "filter", name) if TRACERS.contains(&name) => {
            return Some((&words[1], format!("`filter {name}` runs code of its own")));
        }
        (_, "filter", "spoe") => return spoe(file, words),
        _ => return None,
    };
    Some((first, why.to_owned()))
}

/// An SPOE agent's configuration is a file of its own. It names back ends of this one, which are confined, and may log.
fn spoe<'l>(file: &UserFile, words: &'l [Word]) -> Option<(&'l Word, String)> {
    let at = words.iter().position(|word| word.value == "config")?;
    let path = words.get(at + 1)?;
    // One that cannot be read HAProxy refuses.
    let text = std::fs::read_to_string(file.folder.join(&path.value)).ok()?;
    let logs = |line: &Line| {
        let target = line.words().get(1).map_or("", |word| &*word.value);
        line.words[0].value == "log" && target != "global"
    };
    lines(&text)
        .iter()
        .any(logs)
        .then(|| (path, format!("`{}` sends logs off the stage", path.value)))
}

/// Variables that the dynamic linker and libraries take code from.
fn loads_code(name: &str) -> bool {
    name.starts_with("LD_")
        || name.starts_with("OPENSSL_")
        || name.starts_with("LUA_")
        || name == "GCONV_PATH"
}

const RUNS_CODE: [&str; 6] = [
    "lua-load",
    "lua-load-per-thread",
    "module-load",
    "ssl-engine",
    "ssl-provider",
    "ssl-provider-path",
];

/// Filters that load a library which their own configuration names.
const TRACERS: [&str; 4] = ["opentracing", "ot", "opentelemetry", "otel"];
