use super::parser::WORD_LIMIT;
use super::span::Span;

/// How a word is quoted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Quotes {
    /// Not at all; it ends at a blank, `;` or `{`.
    Bare,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
}

/// What the lexer finds next. What lies between two tokens is blank or comment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// A word, its quotes included in the span.
    Word(Span, Quotes),
    /// A word whose quote never closes, up to the end of the file.
    Unclosed(Span, Quotes),
    /// A byte directly after a closing quote that may not stand there.
    Stray(Span),
    /// `;`
    Semicolon(Span),
    /// `{`
    Open(Span),
    /// `}`
    Close(Span),
    /// The end of the file.
    End(Span),
}

/// `ngx_conf_read_token` (nginx 1.22.1 and 1.31.3 agree), byte for byte, but over a whole text at once.
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether the last token was a quoted word, after which a blank, `;`, `{` or `)` must stand.
    after_quote: bool,
    long_comments: Vec<Span>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            after_quote: false,
            long_comments: Vec::new(),
        }
    }

    /// The comments that do not fit NGINX's buffer. One that ends the file does: the buffer is never refilled.
    pub(crate) fn take_long_comments(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.long_comments)
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Continues at an offset, as after a line end.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
        self.after_quote = false;
    }

    pub(crate) fn next(&mut self) -> Token {
        if std::mem::take(&mut self.after_quote)
            && let Some(byte) = self.text.get(self.at)
            && !is_blank(*byte)
            && !matches!(byte, b';' | b'{' | b')')
        {
            return Token::Stray(Span::new(self.at, self.at + 1));
        }
        self.skip_trivia();
        let start = self.at;
        let one = Span::new(start, start + 1);
        match self.text.get(start) {
            None => Token::End(Span::at(start)),
            Some(b';') => self.punctuation(Token::Semicolon(one)),
            Some(b'{') => self.punctuation(Token::Open(one)),
            Some(b'}') => self.punctuation(Token::Close(one)),
            Some(b'"') => self.quoted(b'"', Quotes::Double),
            Some(b'\'') => self.quoted(b'\'', Quotes::Single),
            Some(_) => self.bare(),
        }
    }

    fn punctuation(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn skip_trivia(&mut self) {
        while let Some(byte) = self.text.get(self.at) {
            if is_blank(*byte) {
                self.at += 1;
            } else if *byte == b'#' {
                let end = line_end(self.text, self.at);
                if end - self.at > WORD_LIMIT && end < self.text.len() {
                    self.long_comments.push(Span::new(self.at, end));
                }
                self.at = end;
            } else {
                return;
            }
        }
    }

    fn quoted(&mut self, quote: u8, quotes: Quotes) -> Token {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            match *byte {
                b'\\' => self.at += 1,
                byte if byte == quote => {
                    self.after_quote = true;
                    return Token::Word(Span::new(start, self.at), quotes);
                }
                _ => {}
            }
        }
        self.at = self.text.len();
        Token::Unclosed(Span::new(start, self.at), quotes)
    }

    /// A bare word: `{` directly after `$` belongs to it (`${name}`), a backslash takes the next byte with it.
    fn bare(&mut self) -> Token {
        let start = self.at;
        let mut after_dollar = false;
        while let Some(byte) = self.text.get(self.at) {
            match *byte {
                b'{' if after_dollar => {}
                b'\\' => {
                    after_dollar = false;
                    self.at += 1;
                }
                b'$' => after_dollar = true,
                b';' | b'{' => break,
                byte if is_blank(byte) => break,
                _ => after_dollar = false,
            }
            self.at += 1;
        }
        self.at = self.at.min(self.text.len());
        Token::Word(Span::new(start, self.at), Quotes::Bare)
    }
}

/// Blank, tab, CR or LF: what separates words.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The offset of the next LF, or of the end.
pub(crate) fn line_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |found| from + found)
}

/// What a word stands for: `\"`, `\'`, `\\`, `\t`, `\r`, `\n` replaced, every other backslash kept.
pub(crate) fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        let replacement = match (first, tail.first()) {
            (b'\\', Some(b'"')) => Some(b'"'),
            (b'\\', Some(b'\'')) => Some(b'\''),
            (b'\\', Some(b'\\')) => Some(b'\\'),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(b'n')) => Some(b'\n'),
            _ => None,
        };
        value.push(replacement.unwrap_or(*first));
        rest = &rest[1 + usize::from(replacement.is_some())..];
    }
    value
}
