//! Patterns over ids: `*` is any run of characters, `?` any one.

/// Whether the whole of `text` matches `pattern`; case matters, and `*` crosses slashes.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to come back to: just after the last `*`, and the first character that it has not eaten.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern + 1, at_text));
                at_pattern += 1;
            }
            Some(&c) if c == '?' || c == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((after_star, eaten)) = star else {
                    return false;
                };
                star = Some((after_star, eaten + 1));
                at_pattern = after_star;
                at_text = eaten + 1;
            }
        }
    }
    pattern[at_pattern..].iter().all(|&c| c == '*')
}

/// Whether `pattern` has a character that `matches` does not take literally.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a", "", false),
            ("identity/*", "identity/forged_real_ip", true),
            ("identity/*", "routes/table", false),
            ("*_v?", "identity/client_address_v2", true),
            ("*_v?", "identity/client_address_v", false),
            ("**a*b", "xxaxxbxb", true),
            ("*a*b", "xxaxxbxbx", false),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
