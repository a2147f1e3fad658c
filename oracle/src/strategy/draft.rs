use std::collections::HashSet;
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::conf::quoted;
use crate::location::{MergeSlashes, Modifier, Notation, Table, TableBuilder, TableError};

/// A route table before it is anything else: it can be written as NGINX configuration, or built as a [`Table`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// The locations in their order.
    pub locations: Vec<DraftLocation>,
    /// `merge_slashes`.
    pub merge_slashes: MergeSlashes,
}

/// One location of a [`Draft`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DraftLocation {
    /// How it is written.
    pub notation: Notation,
    /// Number of the upstream that gets its requests: `u0`, `u1`, …
    pub upstream: usize,
    /// The URI part of its `proxy_pass`; never with a regular expression.
    pub uri: Option<String>,
    /// The locations inside it.
    pub nested: Vec<Self>,
}

/// How many upstreams the locations of a draft name.
const UPSTREAMS: usize = 4;

/// Tables of all kinds of locations, some nested, with and without URI parts.
pub fn draft() -> impl Strategy<Value = Draft> {
    drafts(location().boxed(), 0..9)
}

/// Tables of exact and prefix locations only.
pub fn draft_without_regexes() -> impl Strategy<Value = Draft> {
    drafts(flat(static_notation()).boxed(), 0..9)
}

fn drafts(
    location: proptest::strategy::BoxedStrategy<DraftLocation>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Draft> {
    let merge = prop_oneof![4 => Just(MergeSlashes::On), 1 => Just(MergeSlashes::Off)];
    (vec(location, count), merge).prop_map(|(locations, merge_slashes)| Draft {
        locations: without_duplicates(locations),
        merge_slashes,
    })
}

fn location() -> impl Strategy<Value = DraftLocation> {
    let plain = prop_oneof![5 => flat(static_notation()), 2 => flat(regex_notation())];
    let inner = prop_oneof![4 => flat(static_notation()), 2 => flat(regex_notation())];
    let nesting = prop_oneof![4 => Just(Vec::new()).boxed(), 1 => vec(inner, 1..4).boxed()];
    (plain, nesting).prop_map(|(outer, nested)| nest(outer, nested))
}

/// Puts locations inside another as far as NGINX allows it; their text is made to begin with the outer one's.
fn nest(mut outer: DraftLocation, nested: Vec<DraftLocation>) -> DraftLocation {
    if outer.notation.modifier == Modifier::Exact {
        return outer;
    }
    for mut inner in nested {
        if !inner.notation.modifier.is_regex() {
            if outer.notation.modifier.is_regex() {
                continue;
            }
            let tail = std::mem::take(&mut inner.notation.text);
            inner.notation.text = outer.notation.text.clone();
            inner
                .notation
                .text
                .extend(tail.strip_prefix(b"/").unwrap_or(&tail));
        }
        outer.nested.push(inner);
    }
    outer.nested = without_duplicates(outer.nested);
    outer
}

fn flat(notation: impl Strategy<Value = Notation>) -> impl Strategy<Value = DraftLocation> {
    let uri = prop_oneof![
        6 => Just(None),
        1 => select(vec!["/", "/x", "/x/", "/y?z=", "/%41/"]).prop_map(|uri| Some(uri.to_owned())),
    ];
    (notation, 0..UPSTREAMS, uri).prop_map(|(notation, upstream, uri)| DraftLocation {
        uri: uri.filter(|_| !notation.modifier.is_regex()),
        notation,
        upstream,
        nested: Vec::new(),
    })
}

fn static_notation() -> impl Strategy<Value = Notation> {
    let modifier = select(vec![
        Modifier::Exact,
        Modifier::Prefix,
        Modifier::Prefix,
        Modifier::PrefixFinal,
    ]);
    (modifier, super::path()).prop_map(|(modifier, text)| Notation { modifier, text })
}

fn regex_notation() -> impl Strategy<Value = Notation> {
    let pattern = select(vec![
        "a",
        "^/a",
        "/b$",
        r"\.b$",
        "^/(a|b)/",
        "^/[ab]+/b",
        "/a{2,3}",
        "^/A",
        "b.a",
        "^/$",
        r"^/\w+$",
        "[^a]$",
        "(?:ab)*/",
        "^(?!/a)",
        r"(a|b)\1",
        "//",
        r"\s",
        "%",
        r"^/a\d?\b",
    ]);
    (any::<bool>(), pattern).prop_map(|(any_case, pattern)| Notation {
        modifier: if any_case {
            Modifier::RegexAnyCase
        } else {
            Modifier::Regex
        },
        text: pattern.into(),
    })
}

/// Keeps the first of locations with the same text, as far as NGINX refuses more.
fn without_duplicates(locations: Vec<DraftLocation>) -> Vec<DraftLocation> {
    let mut seen = HashSet::new();
    let mut is_new = |location: &DraftLocation| {
        let Notation { modifier, text } = &location.notation;
        modifier.is_regex() || seen.insert((*modifier == Modifier::Exact, text.clone()))
    };
    locations
        .into_iter()
        .filter(|location| is_new(location))
        .collect()
}

impl Draft {
    /// The texts of all locations that are paths.
    pub fn texts(&self) -> Vec<Vec<u8>> {
        fn collect(locations: &[DraftLocation], texts: &mut Vec<Vec<u8>>) {
            for location in locations {
                if !location.notation.modifier.is_regex() {
                    texts.push(location.notation.text.clone());
                }
                collect(&location.nested, texts);
            }
        }
        let mut texts = vec![b"/".to_vec()];
        collect(&self.locations, &mut texts);
        texts
    }

    /// The inside of a `server` block: `merge_slashes` and the locations.
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.merge_slashes == MergeSlashes::Off {
            text.extend(b"merge_slashes off;\n");
        }
        for location in &self.locations {
            location.render(0, &mut text);
        }
        text
    }

    /// The same as a table, without the way through configuration text. URI parts are left out.
    ///
    /// # Errors
    ///
    /// Never for drafts of [`draft`]; those made by hand may hold duplicates.
    pub fn table(&self) -> Result<Table, Vec<TableError>> {
        let mut builder = TableBuilder::new().merge_slashes(self.merge_slashes);
        for location in &self.locations {
            builder = location.build(builder, None);
        }
        builder.build()
    }
}

impl DraftLocation {
    fn render(&self, depth: usize, text: &mut Vec<u8>) {
        let indent = "    ".repeat(depth);
        text.extend(indent.bytes());
        text.extend(b"location ");
        let symbol = self.notation.modifier.symbol();
        if !symbol.is_empty() {
            text.extend(symbol.bytes());
            text.push(b' ');
        }
        text.extend(quoted(&self.notation.text));
        let mut rest = String::new();
        let uri = self.uri.as_deref().unwrap_or_default();
        write!(rest, " {{ proxy_pass http://u{}{uri};", self.upstream)
            .expect("strings take everything");
        text.extend(rest.bytes());
        if self.nested.is_empty() {
            text.extend(b" }\n");
            return;
        }
        text.push(b'\n');
        for nested in &self.nested {
            nested.render(depth + 1, text);
        }
        text.extend(indent.bytes());
        text.extend(b"}\n");
    }

    fn build(
        &self,
        builder: TableBuilder,
        parent: Option<crate::location::LocationId>,
    ) -> TableBuilder {
        let (mut builder, id) = builder.route_inside(
            parent,
            self.notation.clone(),
            &format!("u{}", self.upstream),
        );
        for nested in &self.nested {
            builder = nested.build(builder, Some(id));
        }
        builder
    }
}
