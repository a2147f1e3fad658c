//! Apache's configuration, line by line, with the place of every word.

use std::collections::BTreeMap;
use std::ops::Range;

/// What `Define` said, and the environment says.
pub(super) type Variables = BTreeMap<String, String>;

/// A directive, or the begin or the end of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// In lower case; of a section with its `<` or `</`.
    pub(super) name: String,
    pub(super) span: Range<usize>,
    pub(super) arguments: Vec<Word>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands in the text, with its quotes.
    pub(super) span: Range<usize>,
    /// What Apache takes it for: without quotes, and with the values of variables.
    pub(super) value: String,
}

impl Line {
    /// The value of an argument, or nothing.
    pub(super) fn value(&self, at: usize) -> &str {
        self.arguments.get(at).map_or("", |word| &*word.value)
    }
}

/// The lines of a configuration that are more than comments and blanks; what they define is put into `variables`.
pub(super) fn lines(text: &str, variables: &mut Variables) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_line(text, start);
        let mut words = words(text, start..end, variables);
        start = end;
        if words.is_empty() || words[0].value.starts_with('#') {
            continue;
        }
        close(&mut words, text);
        let first = words.remove(0);
        let last = words.last().map_or(first.span.end, |word| word.span.end);
        let line = Line {
            name: first.value.to_ascii_lowercase(),
            span: first.span.start..last,
            arguments: words,
        };
        if line.name == "define" && !line.arguments.is_empty() {
            variables.insert(line.value(0).to_owned(), line.value(1).to_owned());
        }
        lines.push(line);
    }
    lines
}

/// A line goes on where a backslash stands before its end.
fn end_of_line(text: &str, start: usize) -> usize {
    let mut from = start;
    while let Some(at) = text[from..].find('\n') {
        from += at + 1;
        if !text[..from - 1].trim_end_matches('\r').ends_with('\\') {
            return from;
        }
    }
    text.len()
}

/// The `>` of a section is no part of its last argument.
fn close(words: &mut Vec<Word>, text: &str) {
    if !words[0].value.starts_with('<') {
        return;
    }
    if let Some(last) = words.last_mut()
        && text[last.span.clone()].ends_with('>')
    {
        last.span.end -= 1;
        last.value.pop();
        if last.value.is_empty() && last.span.is_empty() {
            words.pop();
        }
    }
}

fn words(text: &str, line: Range<usize>, variables: &Variables) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut within = false;
    let mut quote = None;
    let mut at = line.start;
    while at < line.end {
        let Some(letter) = text[at..].chars().next() else {
            break;
        };
        let begin = at;
        at += letter.len_utf8();
        // A line that goes on does so without what ends it.
        if letter == '\\' && text[at..].trim_start_matches('\r').starts_with('\n') {
            at += text[at..].find('\n').map_or(0, |end| end + 1);
            continue;
        }
        if quote.is_none() && letter.is_whitespace() {
            within = false;
            continue;
        }
        if !within {
            words.push(Word {
                span: begin..begin,
                value: String::new(),
            });
        }
        let word = words.last_mut().expect("one was begun");
        match letter {
            '"' | '\'' if !within => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            '\\' if quote.is_some_and(|quote| text[at..].starts_with([quote, '\\'])) => {
                word.value.push_str(&text[at..at + 1]);
                at += 1;
            }
            '$' if text[at..].starts_with('{') => {
                let (value, length) = variable(&text[at..line.end], variables);
                word.value.push_str(&value);
                at += length;
            }
            _ => word.value.push(letter),
        }
        within = true;
        word.span.end = at;
    }
    words
}

/// The value of `{NAME}` behind a `$`, and its length; what nobody defined stays as it is.
fn variable(text: &str, variables: &Variables) -> (String, usize) {
    let Some((name, _)) = text[1..].split_once('}') else {
        return ("$".to_owned(), 0);
    };
    let known = variables.get(name).cloned();
    match known.or_else(|| std::env::var(name).ok()) {
        Some(value) => (value, name.len() + 2),
        None => (format!("${{{name}}}"), name.len() + 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let words = |line: Line| {
            let arguments = line.arguments.into_iter().map(|word| word.value);
            std::iter::once(line.name).chain(arguments).collect()
        };
        let lines = lines(text, &mut Variables::new());
        lines.into_iter().map(words).collect()
    }

    #[test]
    fn words_are_what_apache_takes_them_for() {
        for (text, expected) in [
            (
                "Listen 80 # no comment",
                vec!["listen", "80", "#", "no", "comment"],
            ),
            (
                "ErrorLog \"|/bin/x \\\"a b\\\"\"",
                vec!["errorlog", "|/bin/x \"a b\""],
            ),
            (
                "<VirtualHost *:80 [::]:80>",
                vec!["<virtualhost", "*:80", "[::]:80"],
            ),
            ("<Proxy \"balancer://x\" >", vec!["<proxy", "balancer://x"]),
            ("</Proxy>", vec!["</proxy"]),
            (
                "ProxyPass / \\\r\n  http://a/",
                vec!["proxypass", "/", "http://a/"],
            ),
            (
                "RewriteRule ^/a\\.b$ 'x y'",
                vec!["rewriterule", "^/a\\.b$", "x y"],
            ),
        ] {
            assert_eq!(read(text), [expected], "{text}");
        }
        assert!(read("# nothing \\\n still nothing\n\n").is_empty());
    }

    #[test]
    fn variables_have_values() {
        let text = "Define root /srv\nDefine empty\nErrorLog \"${root}/log${empty}\"\nUser ${NOBODY_SET}\n";
        let words = read(text);
        assert_eq!(words[2], ["errorlog", "/srv/log"]);
        assert_eq!(words[3], ["user", "${NOBODY_SET}"]);
    }
}
