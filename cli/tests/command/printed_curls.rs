//! The `curl` lines that `up` prints.

use std::io::{BufRead, BufReader};

use crate::invocation::{Invocation, assert_empty, interrupt};

/// Asks what every line asks, as `ask` understands it; gives all that was printed.
pub(crate) fn are_answered(arguments: &[&str], ask: impl Fn(&str) -> Result<(), String>) -> String {
    let (mut child, temporary) = Invocation::new(arguments).started();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut told = String::new();
    while !told.contains("--http2") {
        let line = lines.next().expect("it goes on").expect("text");
        told.push_str(&line);
        told.push('\n');
    }
    let curls = told
        .lines()
        .filter(|line| line.starts_with("  curl "))
        .map(str::to_owned);
    let curls: Vec<String> = curls.collect();
    let failed: Vec<String> = curls
        .iter()
        .filter_map(|curl| ask(curl.trim()).err())
        .collect();
    interrupt(&child);
    let ended = child.wait().expect("it ends");
    assert_eq!(failed, Vec::<String>::new(), "{told}");
    assert_eq!((curls.is_empty(), ended.code()), (false, Some(130)));
    assert_empty(temporary.path());
    told
}
