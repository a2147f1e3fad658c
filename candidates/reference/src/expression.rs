//! Regular expressions of locations: PCRE's, as far as the `regex` crate means the same by them.
//!
//! What one of the two reads otherwise is refused, lest the proxy routes by another rule than the one that was written.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, Flag, Flags, FlagsItemKind, GroupKind,
    HexLiteralKind, Literal, LiteralKind, Repetition, Span, SpecialLiteralKind, Visitor, visit,
};

/// An expression that is looked for in paths.
#[derive(Debug)]
pub(crate) struct Expression(Regex);

/// Whether capitals and small letters differ; those of ASCII, as paths are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Matters,
    Ignored,
}

impl Expression {
    /// Reads an expression; the message says why it cannot be used.
    pub(crate) fn new(text: &str, case: Case) -> Result<Self, String> {
        let tree = Parser::new()
            .parse(text)
            .map_err(|error| error.kind().to_string())?;
        let ends = visit(&tree, Reader::default())?;
        let regex = RegexBuilder::new(&with_pcres_ends(text, &ends))
            .unicode(false)
            .case_insensitive(case == Case::Ignored)
            .build();
        regex.map(Self).map_err(|error| last_line(&error))
    }

    /// Whether it matches anywhere in a path.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        self.0.is_match(path)
    }
}

/// To PCRE a dollar sign is also the place before a last line feed, which `%0A` puts into a path.
fn with_pcres_ends(text: &str, ends: &[Span]) -> String {
    let mut written = String::with_capacity(text.len() + 8 * ends.len());
    let mut from = 0;
    for end in ends {
        written.push_str(&text[from..end.start.offset]);
        written.push_str(r"(?:\n?$)");
        from = end.end.offset;
    }
    written.push_str(&text[from..]);
    written
}

/// The crate's messages have a picture of the expression before the reason.
fn last_line(error: &regex::Error) -> String {
    let message = error.to_string();
    let line = message.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// Looks for what means something else in PCRE, and for dollar signs.
#[derive(Default)]
struct Reader {
    ends: Vec<Span>,
}

impl Visitor for Reader {
    type Output = Vec<Span>;
    type Err = String;

    fn finish(self) -> Result<Vec<Span>, String> {
        Ok(self.ends)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), String> {
        match tree {
            Ast::Repetition(repeated) => check_repetition(repeated),
            Ast::Literal(literal) => check_literal(literal),
            Ast::Flags(set) => check_flags(&set.flags),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) => check_flags(flags),
                _ => Ok(()),
            },
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::EndLine => {
                    self.ends.push(assertion.span);
                    Ok(())
                }
                AssertionKind::StartLine
                | AssertionKind::StartText
                | AssertionKind::EndText
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => Ok(()),
                _ => Err(refusal("beginnings and ends of words")),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Literal(literal) => check_literal(literal),
            ClassSetItem::Range(range) => {
                check_literal(&range.start).and_then(|()| check_literal(&range.end))
            }
            ClassSetItem::Bracketed(_) => Err(refusal("classes inside classes")),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), String> {
        Err(refusal("operations on classes"))
    }
}

fn check_repetition(repetition: &Repetition) -> Result<(), String> {
    match &*repetition.ast {
        Ast::Repetition(_) => Err(refusal("possessive quantifiers")),
        Ast::Literal(literal) if is_of_many_bytes(literal) => {
            Err(refusal("quantifiers of characters outside ASCII"))
        }
        _ => Ok(()),
    }
}

fn check_literal(literal: &Literal) -> Result<(), String> {
    match literal.kind {
        // PCRE has more kinds of vertical space.
        LiteralKind::Special(SpecialLiteralKind::VerticalTab) => Err(refusal("`\\v`")),
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
            Err(refusal("`\\u` and `\\U`"))
        }
        _ => Ok(()),
    }
}

/// A path has one line and is bytes to NGINX, and `x` has rules of its own in each language.
fn check_flags(flags: &Flags) -> Result<(), String> {
    let is_known = |kind: &FlagsItemKind| {
        matches!(
            kind,
            FlagsItemKind::Negation
                | FlagsItemKind::Flag(
                    Flag::CaseInsensitive | Flag::DotMatchesNewLine | Flag::SwapGreed
                )
        )
    };
    match flags.items.iter().all(|item| is_known(&item.kind)) {
        true => Ok(()),
        false => Err(refusal("flags other than `i`, `s` and `U`")),
    }
}

fn is_of_many_bytes(literal: &Literal) -> bool {
    literal.kind == LiteralKind::Verbatim && !literal.c.is_ascii()
}

fn refusal(what: &str) -> String {
    format!("{what} are not supported")
}

#[cfg(test)]
mod tests {
    use super::{Case, Expression};

    fn matches(text: &str, case: Case, path: &[u8]) -> bool {
        Expression::new(text, case).unwrap().matches(path)
    }

    #[test]
    fn expressions_are_looked_for_in_bytes() {
        let cases: &[(&str, &[u8], bool)] = &[
            ("^/v1/", b"/v1/x", true),
            ("^/v1/", b"/x/v1/", false),
            ("v1", b"/x/v1/", true),
            (r"\.(png|css)$", b"/a.png", true),
            (r"\.(png|css)$", b"/a.pngx", false),
            (r"\.(png|css)$", b"/a.png\n", true),
            (r"\.(png|css)$", b"/a.png\n\n", false),
            (r"^/a$|^/b", b"/a\n", true),
            (r"[$]\$\z", b"/$$", true),
            (r"a\z", b"/a\n", false),
            ("^/a.b$", b"/a\xffb", true),
            ("^/a.b$", b"/a\nb", false),
            ("^/a.b$", "/aéb".as_bytes(), false),
            ("é", "/é".as_bytes(), true),
            (r"\xff", b"/\xff", true),
            (r"^/[^/]+/[0-9a-f]{2,4}\/(?<rest>.*)$", b"/x/0af/", true),
            ("(?i)V1", b"/v1", true),
            ("V1", b"/v1", false),
        ];
        for (text, path, expected) in cases {
            assert_eq!(matches(text, Case::Matters, path), *expected, "{text}");
        }
        assert!(matches("^/API/", Case::Ignored, b"/aPi/"));
        assert!(!matches("É", Case::Ignored, "/é".as_bytes()));
    }

    #[test]
    fn what_pcre_reads_otherwise_is_refused() {
        let cases = [
            ("(", "unclosed group"),
            ("^/(?!v1)", "look-around"),
            (r"(.)\1", "backreferences"),
            ("a++", "possessive quantifiers are not supported"),
            ("(a{2}+)", "possessive quantifiers"),
            ("é+", "quantifiers of characters outside ASCII"),
            ("a{,3}", "repetition quantifier expects"),
            ("[a&&b]", "operations on classes"),
            ("[a--b]", "operations on classes"),
            ("[a[b]]", "classes inside classes"),
            (r"\bx\b{end}", "beginnings and ends of words"),
            (r"\<x", "beginnings and ends of words"),
            (r"[\v]", r"`\v` are not supported"),
            (r"\u0041", "`\\u` and `\\U`"),
            ("(?m)a$", "flags other than"),
            ("(?R:a)", "flags other than"),
            (r"\pL", "Unicode not allowed here"),
            ("[é]", "Unicode not allowed here"),
            (
                "(((a{999}){999}){999})",
                "Compiled regex exceeds size limit",
            ),
        ];
        for (text, expected) in cases {
            let message = Expression::new(text, Case::Matters).unwrap_err();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
