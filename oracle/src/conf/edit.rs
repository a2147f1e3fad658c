use super::ast::{Block, Body, Directive, Document, Word};
use super::lexer::{is_blank, line_end};
use super::quote::quoted;
use super::span::Span;

/// Changes to a file that leave every byte they do not name alone.
///
/// ```
/// use proxyproof_oracle::conf::{Document, Edits};
///
/// let file = Document::parse(*b"listen  80 ; # public\n").expect("is configuration");
/// let mut edits = Edits::new(&file);
/// edits.set(&file.directives()[0].words[1], b"127.0.0.1:8080");
/// assert_eq!(edits.apply(), b"listen  127.0.0.1:8080 ; # public\n");
/// ```
#[derive(Clone, Debug)]
pub struct Edits<'a> {
    document: &'a Document,
    changes: Vec<(Span, Vec<u8>)>,
}

impl<'a> Edits<'a> {
    /// No changes yet.
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            changes: Vec::new(),
        }
    }

    /// Gives a word another value, quoted if it must be.
    pub fn set(&mut self, word: &Word, value: &[u8]) -> &mut Self {
        self.replace(word.span, quoted(value))
    }

    /// Puts these bytes in place of a stretch. Of two changes that overlap, the first made wins.
    pub fn replace(&mut self, span: Span, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.changes.push((span, bytes.into()));
        self
    }

    /// Takes a directive away, and its line if nothing else stands on it.
    pub fn remove(&mut self, directive: &Directive) -> &mut Self {
        let span = whole_lines(self.document.text(), directive.span());
        self.replace(span, Vec::new())
    }

    /// Writes a line of its own before a directive, indented like it; on the same line if others stand there too.
    pub fn insert_before(&mut self, directive: &Directive, line: &str) -> &mut Self {
        let at = directive.span().start as usize;
        let bytes = self.document.text();
        if !stands_first(bytes, at) {
            return self.replace(Span::at(at), format!("{} ", one_line(line)));
        }
        let indent = indent_of(bytes, at);
        let lines = self.indented(line, &indent);
        // Where the directive stands, its indent is written already.
        let first = self.line_end().len() + indent.len();
        let text = format!("{}{}{indent}", &lines[first..], self.line_end());
        self.replace(Span::at(at), text)
    }

    /// Writes a line of its own after a directive, indented like it; on the same line if others stand there too. Of a
    /// text of several lines each is indented so.
    pub fn insert_after(&mut self, directive: &Directive, text: &str) -> &mut Self {
        let span = directive.span();
        let (bytes, end) = (self.document.text(), span.end as usize);
        let rest = &bytes[end..line_end(bytes, end)];
        let is_last = matches!(rest.trim_ascii_start().first(), None | Some(b'#'));
        if is_last && stands_first(bytes, span.start as usize) {
            let at = end + rest.trim_ascii_end().len();
            let indent = indent_of(bytes, span.start as usize);
            let line = self.indented(text, &indent);
            return self.replace(Span::at(at), line);
        }
        self.replace(Span::at(end), format!(" {}", one_line(text)))
    }

    /// Writes a line of its own into a block: after its last simple directive that stands before any block in it, or at
    /// its beginning.
    pub fn insert_into(&mut self, block: &Block, text: &str) -> &mut Self {
        let simple = |directive: &&Directive| matches!(directive.body, Body::Simple(Some(_)));
        if let Some(last) = block.directives.iter().take_while(simple).last() {
            return self.insert_after(last, text);
        }
        let bytes = self.document.text();
        let at = block.open.end as usize;
        let indent = match block.directives.first() {
            Some(first) if stands_first(bytes, first.span().start as usize) => {
                indent_of(bytes, first.span().start as usize)
            }
            Some(_) => return self.replace(Span::at(at), format!(" {}", one_line(text))),
            None => indent_of(bytes, block.open.start as usize) + &self.indent_unit(),
        };
        let mut line = self.indented(text, &indent);
        if block.directives.is_empty() && bytes[at..line_end(bytes, at)].contains(&b'}') {
            let outer = indent_of(bytes, block.open.start as usize);
            line.push_str(&format!("{}{outer}", self.line_end()));
        }
        self.replace(Span::at(at), line)
    }

    /// Lines that each begin with a line end and an indent.
    fn indented(&self, text: &str, indent: &str) -> String {
        let end = self.line_end();
        let unit = self.indent_unit();
        let lines = text.lines().map(|line| {
            let inner = line.trim_start_matches('\t');
            let depth = line.len() - inner.len();
            format!("{end}{indent}{}{inner}", unit.repeat(depth))
        });
        lines.collect()
    }

    /// What the file indents a block by: that of its first directive in a block, or four blanks.
    fn indent_unit(&self) -> String {
        let mut unit = None;
        let bytes = self.document.text();
        self.document.walk(&mut |outer, directive| {
            let start = directive.span().start as usize;
            if let (None, Some(block)) = (&unit, outer.last())
                && stands_first(bytes, start)
            {
                let around = indent_of(bytes, block.span().start as usize);
                let own = indent_of(bytes, start);
                unit = own
                    .strip_prefix(&around)
                    .filter(|unit| !unit.is_empty())
                    .map(str::to_owned);
            }
        });
        unit.unwrap_or_else(|| "    ".to_owned())
    }

    fn line_end(&self) -> &'static str {
        let text = self.document.text();
        match text.iter().position(|byte| *byte == b'\n') {
            Some(at) if at > 0 && text[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The text with all changes made.
    pub fn apply(&self) -> Vec<u8> {
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_by_key(|(span, _)| span.start);
        let text = self.document.text();
        let mut edited = Vec::with_capacity(text.len());
        let mut at = 0;
        for (span, bytes) in changes {
            if (span.start as usize) < at {
                continue;
            }
            edited.extend_from_slice(&text[at..span.start as usize]);
            edited.extend_from_slice(bytes);
            at = span.end as usize;
        }
        edited.extend_from_slice(&text[at..]);
        edited
    }
}

/// Whether nothing but blanks stands before an offset on its line.
fn stands_first(text: &[u8], at: usize) -> bool {
    let line = text[..at].rsplit(|byte| *byte == b'\n').next();
    line.is_none_or(|line| line.iter().all(|byte| is_blank(*byte)))
}

fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

fn indent_of(text: &[u8], at: usize) -> String {
    let line = text[..at]
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let blank: Vec<u8> = line
        .iter()
        .copied()
        .take_while(|byte| is_blank(*byte))
        .collect();
    String::from_utf8_lossy(&blank).into_owned()
}

/// The stretch, widened to its lines if only blanks stand around it.
fn whole_lines(text: &[u8], span: Span) -> Span {
    let Span { start, end } = span;
    let before = &text[..start as usize];
    let after = &text[end as usize..];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |found| found + 1);
    let line_length = after
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(after.len(), |found| found + 1);
    let is_alone = before[line_start..]
        .iter()
        .chain(&after[..line_length])
        .all(|byte| is_blank(*byte));
    if is_alone {
        Span::new(line_start, end as usize + line_length)
    } else {
        span
    }
}
