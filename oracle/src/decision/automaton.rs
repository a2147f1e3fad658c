use std::collections::HashMap;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Hir, Look, Repetition};

use super::syntax::{Irregular, any_byte, parse};

/// A deterministic automaton over bytes: whether a regular expression matches somewhere in a text.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    class_of: Box<[u8; 256]>,
    classes: usize,
    next: Vec<u32>,
    accepts: Vec<bool>,
}

/// Automata above this many bytes while being built are not worth it.
const SIZE_LIMIT: usize = 8 << 20;

impl Automaton {
    /// The automaton of a pattern, minimal.
    pub(crate) fn of(pattern: &[u8], any_case: bool) -> Result<Self, Irregular> {
        let too_large = |_| Irregular {
            what: "an automaton too large to build",
            at: 0,
        };
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(SIZE_LIMIT)),
            )
            .build_from_hir(&anywhere(parse(pattern, any_case)?))
            .map_err(|_| too_large(()))?;
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::All)
                    .minimize(true)
                    .dfa_size_limit(Some(SIZE_LIMIT))
                    .determinize_size_limit(Some(SIZE_LIMIT)),
            )
            .build_from_nfa(&nfa)
            .map_err(|_| too_large(()))?;
        let start = dfa
            .start_state_forward(&Input::new(b"").anchored(Anchored::Yes))
            .map_err(|_| too_large(()))?;
        Ok(Self::tabulated(&dfa, start))
    }

    /// Walks all states and writes them down with small numbers; 0 is the start.
    fn tabulated(dfa: &dense::DFA<Vec<u32>>, start: StateID) -> Self {
        let byte_classes = dfa.byte_classes();
        let class_of: Box<[u8; 256]> =
            Box::new(std::array::from_fn(|byte| byte_classes.get(byte as u8)));
        let classes = usize::from(*class_of.iter().max().expect("256 bytes")) + 1;
        let example: Vec<u8> = (0..classes)
            .map(|class| {
                let byte = class_of.iter().position(|own| usize::from(*own) == class);
                u8::try_from(byte.expect("every class has a byte")).expect("one of 256")
            })
            .collect();
        let mut states = vec![start];
        let mut number = HashMap::from([(start, 0_u32)]);
        let mut next = Vec::new();
        let mut accepts = Vec::new();
        let mut at = 0;
        while let Some(state) = states.get(at).copied() {
            at += 1;
            accepts.push(dfa.is_match_state(dfa.next_eoi_state(state)));
            for byte in &example {
                let target = dfa.next_state(state, *byte);
                let fresh = u32::try_from(states.len()).expect("fewer than four billion states");
                let known = *number.entry(target).or_insert(fresh);
                if known == fresh {
                    states.push(target);
                }
                next.push(known);
            }
        }
        Self {
            class_of,
            classes,
            next,
            accepts,
        }
    }

    pub(crate) fn step(&self, state: u32, byte: u8) -> u32 {
        let class = usize::from(self.class_of[usize::from(byte)]);
        self.next[state as usize * self.classes + class]
    }

    pub(crate) fn accepts(&self, state: u32) -> bool {
        self.accepts[state as usize]
    }

    pub(crate) fn class_of(&self, byte: u8) -> u8 {
        self.class_of[usize::from(byte)]
    }
}

/// Any bytes, a match, any bytes: from the beginning of the text to its end.
fn anywhere(regex: Hir) -> Hir {
    let any = || {
        Hir::repetition(Repetition {
            min: 0,
            max: None,
            greedy: true,
            sub: Box::new(any_byte()),
        })
    };
    Hir::concat(vec![
        Hir::look(Look::Start),
        any(),
        regex,
        any(),
        Hir::look(Look::End),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::location::{Regex, RegexCase};

    fn runs(automaton: &Automaton, text: &[u8]) -> bool {
        let end = text
            .iter()
            .fold(0, |state, byte| automaton.step(state, *byte));
        automaton.accepts(end)
    }

    proptest! {
        /// The automaton and PCRE2 agree on every pattern that is taken for regular.
        #[test]
        fn automata_agree_with_pcre2(
            pattern in r"((\^|\$|a|b|A|/|\.|\\\.|\\n|\\d|\\w|\\b|\\B|\\s|\[a-c/\]|\[\^ab\]|\[[:alpha:]-\]|\(a\|b\)|\(\?:ab\)|\(\?i\)|\(\?i:a\)|\(|\)|\||\\x2f|\\z|\\Z)(\*|\+|\?|\{2\}|\{1,2\}|\*\?|)){0,6}",
            any_case: bool,
            texts in proptest::collection::vec(r"[abcA1/.\n _-]{0,7}", 30),
        ) {
            let letter_case = if any_case { RegexCase::Ignored } else { RegexCase::Exact };
            let Ok(regex) = Regex::new(pattern.as_bytes(), letter_case) else { return Ok(()); };
            let Ok(automaton) = Automaton::of(pattern.as_bytes(), any_case) else { return Ok(()); };
            for text in texts {
                prop_assert_eq!(runs(&automaton, text.as_bytes()), regex.is_match(text.as_bytes()).unwrap(), "{:?} on {:?}", pattern, text);
            }
        }
    }

    #[test]
    fn usual_patterns_are_regular() {
        for pattern in [
            r"\.php$",
            r"^/api/v\d+/",
            r"\.(?:css|js)$",
            r"^/(a|b)$",
            "^/user/(?<id>[0-9]{1,8})/?$",
            r"/\.(?!well)",
        ] {
            let regular = Automaton::of(pattern.as_bytes(), false).is_ok();
            assert_eq!(regular, !pattern.contains("?!"), "{pattern}");
        }
    }
}
