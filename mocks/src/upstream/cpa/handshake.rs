//! The key of a WebSocket handshake (RFC 6455 section 4.2.2).

/// Whether a `Sec-WebSocket-Key` is 16 bytes in base64.
pub(crate) fn is_valid_key(key: &str) -> bool {
    key.len() == 24
        && key.ends_with("==")
        && key[..22]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// The `Sec-WebSocket-Accept` for a key.
pub(crate) fn accept_key(key: &str) -> String {
    let _ = key;
    String::new()
}
