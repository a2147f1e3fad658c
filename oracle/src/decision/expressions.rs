use std::collections::HashMap;

use super::automaton::Automaton;
use super::syntax::Irregular;
use crate::location::{LocationId, RegexCase, Table};

/// The regular expressions of both tables, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    numbers: HashMap<(String, bool), usize>,
    /// Those that are regular, with their number.
    pub(crate) automata: Vec<(usize, Automaton)>,
    /// Those that are not, with their number and the reason.
    pub(crate) irregular: Vec<(usize, String, Irregular)>,
    count: usize,
}

impl Expressions {
    /// Adds those of a table; gives the number of each location's.
    pub(crate) fn add(&mut self, table: &Table) -> Vec<usize> {
        table
            .locations()
            .map(|(id, _)| self.number(table, id))
            .collect()
    }

    /// The bytes that patterns which are not regular are made of: what such a pattern tells apart is probably among them.
    pub(crate) fn irregular_bytes(&self) -> Vec<u8> {
        let patterns = self.irregular.iter().map(|(_, pattern, _)| pattern.bytes());
        patterns
            .flatten()
            .filter(u8::is_ascii_alphanumeric)
            .collect()
    }

    /// The texts in those patterns: a path with one of them in it is worth trying.
    pub(crate) fn irregular_texts(&self) -> Vec<Vec<u8>> {
        let is_text = |letter: char| letter.is_ascii_alphanumeric() || "/_-.".contains(letter);
        let patterns = self.irregular.iter().map(|(_, pattern, _)| pattern);
        let texts = patterns.flat_map(|pattern| pattern.split(move |letter| !is_text(letter)));
        texts
            .filter(|text| !text.is_empty())
            .map(|text| text.as_bytes().to_vec())
            .collect()
    }

    fn number(&mut self, table: &Table, id: LocationId) -> usize {
        let Some(regex) = table.regex(id) else {
            return usize::MAX;
        };
        let any_case = regex.letter_case() == RegexCase::Ignored;
        let key = (regex.pattern().to_owned(), any_case);
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let number = self.count;
        self.count += 1;
        match Automaton::of(regex.pattern().as_bytes(), any_case) {
            Ok(automaton) => self.automata.push((number, automaton)),
            Err(reason) => self.irregular.push((number, key.0.clone(), reason)),
        }
        self.numbers.insert(key, number);
        number
    }
}
