use std::fmt;

use super::ast::Document;
use super::parser::{NESTING_LIMIT, WORD_LIMIT};
use super::span::Span;

/// One place where a file is not NGINX configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: Problem,
    /// Where to look.
    pub span: Span,
    /// The smallest edit that mends it: a stretch and what should stand there.
    pub correction: Option<(Span, String)>,
}

/// What can be wrong with the syntax of a file. NGINX stops at the first of them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A UTF-8 byte order mark: NGINX reads it as part of the first name.
    #[error("byte order mark before the first directive")]
    ByteOrderMark,
    /// `;` with nothing before it.
    #[error("unexpected `;`: there is no directive before it")]
    EmptyStatement,
    /// `{` with nothing before it.
    #[error("unexpected `{{`: the block has no name")]
    NamelessBlock,
    /// `}` that closes nothing.
    #[error("unexpected `}}`: no block is open")]
    StrayBrace,
    /// A directive that runs into `}` or the end of the file.
    #[error("directive `{name}` is not ended")]
    MissingSemicolon {
        /// Its first word.
        name: String,
    },
    /// A block that runs into the end of the file.
    #[error("block `{name}` is not closed")]
    UnclosedBlock {
        /// Its words, without what is inside.
        name: String,
    },
    /// A quote without a counterpart, or whose counterpart is that of another word.
    #[error("the quote is not closed on its line")]
    UnclosedQuote {
        /// `"` or `'`
        quote: char,
    },
    /// A word that goes on after its closing quote.
    #[error("unexpected `{found}` after a closing quote")]
    MissingBlank {
        /// The byte that stands there, escaped if it is not printable.
        found: String,
    },
    /// A word longer than NGINX's buffer.
    #[error("the word is {length} bytes long")]
    WordTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A comment longer than NGINX's buffer.
    #[error("the comment is {length} bytes long")]
    CommentTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Blocks in blocks beyond what this parser follows.
    #[error("blocks are nested more than {NESTING_LIMIT} deep")]
    TooDeep,
}

impl Problem {
    /// What should stand there: a fragment that completes "expected …".
    pub fn expected(&self) -> String {
        match self {
            Self::ByteOrderMark => "a file that starts with its first directive or comment".into(),
            Self::EmptyStatement => "a directive, or nothing".into(),
            Self::NamelessBlock => "the name of a block before `{`".into(),
            Self::StrayBrace => "a directive or the end of the file".into(),
            Self::MissingSemicolon { .. } => "`;` or `{` after its last word".into(),
            Self::UnclosedBlock { .. } => "`}` before the end of the file".into(),
            Self::UnclosedQuote { quote } => format!("a closing `{quote}`"),
            Self::MissingBlank { .. } => "a blank, `;`, `{` or `)` after the quote".into(),
            Self::WordTooLong { .. } | Self::CommentTooLong { .. } => {
                format!("at most {WORD_LIMIT} bytes (NGINX reads through a buffer of 4096)")
            }
            Self::TooDeep => format!("at most {NESTING_LIMIT} blocks within each other"),
        }
    }
}

/// All errors of one file, in its order.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} in the configuration", count(.errors.len() + .omitted))]
pub struct SyntaxErrors {
    /// The errors; never empty.
    pub errors: Vec<SyntaxError>,
    /// How many more there are: a file that is something else entirely has too many to list.
    pub omitted: usize,
}

fn count(errors: usize) -> String {
    match errors {
        1 => "1 syntax error".into(),
        many => format!("{many} syntax errors"),
    }
}

impl SyntaxError {
    /// The line of the error as it should read; `None` if no single edit mends it.
    pub fn corrected_line(&self, document: &Document) -> Option<String> {
        let (span, replacement) = self.correction.as_ref()?;
        let line = document
            .lines
            .line_span(document.text(), document.line(span.start));
        let before = Span::new(line.start as usize, span.start.max(line.start) as usize);
        let after = Span::new(span.end as usize, line.end.max(span.end) as usize);
        let text = |span| String::from_utf8_lossy(document.raw(span));
        Some(format!("{}{replacement}{}", text(before), text(after)))
    }

    /// The error with its line, a mark under the place, what was expected and the corrected line, for a terminal.
    pub fn render<'a>(&'a self, name: &'a str, document: &'a Document) -> impl fmt::Display + 'a {
        Rendered {
            error: self,
            name,
            document,
        }
    }
}

struct Rendered<'a> {
    error: &'a SyntaxError,
    name: &'a str,
    document: &'a Document,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            name,
            document,
        } = self;
        let position = document.position(error.span.start);
        writeln!(f, "{name}:{position}: {error}")?;
        excerpt(f, document, error.span)?;
        write!(f, "     expected {}", error.problem.expected())?;
        if let Some(line) = error.corrected_line(document) {
            for (index, line) in clipped_lines(&line).enumerate() {
                let lead = if index == 0 {
                    "change to: "
                } else {
                    "           "
                };
                write!(f, "\n     {lead}{line}")?;
            }
        }
        Ok(())
    }
}

/// Lines wider than this are cut: an error message is no place for a kilobyte.
const EXCERPT_WIDTH: usize = 120;

fn clipped_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .map(|line| line.trim_start().chars().take(EXCERPT_WIDTH).collect())
}

/// The line of a place, with carets under it.
fn excerpt(f: &mut fmt::Formatter<'_>, document: &Document, span: Span) -> fmt::Result {
    let position = document.position(span.start);
    let column = position.column as usize;
    let line = document.line_text(position.line).replace('\t', " ");
    let skip = column.saturating_sub(EXCERPT_WIDTH / 2);
    let shown: String = line.chars().skip(skip).take(EXCERPT_WIDTH).collect();
    let marked = String::from_utf8_lossy(document.raw(span))
        .lines()
        .next()
        .map_or(0, |first| first.chars().count());
    let room = (shown.chars().count() + 1).saturating_sub(column - 1 - skip);
    writeln!(f, "{:>4} | {shown}", position.line)?;
    let blank = " ".repeat(column - 1 - skip);
    writeln!(
        f,
        "     | {blank}{}",
        "^".repeat(marked.clamp(1, room.max(1)))
    )
}
