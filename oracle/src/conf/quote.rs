use super::lexer::is_blank;

/// The word as it must be written so that NGINX reads `value`: bare where that is possible, else in double quotes.
///
/// Reading the result back gives `value` again, whatever its bytes are.
pub fn quoted(value: &[u8]) -> Vec<u8> {
    if is_safe_bare(value) {
        return value.to_vec();
    }
    let mut written = vec![b'"'];
    for byte in value {
        match byte {
            b'"' | b'\\' => written.extend([b'\\', *byte]),
            _ => written.push(*byte),
        }
    }
    written.push(b'"');
    written
}

/// Whether the bytes mean themselves without quotes. A `{` would need a `$` before it, so it is always quoted.
fn is_safe_bare(value: &[u8]) -> bool {
    let plain = |byte: &u8| !is_blank(*byte) && !matches!(byte, b';' | b'{' | b'\\');
    match value.first() {
        None | Some(b'"' | b'\'' | b'#' | b'}') => false,
        Some(_) => value.iter().all(plain),
    }
}
