//! JSON with comments, as tunnel servers read it.

/// The text with its comments (`//`, `#` and `/* */`, outside of strings) replaced by spaces, so that positions stay.
pub(super) fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '"' => string_length(rest),
            _ => character.len_utf8(),
        };
        let comment = comment_length(rest);
        let (taken, after) = rest.split_at(comment.unwrap_or(length));
        match comment {
            Some(_) => plain.extend(
                taken
                    .chars()
                    .map(|character| if character == '\n' { '\n' } else { ' ' }),
            ),
            None => plain.push_str(taken),
        }
        rest = after;
    }
    plain
}

fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    let line = text.starts_with("//") || text.starts_with('#');
    line.then(|| text.find('\n').unwrap_or(text.len()))
}

/// The length of the string literal that `text` starts with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_go_and_strings_stay() {
        let text = "{ // a\n \"b\\\"#\": \"http://c\", # d\n /* e\n f */ \"g\": 1 }";
        let plain = without_comments(text);
        assert_eq!(plain.len(), text.len());
        assert_eq!(
            plain.replace(' ', ""),
            "{\n\"b\\\"#\":\"http://c\",\n\n\"g\":1}"
        );
    }
}
