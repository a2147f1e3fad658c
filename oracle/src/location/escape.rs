/// What NGINX escapes in a path it writes anew (`ngx_escape_uri` with `NGX_ESCAPE_URI`, nginx 1.22.1 and 1.31.3):
/// everything but printable ASCII, and the characters RFC 3986 has no place for.
pub(crate) fn escaped_path(path: &[u8]) -> Vec<u8> {
    escaped(path, b" \"#%<>?\\^`{|}")
}

/// The same inside a query (`NGX_ESCAPE_ARGS`): `&`, `+` and `;` too.
pub(crate) fn escaped_query(text: &[u8]) -> Vec<u8> {
    escaped(text, b" \"#%&+;<>?\\^`{|}")
}

fn escaped(text: &[u8], special: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len());
    for byte in text {
        if (0x20..0x7f).contains(byte) && !special.contains(byte) {
            written.push(*byte);
        } else {
            written.extend(format!("%{byte:02X}").into_bytes());
        }
    }
    written
}
