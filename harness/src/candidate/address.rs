//! Addresses in configuration files, replaced by exact token.

/// Replaces every address of `replacements` (from, to) where it stands by itself: `127.0.0.1:8317` in
/// `http://127.0.0.1:8317/`, but not in `127.0.0.1:83170` or `10.127.0.0.1:8317`.
///
/// Lines stay where they are, so what a proxy says about line 29 is about the user's line 29.
pub(crate) fn replace(text: &str, replacements: &[(String, String)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let found = replacements
            .iter()
            .find(|(from, _)| stands_here(rest, from, before));
        match found {
            Some((from, to)) => {
                replaced.push_str(to);
                before = from.chars().next_back();
                rest = &rest[from.len()..];
            }
            None => {
                replaced.push(first);
                before = Some(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    replaced
}

/// Whether this address stands by itself somewhere in a text.
pub(crate) fn is_in(text: &str, address: &str) -> bool {
    let mut before = None;
    text.char_indices().any(|(at, letter)| {
        let stands = stands_here(&text[at..], address, before);
        before = Some(letter);
        stands
    })
}

fn stands_here(rest: &str, token: &str, before: Option<char>) -> bool {
    let Some(after) = rest.strip_prefix(token) else {
        return false;
    };
    let begins = !before.is_some_and(|character| is_word(character) || ".:-".contains(character));
    let mut following = after.chars();
    let ends = match following.next() {
        Some(character) if is_word(character) => false,
        // `8317.` ends a sentence, `8317.5` and `8317-1` go on.
        Some('.' | ':' | '-') => !following.next().is_some_and(is_word),
        _ => true,
    };
    begins && ends
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_are_replaced() {
        let replacements = [
            ("127.0.0.1:8317".to_owned(), "127.0.0.1:1".to_owned()),
            ("127.0.0.1:18317".to_owned(), "127.0.0.1:22222".to_owned()),
        ];
        for (text, expected) in [
            ("server 127.0.0.1:8317;", "server 127.0.0.1:1;"),
            ("http://127.0.0.1:18317/x", "http://127.0.0.1:22222/x"),
            ("127.0.0.1:83170", "127.0.0.1:83170"),
            ("1127.0.0.1:8317", "1127.0.0.1:8317"),
            ("::ffff:127.0.0.1:8317", "::ffff:127.0.0.1:8317"),
            ("127.0.0.1:8317.\n", "127.0.0.1:1.\n"),
            (
                "127.0.0.1:8317 127.0.0.1:18317",
                "127.0.0.1:1 127.0.0.1:22222",
            ),
            ("é127.0.0.1:8317€", "é127.0.0.1:8317€"),
            ("", ""),
        ] {
            assert_eq!(replace(text, &replacements), expected, "{text}");
        }
    }
}
