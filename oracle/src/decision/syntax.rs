use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

/// Why a pattern is not in the regular subset of PCRE2 that is read here.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{what} at byte {at} of the pattern")]
pub struct Irregular {
    /// The construct.
    pub what: &'static str,
    /// Its offset in the pattern.
    pub at: usize,
}

/// Flags of a part of a pattern.
#[derive(Clone, Copy)]
struct Flags {
    any_case: bool,
    dot_takes_line_feed: bool,
}

/// The pattern as a regular expression on bytes, if PCRE2 gives it no more meaning than that.
///
/// Whether a match exists does not depend on greed or order, so lazy quantifiers and captures are fine; back-references,
/// look-around, atomic groups, recursion and verbs are not, and what PCRE2 versions read differently is refused too.
pub(crate) fn parse(pattern: &[u8], any_case: bool) -> Result<Hir, Irregular> {
    let mut parser = Parser {
        pattern,
        at: 0,
        depth: 0,
    };
    let flags = Flags {
        any_case,
        dot_takes_line_feed: false,
    };
    let hir = parser.alternatives(flags)?;
    match parser.peek() {
        None => Ok(hir),
        Some(_) => Err(parser.refuse("a parenthesis that closes nothing")),
    }
}

/// Groups in groups beyond this are not followed.
const DEPTH: usize = 50;

/// Repetitions above this make automata too large to be worth it.
const MOST_REPEATS: u32 = 1000;

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    depth: usize,
}

/// One element of a sequence.
enum Element {
    Item(Hir),
    /// `$` or `\Z`: the end, or before a line feed that ends the text.
    End,
    /// `(?i)`: holds up to the end of the group.
    Flags(Flags),
}

impl Parser<'_> {
    fn refuse(&self, what: &'static str) -> Irregular {
        Irregular { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.pattern[self.at..]
    }

    fn takes(&mut self, text: &[u8]) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    fn alternatives(&mut self, mut flags: Flags) -> Result<Hir, Irregular> {
        let mut branches = vec![self.sequence(&mut flags)?];
        while self.takes(b"|") {
            branches.push(self.sequence(&mut flags)?);
        }
        Ok(Hir::alternation(branches))
    }

    fn sequence(&mut self, flags: &mut Flags) -> Result<Hir, Irregular> {
        let mut items: Vec<Hir> = Vec::new();
        let mut has_ended = false;
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            let start = self.at;
            match self.element(*flags)? {
                Element::Flags(new) => *flags = new,
                Element::End => has_ended = true,
                Element::Item(item) => {
                    let item = self.quantified(item)?;
                    if has_ended {
                        self.at = start;
                        return Err(self.refuse("something after `$`"));
                    }
                    if may_end(&item) && !self.is_last() {
                        self.at = start;
                        return Err(self.refuse("`$` before the end of a sequence"));
                    }
                    items.push(item);
                }
            }
        }
        if has_ended {
            items.push(end());
        }
        Ok(Hir::concat(items))
    }

    /// Whether the sequence ends here, and so do all around it.
    fn is_last(&self) -> bool {
        let mut depth = 0;
        for byte in self.rest() {
            match byte {
                b')' => depth += 1,
                b'|' if depth == 0 => return self.depth == 0,
                _ => return false,
            }
        }
        depth == self.depth
    }

    fn element(&mut self, flags: Flags) -> Result<Element, Irregular> {
        let byte = self.peek().unwrap_or_default();
        self.at += 1;
        let item = match byte {
            b'^' => Hir::look(Look::Start),
            b'$' => return Ok(Element::End),
            b'.' => match flags.dot_takes_line_feed {
                true => any_byte(),
                false => class(vec![(0, 9), (11, 255)], flags),
            },
            b'[' => self.class(flags)?,
            b'(' => return self.group(flags),
            b'\\' => return self.escape(flags),
            b'*' | b'+' | b'?' => {
                self.at -= 1;
                return Err(self.refuse("a quantifier after nothing"));
            }
            byte => literal(byte, flags),
        };
        Ok(Element::Item(item))
    }

    fn group(&mut self, flags: Flags) -> Result<Element, Irregular> {
        if self.takes(b"*") {
            return Err(self.refuse("a verb"));
        }
        let mut inner = flags;
        if self.takes(b"?") {
            match self.group_kind(flags)? {
                GroupKind::Comment => return Ok(Element::Item(Hir::empty())),
                GroupKind::FlagsAhead(flags) => return Ok(Element::Flags(flags)),
                GroupKind::Plain(flags) => inner = flags,
            }
        }
        if self.depth == DEPTH {
            return Err(self.refuse("too many groups in groups"));
        }
        self.depth += 1;
        let hir = self.alternatives(inner)?;
        self.depth -= 1;
        match self.takes(b")") {
            true => Ok(Element::Item(hir)),
            false => Err(self.refuse("a group that is not closed")),
        }
    }

    /// What follows `(?`.
    fn group_kind(&mut self, flags: Flags) -> Result<GroupKind, Irregular> {
        if self.takes(b"#") {
            let end = self.rest().iter().position(|byte| *byte == b')');
            self.at += end.ok_or_else(|| self.refuse("a comment that is not closed"))? + 1;
            return Ok(GroupKind::Comment);
        }
        if self.takes(b"P<")
            || (self.rest().starts_with(b"<") && !matches!(self.rest().get(1), Some(b'=' | b'!')))
        {
            let end = self.rest().iter().position(|byte| *byte == b'>');
            self.at += end.ok_or_else(|| self.refuse("a name that is not closed"))? + 1;
            return Ok(GroupKind::Plain(flags));
        }
        let mut flags = flags;
        let mut turns_on = true;
        loop {
            let byte = self.peek();
            self.at += 1;
            match byte {
                Some(b':') => return Ok(GroupKind::Plain(flags)),
                Some(b')') => return Ok(GroupKind::FlagsAhead(flags)),
                Some(b'-') => turns_on = false,
                Some(b'i') => flags.any_case = turns_on,
                Some(b's') => flags.dot_takes_line_feed = turns_on,
                _ => {
                    self.at -= 1;
                    return Err(self.refuse("look-around, an atomic group, recursion or a flag"));
                }
            }
        }
    }

    fn escape(&mut self, flags: Flags) -> Result<Element, Irregular> {
        let Some(byte) = self.peek() else {
            return Err(self.refuse("a backslash at the end"));
        };
        self.at += 1;
        let item = match byte {
            b'A' => Hir::look(Look::Start),
            b'z' => Hir::look(Look::End),
            b'Z' => return Ok(Element::End),
            b'b' => Hir::look(Look::WordAscii),
            b'B' => Hir::look(Look::WordAsciiNegate),
            b'K' => Hir::empty(),
            b'N' => class(vec![(0, 9), (11, 255)], flags),
            byte if !byte.is_ascii_alphanumeric() => literal(byte, flags),
            byte => match named_class(byte) {
                Some(ranges) => class(ranges, flags),
                None => literal(self.escaped_byte(byte)?, flags),
            },
        };
        Ok(Element::Item(item))
    }

    /// The byte that `\n`, `\x2f`, … stand for, after the letter.
    fn escaped_byte(&mut self, letter: u8) -> Result<u8, Irregular> {
        match letter {
            b'n' => Ok(b'\n'),
            b'r' => Ok(b'\r'),
            b't' => Ok(b'\t'),
            b'f' => Ok(0x0c),
            b'a' => Ok(0x07),
            b'e' => Ok(0x1b),
            b'x' => self.hexadecimal(),
            _ => {
                self.at -= 1;
                Err(self.refuse("a back-reference or another escape"))
            }
        }
    }

    fn hexadecimal(&mut self) -> Result<u8, Irregular> {
        let digits = match self.rest() {
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => [*high, *low],
            _ => return Err(self.refuse("`\\x` without two digits")),
        };
        self.at += 2;
        let text = std::str::from_utf8(&digits).unwrap_or_default();
        u8::from_str_radix(text, 16).map_err(|_| self.refuse("`\\x` without two digits"))
    }

    fn class(&mut self, flags: Flags) -> Result<Hir, Irregular> {
        let is_negated = self.takes(b"^");
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.refuse("a class that is not closed"));
            };
            if byte == b']' && !is_first {
                self.at += 1;
                break;
            }
            is_first = false;
            self.class_member(&mut ranges)?;
        }
        let mut set = ranges_of(ranges, flags);
        if is_negated {
            set.negate();
        }
        Ok(Hir::class(Class::Bytes(set)))
    }

    fn class_member(&mut self, ranges: &mut Vec<(u8, u8)>) -> Result<(), Irregular> {
        if matches!(self.rest(), [b'[', b':' | b'.' | b'=', ..]) {
            return self.posix_class(ranges);
        }
        let Some(low) = self.class_byte(ranges)? else {
            return Ok(());
        };
        let is_range =
            self.peek() == Some(b'-') && self.rest().get(1).is_some_and(|byte| *byte != b']');
        if !is_range {
            ranges.push((low, low));
            return Ok(());
        }
        self.at += 1;
        let before = ranges.len();
        match self.class_byte(ranges)? {
            Some(high) if low <= high && ranges.len() == before => ranges.push((low, high)),
            _ => return Err(self.refuse("a range of classes")),
        }
        Ok(())
    }

    /// One byte of a class; `None` if it was a class itself (`\d`), which is added.
    fn class_byte(&mut self, ranges: &mut Vec<(u8, u8)>) -> Result<Option<u8>, Irregular> {
        let Some(byte) = self.peek() else {
            return Err(self.refuse("a class that is not closed"));
        };
        self.at += 1;
        match byte {
            b'[' if matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                Err(self.refuse("a range of classes"))
            }
            b'\\' => {
                let Some(letter) = self.peek() else {
                    return Err(self.refuse("a backslash at the end"));
                };
                self.at += 1;
                if !letter.is_ascii_alphanumeric() {
                    return Ok(Some(letter));
                }
                if letter == b'b' {
                    return Ok(Some(0x08));
                }
                match named_class(letter) {
                    Some(named) => {
                        ranges.extend(named);
                        Ok(None)
                    }
                    None => self.escaped_byte(letter).map(Some),
                }
            }
            byte => Ok(Some(byte)),
        }
    }

    fn posix_class(&mut self, ranges: &mut Vec<(u8, u8)>) -> Result<(), Irregular> {
        type Test = fn(&u8) -> bool;
        let classes: [(&[u8], Test); 12] = [
            (b"[:alpha:]", u8::is_ascii_alphabetic),
            (b"[:digit:]", u8::is_ascii_digit),
            (b"[:alnum:]", u8::is_ascii_alphanumeric),
            (b"[:lower:]", u8::is_ascii_lowercase),
            (b"[:upper:]", u8::is_ascii_uppercase),
            (b"[:xdigit:]", u8::is_ascii_hexdigit),
            (b"[:punct:]", u8::is_ascii_punctuation),
            (b"[:graph:]", u8::is_ascii_graphic),
            (b"[:cntrl:]", u8::is_ascii_control),
            (b"[:print:]", |byte| (0x20..0x7f).contains(byte)),
            (b"[:space:]", |byte| matches!(byte, 9..=13 | b' ')),
            (b"[:blank:]", |byte| matches!(byte, b'\t' | b' ')),
        ];
        for (name, test) in classes {
            if self.takes(name) {
                ranges.extend((0..=255).filter(test).map(|byte| (byte, byte)));
                return Ok(());
            }
        }
        Err(self.refuse("a POSIX class"))
    }

    fn quantified(&mut self, item: Hir) -> Result<Hir, Irregular> {
        let mut item = item;
        loop {
            let start = self.at;
            let Some((min, max)) = self.quantifier()? else {
                return Ok(item);
            };
            if !item.properties().look_set().is_empty()
                && item.properties().minimum_len() == Some(0)
            {
                self.at = start;
                return Err(self.refuse("an assertion that is repeated"));
            }
            self.takes(b"?");
            if self.peek() == Some(b'+') {
                return Err(self.refuse("a possessive quantifier"));
            }
            item = Hir::repetition(Repetition {
                min,
                max,
                greedy: true,
                sub: Box::new(item),
            });
        }
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, Irregular> {
        let simple = match self.peek() {
            Some(b'*') => Some((0, None)),
            Some(b'+') => Some((1, None)),
            Some(b'?') => Some((0, Some(1))),
            Some(b'{') => return self.counted(),
            _ => None,
        };
        self.at += usize::from(simple.is_some());
        Ok(simple)
    }

    /// `{n}`, `{n,}`, `{n,m}`; any other `{` is a literal, but `{,m}` means something since PCRE2 10.43 only.
    fn counted(&mut self) -> Result<Option<(u32, Option<u32>)>, Irregular> {
        let Some(end) = self.rest().iter().position(|byte| *byte == b'}') else {
            return Ok(None);
        };
        let inside = &self.rest()[1..end];
        if !inside
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b' '))
            || inside.is_empty()
        {
            return Ok(None);
        }
        let text = std::str::from_utf8(inside).unwrap_or_default();
        let number = |text: &str| {
            text.parse::<u32>()
                .ok()
                .filter(|number| *number <= MOST_REPEATS)
        };
        let counts = match text.split_once(',') {
            None => number(text).map(|count| (count, Some(count))),
            Some((min, "")) => number(min).map(|min| (min, None)),
            Some((min, max)) => number(min)
                .zip(number(max))
                .map(|(min, max)| (min, Some(max))),
        };
        let counts = counts.ok_or_else(|| {
            self.refuse("a repetition above 1000, or one PCRE2 versions read differently")
        })?;
        self.at += end + 1;
        Ok(Some(counts))
    }
}

enum GroupKind {
    Plain(Flags),
    FlagsAhead(Flags),
    Comment,
}

/// `$`: the end, or a line feed and the end.
fn end() -> Hir {
    let line_feed = Hir::concat(vec![Hir::literal(*b"\n"), Hir::look(Look::End)]);
    Hir::alternation(vec![Hir::look(Look::End), line_feed])
}

/// Whether a `$` inside may have been met, after which nothing else can be judged.
fn may_end(item: &Hir) -> bool {
    item.properties().look_set().contains(Look::End)
}

pub(crate) fn any_byte() -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(
        0, 255,
    )])))
}

fn literal(byte: u8, flags: Flags) -> Hir {
    class(vec![(byte, byte)], flags)
}

fn class(ranges: Vec<(u8, u8)>, flags: Flags) -> Hir {
    Hir::class(Class::Bytes(ranges_of(ranges, flags)))
}

fn ranges_of(ranges: Vec<(u8, u8)>, flags: Flags) -> ClassBytes {
    let ranges = ranges
        .into_iter()
        .map(|(low, high)| ClassBytesRange::new(low, high));
    let mut set = ClassBytes::new(ranges);
    if flags.any_case {
        set.case_fold_simple();
    }
    set
}

/// `\d`, `\w`, `\s`, `\h`, `\v` and their opposites, in the C locale.
fn named_class(letter: u8) -> Option<Vec<(u8, u8)>> {
    let ranges = match letter.to_ascii_lowercase() {
        b'd' => vec![(b'0', b'9')],
        b'w' => vec![(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
        b's' => vec![(9, 13), (b' ', b' ')],
        b'h' => vec![(9, 9), (b' ', b' '), (0xa0, 0xa0)],
        b'v' => vec![(10, 13), (0x85, 0x85)],
        _ => return None,
    };
    if letter.is_ascii_lowercase() {
        return Some(ranges);
    }
    let mut set = ClassBytes::new(
        ranges
            .into_iter()
            .map(|(low, high)| ClassBytesRange::new(low, high)),
    );
    set.negate();
    Some(
        set.iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
    )
}
