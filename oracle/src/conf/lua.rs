use super::lexer::line_end;

/// The offset of the `}` that closes a Lua block whose first byte is at `from`, as lua-nginx-module looks for it:
/// braces are counted outside strings, long brackets and comments. `None` if none does.
pub(crate) fn closing_brace(text: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(byte) = text.get(at) {
        match *byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' | b'\'' => at = string_end(text, at),
            b'-' if text.get(at + 1) == Some(&b'-') => at = comment_end(text, at),
            b'[' => at = long_bracket_end(text, at).unwrap_or(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The offset of the quote that ends the string at `at`, or of the last byte of its line.
fn string_end(text: &[u8], at: usize) -> usize {
    let quote = text[at];
    let mut here = at + 1;
    while let Some(byte) = text.get(here) {
        match *byte {
            b'\\' => here += 1,
            b'\n' => return here,
            byte if byte == quote => return here,
            _ => {}
        }
        here += 1;
    }
    text.len()
}

/// The last offset of the comment at `at`.
fn comment_end(text: &[u8], at: usize) -> usize {
    long_bracket_end(text, at + 2).unwrap_or_else(|| line_end(text, at))
}

/// The last offset of `[==[ … ]==]` at `at`; `None` if nothing of the kind begins there.
fn long_bracket_end(text: &[u8], at: usize) -> Option<usize> {
    let level = opening_level(text, at)?;
    let mut here = at + level + 2;
    while here < text.len() {
        let ends = text[here] == b']'
            && text[here + 1..]
                .iter()
                .take(level)
                .all(|byte| *byte == b'=')
            && text.get(here + 1 + level) == Some(&b']');
        if ends {
            return Some(here + 1 + level);
        }
        here += 1;
    }
    Some(text.len())
}

fn opening_level(text: &[u8], at: usize) -> Option<usize> {
    let after = text.get(at..)?.strip_prefix(b"[")?;
    let level = after.iter().take_while(|byte| **byte == b'=').count();
    (after.get(level) == Some(&b'[')).then_some(level)
}
