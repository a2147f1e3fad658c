use std::collections::BTreeMap;

use super::automaton::Automaton;

/// Bytes that no automaton tells apart, in classes; in each, those that look best in a path come first.
#[derive(Clone, Debug)]
pub(crate) struct Alphabet {
    pub(crate) classes: Vec<Vec<u8>>,
}

/// What a reader likes to see in an example, best first.
const PLEASANT: &[u8] =
    b"xabcdefghijklmnopqrstuvwyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ./~+:@,;=&!$'()*";

impl Alphabet {
    /// The classes of these automata, with `/` and `.` apart, as normal paths need them, and with every byte of `apart`
    /// by itself.
    pub(crate) fn of<'a>(
        automata: impl Iterator<Item = &'a Automaton> + Clone,
        apart: &[u8],
    ) -> Self {
        let mut classes: BTreeMap<(u8, Vec<u8>), Vec<u8>> = BTreeMap::new();
        for byte in pleasant_first() {
            let kind = match byte {
                0 | b'/' | b'.' => byte,
                byte if apart.contains(&byte) => byte,
                _ => 1,
            };
            let told_apart = automata
                .clone()
                .map(|automaton| automaton.class_of(byte))
                .collect();
            classes.entry((kind, told_apart)).or_default().push(byte);
        }
        let mut classes: Vec<Vec<u8>> = classes.into_values().collect();
        classes.sort_by_key(|class| rank(class[0]));
        Self { classes }
    }
}

fn pleasant_first() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.sort_by_key(|byte| rank(*byte));
    bytes
}

fn rank(byte: u8) -> usize {
    let listed = PLEASANT.iter().position(|pleasant| *pleasant == byte);
    let printable =
        || PLEASANT.len() + usize::from(!(0x21..0x7f).contains(&byte)) * 256 + usize::from(byte);
    listed.unwrap_or_else(printable)
}
