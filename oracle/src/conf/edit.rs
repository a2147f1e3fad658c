use super::ast::{Block, Directive, Document, Word};
use super::lexer::is_blank;
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

    /// Writes a line of its own before a directive, indented like it.
    pub fn insert_before(&mut self, directive: &Directive, line: &str) -> &mut Self {
        let at = directive.span().start as usize;
        let indent = indent_of(self.document.text(), at);
        self.replace(Span::at(at), format!("{line}\n{indent}"))
    }

    /// Writes a line of its own at the beginning of a block.
    pub fn prepend(&mut self, block: &Block, line: &str) -> &mut Self {
        self.replace(Span::at(block.open.end as usize), format!("\n{line}"))
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
