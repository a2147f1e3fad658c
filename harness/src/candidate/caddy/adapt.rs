//! What Caddy makes of a Caddyfile.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::candidate::program::private_environment;
use crate::candidate::user_file::UserFile;
use crate::document::DocumentError;
use crate::error::HarnessError;
use crate::patience::Patience;

/// A user's file in Caddy's native language.
///
/// The program reads the file where it is, so that its imports are found; nothing is started, and what the program keeps for
/// itself goes to a folder that is removed.
pub(super) fn adapted(binary: &Path, path: &Path, file: &UserFile) -> Result<Value, HarnessError> {
    let failed = |cause| HarnessError::System {
        action: format!("run `{} adapt`", binary.display()),
        cause,
    };
    // A path that begins with `-` would be an option.
    let path = std::path::absolute(path).map_err(failed)?;
    let home = tempfile::tempdir().map_err(failed)?;
    let mut command = Command::new(binary);
    command
        .args(["adapt", "--adapter", "caddyfile", "--config"])
        .arg(&path)
        .envs(private_environment(home.path()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = output(&mut command).map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(refused(&said, &path.to_string_lossy(), file).into());
    }
    let mut adapted = serde_json::from_slice(&output.stdout);
    if let Ok(adapted) = &mut adapted {
        resolve(adapted, &|name| std::env::var(name).unwrap_or_default());
    }
    adapted.map_err(|error| failed(error.into()))
}

/// Puts variables of the environment into destinations, as Caddy would when it connects.
fn resolve(value: &mut Value, variable: &impl Fn(&str) -> String) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(dial)) = object.get_mut("dial") {
                *dial = resolved(dial, variable);
            }
            let inner = object.values_mut();
            inner.for_each(|inner| resolve(inner, variable));
        }
        Value::Array(values) => values.iter_mut().for_each(|inner| resolve(inner, variable)),
        _ => {}
    }
}

fn resolved(dial: &str, variable: &impl Fn(&str) -> String) -> String {
    match dial.split_once("{env.") {
        Some((before, rest)) if rest.contains('}') => {
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            format!("{before}{}{}", variable(name), resolved(after, variable))
        }
        _ => dial.to_owned(),
    }
}

fn output(command: &mut Command) -> io::Result<Output> {
    let child = command.process_group(0).spawn()?;
    let group = Pid::from_child(&child);
    let (told, ended) = mpsc::channel();
    std::thread::spawn(move || told.send(child.wait_with_output()));
    ended.recv_timeout(ADAPT.scaled()).unwrap_or_else(|_| {
        let _ = kill_process_group(group, Signal::KILL);
        let words = format!("it did not end within {:?}", ADAPT.scaled());
        Err(io::Error::new(io::ErrorKind::TimedOut, words))
    })
}

/// What Caddy said about the file, at its line; about an imported one, the message names it.
fn refused(said: &str, path: &str, file: &UserFile) -> DocumentError {
    let message = message(said);
    let document = file.document();
    let Some((before, (line, after))) = message.split_once(path).and_then(|(before, rest)| {
        let rest = rest.strip_prefix(':')?;
        let end = rest.find(|digit: char| !digit.is_ascii_digit());
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        Some((before, (line.parse::<usize>().ok()?, after)))
    }) else {
        return document.lacks(message);
    };
    let after = after.split(" import chain").next().unwrap_or_default();
    let after = after.trim_start_matches([':', ' ', '-']);
    let after = NOISE
        .iter()
        .find_map(|noise| after.strip_prefix(noise))
        .unwrap_or(after);
    let before = before.trim_end_matches([',', ' ', ':', 'a', 't']);
    let parts = [before, after].into_iter().filter(|part| !part.is_empty());
    let message = parts.collect::<Vec<&str>>().join(": ");
    let start: usize = file
        .text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let source = file.text[start..].lines().next().unwrap_or_default();
    let indent = source.len() - source.trim_start().len();
    document.error(
        start + indent..start + source.trim_end().len().max(indent),
        "here",
        message,
    )
}

/// The error among the lines of a log: text up to 2.6, JSON since.
fn message(said: &str) -> String {
    if let Some((_, error)) = said.rsplit_once("Error: ") {
        return error.trim().replace('\n', " ");
    }
    let lines = said.lines().rev();
    let mut entries = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let error = entries.find(|entry| entry["level"] == "error");
    let error = error.and_then(|entry| Some(entry["msg"].as_str()?.replace('\n', " ")));
    error.unwrap_or_else(|| said.trim().to_owned())
}

/// What stands between a line and what is wrong in it.
const NOISE: [&str; 2] = ["Error during parsing: ", "Syntax error: "];
/// It reads files, and answers in milliseconds.
const ADAPT: Patience = Patience::new("adapt", std::time::Duration::from_secs(10));

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn refused_at(said: &str) -> String {
        let file = UserFile {
            origin: "Caddyfile".to_owned(),
            text: "x {\n\tfoo\n}\n".to_owned(),
            folder: PathBuf::new(),
        };
        refused(said, "/srv/Caddyfile", &file).to_string()
    }

    #[test]
    fn destinations_have_what_the_environment_says() {
        let mut value =
            serde_json::json!([{ "dial": "{env.A}:{env.B}{x}" }, { "body": "{env.A}" }]);
        resolve(&mut value, &str::to_lowercase);
        assert_eq!(
            value,
            serde_json::json!([{ "dial": "a:b{x}" }, { "body": "{env.A}" }])
        );
    }

    #[test]
    fn what_caddy_says_is_said_at_the_users_line() {
        for (said, told) in [
            (
                "Error: /srv/Caddyfile:2: unrecognized directive: foo\n",
                "Caddyfile:2:2: unrecognized directive: foo",
            ),
            (
                "Error: parsing caddyfile tokens for 'servers': /srv/Caddyfile:2 - Error during parsing: unrecognized servers option 'foo'",
                "Caddyfile:2:2: parsing caddyfile tokens for 'servers': unrecognized servers option 'foo'",
            ),
            (
                "{\"level\":\"warn\",\"msg\":\"not formatted\"}\n{\"level\":\"error\",\"msg\":\"syntax error: unexpected token 'a\\n', at /srv/Caddyfile:2 import chain: ['']\"}\n",
                "Caddyfile:2:2: syntax error: unexpected token 'a '",
            ),
            (
                "Error: /srv/included:7: unrecognized directive: foo",
                "Caddyfile: /srv/included:7: unrecognized directive: foo",
            ),
        ] {
            assert_eq!(refused_at(said), told);
        }
    }
}
