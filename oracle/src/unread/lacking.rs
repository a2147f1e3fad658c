use super::walk::{VALUES, place};
use crate::conf::{Directive, Found, Tree};
use crate::directive;
use crate::location::{NginxVersion, Place};

/// A directive, or a word of one, that a release or its build may not have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lacking {
    /// As a user would name it: `http2`, `listen … quic`.
    pub what: String,
    /// The directive.
    pub place: Place,
    /// What it needs.
    pub missing: Missing,
}

/// What a directive needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Missing {
    /// A later release: this is the first that has it.
    Release(NginxVersion),
    /// An earlier release: from this one on it is gone.
    EarlierRelease(NginxVersion),
    /// A module that not every build has, a package, or `NGINX Plus`: see [`directive::Definition::module`].
    Module(&'static str),
}

/// What a configuration asks for that this release lacks, or that its build may lack; in the order NGINX reads it.
pub fn lacking(tree: &Tree, version: NginxVersion) -> Vec<Lacking> {
    let mut found = Vec::new();
    for top in tree.top() {
        collect(tree, top, version, &mut found);
    }
    found
}

fn collect(tree: &Tree, found: Found<'_>, version: NginxVersion, all: &mut Vec<Lacking>) {
    let directive = found.directive;
    let name = String::from_utf8_lossy(directive.name());
    let mut note = |what: String, missing: Missing| {
        all.push(Lacking {
            what,
            place: place(found),
            missing,
        });
    };
    if let Some(definition) = directive::definition(&name) {
        let release = definition.since.filter(|_| !definition.is_in(version));
        let module = definition.module.map(Missing::Module);
        if let Some(missing) = release.map(Missing::Release).or(module) {
            note(name.to_string(), missing);
        }
    }
    if name == "ssl" && version >= NginxVersion::HTTP2_DIRECTIVE {
        // Removed in the release that brought `http2 on`.
        note(
            name.to_string(),
            Missing::EarlierRelease(NginxVersion::HTTP2_DIRECTIVE),
        );
    }
    for (word, since) in newer_words(directive) {
        if version < since {
            note(format!("{name} … {word}"), Missing::Release(since));
        }
    }
    if !VALUES.contains(&&*name) {
        for child in tree.children(found) {
            collect(tree, child, version, all);
        }
    }
}

/// The arguments that came later than their directive, with the first release that has them.
fn newer_words(directive: &Directive) -> impl Iterator<Item = (&'static str, NginxVersion)> {
    const WORDS: [(&str, &str, NginxVersion); 4] = [
        ("listen", "quic", NginxVersion::new(1, 25, 0)),
        ("listen", "multipath", NginxVersion::new(1, 29, 7)),
        ("server", "resolve", NginxVersion::new(1, 27, 3)),
        ("proxy_http_version", "2", NginxVersion::new(1, 29, 4)),
    ];
    let has = |word: &str| {
        directive
            .arguments()
            .iter()
            .any(|argument| argument.value() == word.as_bytes())
    };
    let words = WORDS.into_iter();
    words
        .filter(move |(name, word, _)| directive.is(name) && has(word))
        .map(|(_, word, since)| (word, since))
}
