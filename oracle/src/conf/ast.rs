use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::lexer::{self, Quotes};
use super::span::{LineIndex, Position, Span};

/// One file of a configuration: its text, and the directives found in it.
///
/// Nothing of the text is lost: [`Document::leaves`] tiles it, and edits ([`super::Edits`]) leave the rest alone.
#[derive(Clone)]
pub struct Document {
    pub(crate) text: Arc<[u8]>,
    pub(crate) lines: LineIndex,
    pub(crate) directives: Vec<Directive>,
}

/// A name with its arguments, ended by `;` or a block.
#[derive(Clone, Debug)]
pub struct Directive {
    /// Name and arguments; empty only for a block without a name in a broken file.
    pub words: Vec<Word>,
    /// What follows the words.
    pub body: Body,
}

/// What follows the words of a directive.
#[derive(Clone, Debug)]
pub enum Body {
    /// `;`: its place; `None` where it is missing in a broken file.
    Simple(Option<Span>),
    /// `{ … }` with directives in it.
    Block(Block),
    /// `{ … }` in another language (`content_by_lua_block`), kept as it is.
    Raw(RawBlock),
}

/// A block in another language than NGINX's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RawBlock {
    /// `{`
    pub open: Span,
    /// What stands between the braces.
    pub inside: Span,
    /// `}`; `None` where it is missing in a broken file.
    pub close: Option<Span>,
}

/// Directives between braces.
#[derive(Clone, Debug)]
pub struct Block {
    /// `{`
    pub open: Span,
    /// The directives, in the order of the file.
    pub directives: Vec<Directive>,
    /// `}`; `None` where it is missing in a broken file.
    pub close: Option<Span>,
}

/// A name or an argument.
#[derive(Clone, Debug)]
pub struct Word {
    /// As written, quotes included.
    pub span: Span,
    /// How it is quoted.
    pub quotes: Quotes,
    value: Box<[u8]>,
}

/// A piece of a text: together they are the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leaf {
    /// What it is.
    pub kind: LeafKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of pieces a text consists of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LeafKind {
    /// Blanks, tabs and line ends.
    Blank,
    /// `#` up to the end of the line, the line end not included.
    Comment,
    /// A name or an argument as written.
    Word,
    /// `;`, `{` or `}`.
    Punctuation,
    /// The inside of a raw block.
    Raw,
    /// Bytes of a broken file that belong to no directive.
    Skipped,
}

impl Document {
    /// The bytes of the file.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The directives at the top of the file.
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Line and column of an offset.
    pub fn position(&self, offset: u32) -> Position {
        self.lines.position(&self.text, offset)
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.lines.line(offset)
    }

    /// The text of a line (from 1), without its line end.
    pub fn line_text(&self, line: u32) -> Cow<'_, str> {
        let span = self.lines.line_span(&self.text, line);
        String::from_utf8_lossy(&self.text[span.range()])
    }

    /// The bytes of a stretch, exactly as written.
    pub fn raw(&self, span: Span) -> &[u8] {
        &self.text[span.range()]
    }

    /// Every directive with the blocks around it, in the order of the file.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&[&'a Directive], &'a Directive)) {
        fn descend<'a>(
            directives: &'a [Directive],
            outer: &mut Vec<&'a Directive>,
            visit: &mut dyn FnMut(&[&'a Directive], &'a Directive),
        ) {
            for directive in directives {
                visit(outer, directive);
                outer.push(directive);
                descend(directive.children(), outer, visit);
                outer.pop();
            }
        }
        descend(&self.directives, &mut Vec::new(), visit);
    }

    /// The pieces of the text in order, without gap or overlap: concatenated, they are the text.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut tokens = Vec::new();
        collect_leaves(&self.directives, &mut tokens);
        tokens.sort_by_key(|leaf| leaf.span);
        let mut leaves = Vec::with_capacity(tokens.len() * 2);
        let mut at = 0;
        for leaf in tokens {
            self.trivia(at, leaf.span.start as usize, &mut leaves);
            at = leaf.span.end as usize;
            leaves.push(leaf);
        }
        self.trivia(at, self.text.len(), &mut leaves);
        leaves
    }

    /// What the tree says, as bytes again: the text it was read from.
    pub fn print(&self) -> Vec<u8> {
        let leaves = self.leaves();
        leaves
            .iter()
            .flat_map(|leaf| self.raw(leaf.span))
            .copied()
            .collect()
    }

    fn trivia(&self, start: usize, end: usize, leaves: &mut Vec<Leaf>) {
        let mut at = start;
        while at < end {
            let kind = kind_of_trivia(self.text[at]);
            let rest = &self.text[at..end];
            let length = match kind {
                LeafKind::Comment => rest.iter().position(|byte| *byte == b'\n'),
                _ => rest.iter().position(|byte| kind_of_trivia(*byte) != kind),
            };
            let stop = length.map_or(end, |length| at + length);
            leaves.push(Leaf {
                kind,
                span: Span::new(at, stop),
            });
            at = stop;
        }
    }
}

fn kind_of_trivia(byte: u8) -> LeafKind {
    match byte {
        b'#' => LeafKind::Comment,
        byte if lexer::is_blank(byte) => LeafKind::Blank,
        _ => LeafKind::Skipped,
    }
}

fn collect_leaves(directives: &[Directive], leaves: &mut Vec<Leaf>) {
    let punctuation = |span| Leaf {
        kind: LeafKind::Punctuation,
        span,
    };
    for directive in directives {
        let words = directive.words.iter().map(|word| Leaf {
            kind: LeafKind::Word,
            span: word.span,
        });
        leaves.extend(words);
        match &directive.body {
            Body::Simple(semicolon) => leaves.extend(semicolon.map(punctuation)),
            Body::Raw(raw) => {
                leaves.push(punctuation(raw.open));
                leaves.push(Leaf {
                    kind: LeafKind::Raw,
                    span: raw.inside,
                });
                leaves.extend(raw.close.map(punctuation));
            }
            Body::Block(block) => {
                leaves.push(punctuation(block.open));
                collect_leaves(&block.directives, leaves);
                leaves.extend(block.close.map(punctuation));
            }
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.text.len())
            .field("directives", &self.directives)
            .finish_non_exhaustive()
    }
}

impl Directive {
    /// The first word; empty for a block without a name.
    pub fn name(&self) -> &[u8] {
        self.words.first().map_or(b"", Word::value)
    }

    /// Whether the name is this one.
    pub fn is(&self, name: &str) -> bool {
        self.name() == name.as_bytes()
    }

    /// The words after the name.
    pub fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The value of an argument, from 0.
    pub fn argument(&self, index: usize) -> Option<&[u8]> {
        self.arguments().get(index).map(Word::value)
    }

    /// The directives of its block; empty for one without.
    pub fn children(&self) -> &[Self] {
        match &self.body {
            Body::Block(block) => &block.directives,
            _ => &[],
        }
    }

    /// From the name to the end of the last word: what an editor should underline.
    pub fn head(&self) -> Span {
        match (self.words.first(), self.words.last(), &self.body) {
            (Some(first), Some(last), _) => first.span.to(last.span),
            (_, _, Body::Block(block)) => block.open,
            (_, _, Body::Raw(raw)) => raw.open,
            (_, _, Body::Simple(span)) => span.unwrap_or_default(),
        }
    }

    /// From the name to its `;` or `}`.
    pub fn span(&self) -> Span {
        let head = self.head();
        match &self.body {
            Body::Simple(semicolon) => semicolon.map_or(head, |end| head.to(end)),
            Body::Raw(raw) => head.to(raw.close.unwrap_or(raw.inside)),
            Body::Block(block) => match (block.close, block.directives.last()) {
                (Some(close), _) => head.to(close),
                (None, Some(last)) => head.to(last.span()),
                (None, None) => head.to(block.open),
            },
        }
    }
}

impl Word {
    pub(crate) fn new(text: &[u8], span: Span, quotes: Quotes) -> Self {
        let raw = &text[span.range()];
        let inside = match quotes {
            Quotes::Bare => raw,
            _ => raw[1..].strip_suffix(&raw[..1]).unwrap_or(&raw[1..]),
        };
        let value = if inside.contains(&b'\\') {
            lexer::unescaped(inside).into()
        } else {
            inside.into()
        };
        Self {
            span,
            quotes,
            value,
        }
    }

    /// What it stands for: without quotes, escapes replaced.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value for people: what is not UTF-8 replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}
