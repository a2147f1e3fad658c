//! HAProxy's configuration, line by line, with the place of every word.

use std::collections::BTreeMap;
use std::ops::Range;

/// A line with at least one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The keyword of the section that it stands in, or begins: `global`, `frontend`; empty before the first one.
    pub(super) section: String,
    pub(super) words: Vec<Word>,
}

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands in the text, with its quotes.
    pub(super) span: Range<usize>,
    /// What HAProxy takes it for: without quotes, and with the values of variables.
    pub(super) value: String,
}

impl Line {
    /// The words from the keyword on: `no` and `default` before it only turn it round.
    pub(super) fn words(&self) -> &[Word] {
        match &self.words[..] {
            [prefix, rest @ ..] if !rest.is_empty() && PREFIXES.contains(&&*prefix.value) => rest,
            words => words,
        }
    }

    /// From the first word to the end of the last one.
    pub(super) fn span(&self) -> Range<usize> {
        let end = self.words.last().map_or(0, |word| word.span.end);
        self.words[0].span.start..end
    }
}

/// The lines of a configuration that hold more than comments and blanks.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut section = String::new();
    let mut variables = BTreeMap::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = words(line.trim_end_matches(['\n', '\r']), start, &variables);
        start += line.len();
        if let [keyword, name, value, ..] = &words[..]
            && (keyword.value == "setenv"
                || (keyword.value == "presetenv" && std::env::var_os(&name.value).is_none()))
        {
            variables.insert(name.value.clone(), value.value.clone());
        }
        if let Some(keyword) = words.first() {
            if SECTIONS.contains(&&*keyword.value) {
                section.clone_from(&keyword.value);
            }
            let section = section.clone();
            lines.push(Line { section, words });
        }
    }
    lines
}

/// Whose quotes the reader is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

fn words(line: &str, offset: usize, variables: &BTreeMap<String, String>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut within = false;
    let mut quotes = Quotes::None;
    let mut at = 0;
    while let Some(letter) = line[at..].chars().next() {
        let begin = at;
        at += letter.len_utf8();
        match (quotes, letter) {
            (Quotes::None, '#') => break,
            (Quotes::None, ' ' | '\t') => {
                within = false;
                continue;
            }
            _ => {}
        }
        if !within {
            words.push(Word {
                span: offset + begin..offset + begin,
                value: String::new(),
            });
            within = true;
        }
        let word = words.last_mut().expect("one was begun");
        match (quotes, letter) {
            (Quotes::None, '"') => quotes = Quotes::Double,
            (Quotes::None, '\'') => quotes = Quotes::Single,
            (Quotes::Double, '"') | (Quotes::Single, '\'') => quotes = Quotes::None,
            (Quotes::Double, '$') => {
                let (value, length) = variable(&line[at..], variables);
                word.value.push_str(&value);
                at += length;
            }
            (Quotes::None | Quotes::Double, '\\') => {
                if let Some(escaped) = line[at..].chars().next() {
                    word.value.push(escaped);
                    at += escaped.len_utf8();
                }
            }
            _ => word.value.push(letter),
        }
        word.span.end = offset + at;
    }
    words
}

/// The value of a variable whose `$` stands before `text`, and how much of the text names it.
///
/// Forms are `NAME`, `{NAME}`, `{NAME-default}` and `{NAME[*]}`. What nobody set is empty.
fn variable(text: &str, variables: &BTreeMap<String, String>) -> (String, usize) {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (written, length) = match text.strip_prefix('{') {
        Some(braced) => match braced.split_once('}') {
            Some((written, _)) => (written, written.len() + 2),
            None => (braced, text.len()),
        },
        None => {
            let end = text.find(|letter| !plain(letter)).unwrap_or(text.len());
            (&text[..end], end)
        }
    };
    let end = written
        .find(|letter| !plain(letter))
        .unwrap_or(written.len());
    let (name, rest) = written.split_at(end);
    let known = variables.get(name).cloned();
    let value = known
        .or_else(|| std::env::var(name).ok())
        .or_else(|| rest.strip_prefix('-').map(str::to_owned));
    (value.unwrap_or_default(), length)
}

const PREFIXES: [&str; 2] = ["no", "default"];

/// Every section that some version knows; what stands in one of another name is confined all the same.
const SECTIONS: [&str; 20] = [
    "acme",
    "backend",
    "cache",
    "crt-store",
    "defaults",
    "dynamic-update",
    "fcgi-app",
    "frontend",
    "global",
    "http-errors",
    "listen",
    "log-forward",
    "log-profile",
    "mailers",
    "peers",
    "program",
    "resolvers",
    "ring",
    "traces",
    "userlist",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<Vec<String>> {
        let values = |line: Line| line.words.into_iter().map(|word| word.value).collect();
        lines(text).into_iter().map(values).collect()
    }

    #[test]
    fn words_are_what_haproxy_takes_them_for() {
        for (text, expected) in [
            ("  bind :80 # all", vec!["bind", ":80"]),
            (
                "acl a hdr(x) \"b c\"d 'e\"f'#g",
                vec!["acl", "a", "hdr(x)", "b cd", "e\"f"],
            ),
            ("a \\# b\\ c \"\\\"\"", vec!["a", "#", "b c", "\""]),
            ("a ''", vec!["a", ""]),
            (
                "a \"${NOBODY_SET-x}:1\" '$A' $A",
                vec!["a", "x:1", "$A", "$A"],
            ),
        ] {
            assert_eq!(values(text), [expected], "{text}");
        }
        assert_eq!(values("# nothing\n\n   \n"), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_word_knows_its_section_and_its_place() {
        let text = "global\n  setenv A 1\r\nfrontend \"f g\"\n  no log\n  bind \":${A}0\" ssl\n";
        let lines = lines(text);
        let sections: Vec<&str> = lines.iter().map(|line| &*line.section).collect();
        assert_eq!(
            sections,
            ["global", "global", "frontend", "frontend", "frontend"]
        );
        assert_eq!(lines[3].words()[0].value, "log");
        let address = &lines[4].words[1];
        assert_eq!(
            (&*address.value, &text[address.span.clone()]),
            (":10", "\":${A}0\"")
        );
        assert_eq!(&text[lines[4].span()], "bind \":${A}0\" ssl");
    }
}
