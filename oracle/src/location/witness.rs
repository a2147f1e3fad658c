use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::regex::Regex;

/// What a capture must hold, by its number.
pub(super) type Captured = BTreeMap<u32, Vec<u8>>;

/// Texts that an expression may match, with these captures; whoever asks tries them.
///
/// Empty for expressions with what only PCRE has (looking around, back references).
pub(super) fn texts(regex: &Regex, captured: &Captured) -> Vec<Vec<u8>> {
    let parsed = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(regex.pattern());
    let Ok(hir) = parsed else {
        return Vec::new();
    };
    let mut found = alternatives(&hir, captured);
    found.dedup();
    found
}

/// A host name that an expression of `server_name` matches.
pub(super) fn host(regex: &Regex) -> Option<String> {
    let names = texts(regex, &Captured::new()).into_iter();
    let names = names.filter_map(|name| String::from_utf8(name).ok());
    let is_host = |name: &String| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_letter)
    };
    names
        .filter(is_host)
        .find(|name| regex.is_match(name.as_bytes()).unwrap_or(false))
}

fn alternatives(hir: &Hir, captured: &Captured) -> Vec<Vec<u8>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Class(class) => member(class).map_or_else(Vec::new, |byte| vec![vec![byte]]),
        HirKind::Repetition(repetition) => repeated(
            &alternatives(&repetition.sub, captured),
            repetition.min,
            repetition.max,
        ),
        HirKind::Capture(capture) => match captured.get(&capture.index) {
            Some(text) => vec![text.clone()],
            None => alternatives(&capture.sub, captured),
        },
        HirKind::Concat(parts) => parts.iter().fold(vec![Vec::new()], |before, part| {
            let after = alternatives(part, captured);
            product(&before, &after)
        }),
        HirKind::Alternation(parts) => {
            let all = parts.iter().flat_map(|part| alternatives(part, captured));
            all.take(MOST).collect()
        }
    }
}

/// As often as needed, and once where it need not be there at all.
fn repeated(one: &[Vec<u8>], min: u32, max: Option<u32>) -> Vec<Vec<u8>> {
    if min > LONGEST {
        return Vec::new();
    }
    let least = (0..min).fold(vec![Vec::new()], |before, _| product(&before, one));
    let mut all = least;
    if min == 0 && max != Some(0) {
        all.extend_from_slice(one);
    }
    all.truncate(MOST);
    all
}

fn product(before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let pairs = before.iter().flat_map(|start| {
        after
            .iter()
            .map(move |end| [start.as_slice(), end].concat())
    });
    let short = pairs.filter(|text| text.len() <= LONGEST_TEXT);
    short.take(MOST).collect()
}

/// A member of a class that is plain in a path and in a host name, if it has one.
fn member(class: &Class) -> Option<u8> {
    const PLAIN: &[u8] = b"ax1-_.AX/";
    let has = |byte: u8| match class {
        Class::Unicode(class) => {
            let letter = char::from(byte);
            class
                .ranges()
                .iter()
                .any(|range| range.start() <= letter && letter <= range.end())
        }
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .any(|range| range.start() <= byte && byte <= range.end()),
    };
    PLAIN
        .iter()
        .copied()
        .chain(0x21..0x7f)
        .find(|byte| has(*byte))
}

/// Texts that are kept of each part of an expression.
const MOST: usize = 16;
/// Longer texts fit no request line.
const LONGEST_TEXT: usize = 4096;
/// Repetitions beyond this are not spelled out.
const LONGEST: u32 = 64;
