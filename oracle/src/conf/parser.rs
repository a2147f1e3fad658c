use std::sync::Arc;

use super::ast::{Block, Body, Directive, Document, RawBlock, Word};
use super::error::{Problem, SyntaxError, SyntaxErrors};
use super::lexer::{Lexer, Quotes, Token, line_end};
use super::lua;
use super::span::{LineIndex, Span};
use crate::printable::Printable;

/// Longest word or comment in bytes: NGINX reads a file through a buffer of 4096 (`NGX_CONF_BUFFER`), which must also
/// hold the byte after the word.
pub const WORD_LIMIT: usize = 4095;

/// How deep blocks may be nested. NGINX sets no limit but its stack; real files stay below ten.
pub const NESTING_LIMIT: usize = 128;

/// More errors than this are counted, not listed.
const ERROR_LIMIT: usize = 200;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Document {
    /// Reads a file as far as it is configuration.
    ///
    /// # Errors
    ///
    /// All syntax errors of the file at once.
    pub fn parse(text: impl Into<Arc<[u8]>>) -> Result<Self, SyntaxErrors> {
        let (document, errors) = Self::recover(text);
        errors.map_or(Ok(document), Err)
    }

    /// Reads a file that may be broken: what could be understood of it, and every error.
    pub fn recover(text: impl Into<Arc<[u8]>>) -> (Self, Option<SyntaxErrors>) {
        let text = text.into();
        let parsed = Parser::new(&text).run();
        let (directives, mut errors, omitted) = parsed;
        errors.sort_by_key(|error| error.span);
        let document = Self {
            lines: LineIndex::new(&text),
            text,
            directives,
        };
        let errors = (!errors.is_empty()).then_some(SyntaxErrors { errors, omitted });
        (document, errors)
    }
}

/// A block that is still open.
struct Frame {
    words: Vec<Word>,
    open: Span,
    directives: Vec<Directive>,
}

/// A `}` that stands where an outer block's would: the inner block probably lacks its own.
struct Suspect {
    name: String,
    head: Span,
    before: usize,
}

struct Parser<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    words: Vec<Word>,
    frames: Vec<Frame>,
    directives: Vec<Directive>,
    suspect: Option<Suspect>,
    errors: Vec<SyntaxError>,
    omitted: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            lexer: Lexer::new(text),
            words: Vec::new(),
            frames: Vec::new(),
            directives: Vec::new(),
            suspect: None,
            errors: Vec::new(),
            omitted: 0,
        }
    }

    fn run(mut self) -> (Vec<Directive>, Vec<SyntaxError>, usize) {
        if self.text.starts_with(BYTE_ORDER_MARK) {
            let mark = Span::new(0, BYTE_ORDER_MARK.len());
            self.error(Problem::ByteOrderMark, mark, Some((mark, String::new())));
            self.lexer.seek(BYTE_ORDER_MARK.len());
        }
        loop {
            match self.lexer.next() {
                Token::Word(span, quotes) => self.word(span, quotes),
                Token::Unclosed(span, quotes) => self.unclosed_quote(span, quotes),
                Token::Stray(span) => self.stray(span),
                Token::Semicolon(span) => self.semicolon(span),
                Token::Open(span) => self.open(span),
                Token::Close(span) => self.close(span),
                Token::End(span) => {
                    self.end(span);
                    break;
                }
            }
        }
        for comment in self.lexer.take_long_comments() {
            let length = comment.len();
            self.error(Problem::CommentTooLong { length }, comment, None);
        }
        (self.directives, self.errors, self.omitted)
    }

    fn error(&mut self, problem: Problem, span: Span, correction: Option<(Span, String)>) {
        if self.errors.len() == ERROR_LIMIT {
            self.omitted += 1;
            return;
        }
        self.errors.push(SyntaxError {
            problem,
            span,
            correction,
        });
    }

    fn word(&mut self, span: Span, quotes: Quotes) {
        let quote_length = usize::from(quotes != Quotes::Bare);
        let length = span.len() - 2 * quote_length;
        if length > WORD_LIMIT {
            self.error(Problem::WordTooLong { length }, span, None);
        }
        self.words.push(Word::new(self.text, span, quotes));
    }

    /// The word is taken to end on its line, where a reader would end it.
    fn unclosed_quote(&mut self, span: Span, quotes: Quotes) {
        let start = span.start as usize;
        let quote = char::from(self.text[start]);
        let end = probable_word_end(self.text, start);
        let correction = (Span::at(end), String::from(quote));
        let problem = Problem::UnclosedQuote { quote };
        self.error(problem, Span::new(start, end), Some(correction));
        self.words
            .push(Word::new(self.text, Span::new(start, end), quotes));
        self.lexer.seek(end);
    }

    /// After `"a"b`: if the word runs over lines, its first line lacks a quote; else a blank is missing.
    fn stray(&mut self, span: Span) {
        let word = self.words.pop();
        if let Some(word) = word {
            if self.text[word.span.range()].contains(&b'\n') {
                return self.unclosed_quote(word.span, word.quotes);
            }
            self.words.push(word);
        }
        let found = Printable(&self.text[span.range()]).to_string();
        let correction = (Span::at(span.start as usize), " ".into());
        self.error(Problem::MissingBlank { found }, span, Some(correction));
    }

    fn semicolon(&mut self, span: Span) {
        if self.words.is_empty() {
            return self.error(Problem::EmptyStatement, span, Some((span, String::new())));
        }
        self.push(Body::Simple(Some(span)));
    }

    fn push(&mut self, body: Body) {
        let words = std::mem::take(&mut self.words);
        self.block().push(Directive { words, body });
    }

    fn block(&mut self) -> &mut Vec<Directive> {
        match self.frames.last_mut() {
            Some(frame) => &mut frame.directives,
            None => &mut self.directives,
        }
    }

    fn open(&mut self, span: Span) {
        if self.words.is_empty() {
            self.error(Problem::NamelessBlock, span, None);
        }
        let name = self.words.first().map_or(&b""[..], Word::value);
        if name.ends_with(b"_by_lua_block") {
            return self.raw_block(span);
        }
        if self.frames.len() == NESTING_LIMIT {
            return self.too_deep(span);
        }
        let words = std::mem::take(&mut self.words);
        self.frames.push(Frame {
            words,
            open: span,
            directives: Vec::new(),
        });
    }

    fn raw_block(&mut self, open: Span) {
        let inside = open.end as usize;
        let close = lua::closing_brace(self.text, inside);
        let end = close.unwrap_or(self.text.len());
        if close.is_none() {
            let problem = Problem::UnclosedBlock {
                name: head_text(&self.words),
            };
            let place = Span::at(self.text.len());
            self.error(
                problem,
                head_span(&self.words, open),
                Some((place, "}".into())),
            );
        }
        self.lexer.seek(close.map_or(end, |at| at + 1));
        self.push(Body::Raw(RawBlock {
            open,
            inside: Span::new(inside, end),
            close: close.map(|at| Span::new(at, at + 1)),
        }));
    }

    /// Nothing below the limit is read: the block is skipped by counting its braces.
    fn too_deep(&mut self, open: Span) {
        self.error(Problem::TooDeep, open, None);
        let mut depth = 1_usize;
        while depth > 0 {
            match self.lexer.next() {
                Token::Open(_) => depth += 1,
                Token::Close(_) => depth -= 1,
                Token::End(_) | Token::Unclosed(..) => break,
                _ => {}
            }
        }
        let inside = Span::new(open.end as usize, self.lexer.at().max(open.end as usize));
        self.push(Body::Raw(RawBlock {
            open,
            inside,
            close: None,
        }));
    }

    fn close(&mut self, span: Span) {
        if !self.words.is_empty() {
            self.missing_semicolon();
        }
        let Some(frame) = self.frames.pop() else {
            return self.error(Problem::StrayBrace, span, Some((span, String::new())));
        };
        self.note_suspect(&frame, span);
        self.block().push(Directive {
            words: frame.words,
            body: Body::Block(Block {
                open: frame.open,
                directives: frame.directives,
                close: Some(span),
            }),
        });
    }

    fn missing_semicolon(&mut self) {
        let last = self.words.last().map_or(0, |word| word.span.end as usize);
        let first = self.words.first().map_or(Span::at(last), |word| word.span);
        let problem = Problem::MissingSemicolon {
            name: self
                .words
                .first()
                .map_or_else(String::new, |word| word.text().into_owned()),
        };
        let span = first.to(Span::at(last));
        self.error(problem, span, Some((Span::at(last), ";".into())));
        self.push(Body::Simple(None));
    }

    /// Remembers the first `}` that is indented like an outer block rather than like the one it closes.
    fn note_suspect(&mut self, frame: &Frame, close: Span) {
        if self.suspect.is_some() {
            return;
        }
        let Some(indent) = own_line_indent(self.text, close.start as usize) else {
            return;
        };
        let head = head_span(&frame.words, frame.open);
        let own = own_line_indent(self.text, head.start as usize);
        let is_outer = |outer: &Frame| {
            let head = head_span(&outer.words, outer.open);
            own_line_indent(self.text, head.start as usize) == Some(indent)
        };
        if own.is_some_and(|own| own != indent) && self.frames.iter().any(is_outer) {
            self.suspect = Some(Suspect {
                name: head_text(&frame.words),
                head,
                before: close.start as usize,
            });
        }
    }

    fn end(&mut self, span: Span) {
        let is_cut_short = !self.words.is_empty();
        if is_cut_short {
            self.missing_semicolon();
        }
        let mut suspect = self.suspect.take();
        while let Some(frame) = self.frames.pop() {
            let own = || Suspect {
                name: head_text(&frame.words),
                head: head_span(&frame.words, frame.open),
                before: span.start as usize,
            };
            let Suspect { name, head, before } = suspect.take().unwrap_or_else(own);
            let correction = (Span::at(before), "}\n".to_owned());
            // A brace after an unfinished directive would become part of it.
            let correction = Some(correction).filter(|_| !is_cut_short);
            self.error(Problem::UnclosedBlock { name }, head, correction);
            self.block().push(Directive {
                words: frame.words,
                body: Body::Block(Block {
                    open: frame.open,
                    directives: frame.directives,
                    close: None,
                }),
            });
        }
    }
}

fn head_text(words: &[Word]) -> String {
    let words: Vec<_> = words.iter().map(Word::text).collect();
    words.join(" ")
}

fn head_span(words: &[Word], open: Span) -> Span {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => open,
    }
}

/// The width of the blank before an offset, if nothing else stands before it on its line.
fn own_line_indent(text: &[u8], at: usize) -> Option<usize> {
    let before = &text[..at];
    let line = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |found| found + 1);
    let indent = &before[line..];
    indent
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t'))
        .then_some(indent.len())
}

/// Where a quoted word without its closing quote should have ended: before the ` {`, `;` or blank at the end of its line.
fn probable_word_end(text: &[u8], start: usize) -> usize {
    let line = &text[start..line_end(text, start)];
    let trimmed = line.trim_ascii_end();
    let trimmed = match trimmed.last() {
        Some(b';' | b'{') => trimmed[..trimmed.len() - 1].trim_ascii_end(),
        _ => trimmed,
    };
    start + trimmed.len().max(1)
}
