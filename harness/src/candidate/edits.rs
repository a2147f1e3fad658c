//! Changes of a text, by their places in it.

use std::ops::Range;

/// Replacements that do not overlap; the lines of a text stay where they are as long as none adds or removes an end of line.
#[derive(Debug, Default)]
pub(super) struct TextEdits(Vec<(Range<usize>, String)>);

impl TextEdits {
    pub(super) fn replace(&mut self, place: Range<usize>, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    /// The text with every replacement; of two that overlap, the one that begins first holds.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(place, _)| place.start);
        let mut copy = String::with_capacity(text.len());
        let mut at = 0;
        for (place, replacement) in self.0 {
            if place.start >= at {
                copy.push_str(&text[at..place.start]);
                copy.push_str(&replacement);
                at = place.end;
            }
        }
        copy.push_str(&text[at..]);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_that_overlap_holds() {
        let mut edits = TextEdits::default();
        edits.replace(4..7, "THREE");
        edits.replace(0..5, "one");
        edits.replace(7..7, "!");
        assert_eq!(edits.apply("one two"), "onewo!");
    }
}
