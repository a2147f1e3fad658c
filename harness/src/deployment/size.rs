//! Sizes and times in NGINX's notation: `100m`, `16k`, `3600s`, `500ms`.

use std::time::Duration;

use toml::Spanned;

use crate::document::{Document, DocumentError};

/// Bytes: digits with an optional `k`, `m` or `g` in either case (powers of 1024).
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time: digits with `ms`, `s`, `m`, `h` or `d`; seconds without a unit.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let milliseconds: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let total = digits.parse::<u64>().ok()?.checked_mul(milliseconds)?;
    Some(Duration::from_millis(total))
}

/// Bytes, or what is wrong with the text.
pub(crate) fn bytes_at(document: &Document, text: &Spanned<String>) -> Result<u64, DocumentError> {
    bytes(text.get_ref()).ok_or_else(|| {
        let message = format!("`{}` is no size", text.get_ref());
        document
            .error(text.span(), "no size", message)
            .help("digits and `k`, `m` or `g`, as in `100m`")
    })
}

/// A time, or what is wrong with the text.
pub(crate) fn time_at(
    document: &Document,
    text: &Spanned<String>,
) -> Result<Duration, DocumentError> {
    time(text.get_ref()).ok_or_else(|| {
        let message = format!("`{}` is no time", text.get_ref());
        document
            .error(text.span(), "no time", message)
            .help("digits and `ms`, `s`, `m`, `h` or `d`, as in `3600s`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(bytes("100m"), Some(104_857_600));
        assert_eq!(bytes("16K"), Some(16_384));
        assert_eq!(bytes("7"), Some(7));
        for wrong in ["", "m", "-1", "1.5m", "100 m", "10t", "99999999999g"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("3600s"), Some(Duration::from_secs(3600)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(time("soon"), None);
    }
}
