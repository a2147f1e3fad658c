use std::time::Duration;

/// A size, as NGINX reads one: digits, and `k`, `m` or `g` after them.
///
/// `g` is taken only where a directive takes offsets (`client_max_body_size`), as NGINX does; here it always is.
pub fn bytes(text: &[u8]) -> Option<u64> {
    let (digits, factor) = match text {
        [digits @ .., b'k' | b'K'] => (digits, 1 << 10),
        [digits @ .., b'm' | b'M'] => (digits, 1 << 20),
        [digits @ .., b'g' | b'G'] => (digits, 1 << 30),
        digits => (digits, 1),
    };
    number(digits)?.checked_mul(factor)
}

/// `on` or `off`, in any letter case.
pub fn flag(text: &[u8]) -> Option<bool> {
    match text.to_ascii_lowercase().as_slice() {
        b"on" => Some(true),
        b"off" => Some(false),
        _ => None,
    }
}

/// A duration, as NGINX reads one: `60`, `60s`, `1h 30m` or `1h30m`, `500ms`; units from large to small, each once.
pub fn time(text: &[u8]) -> Option<Duration> {
    let mut rest = text.trim_ascii();
    let mut total = Duration::ZERO;
    let mut last_step = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = number(&rest[..end])?;
        let (step, milliseconds, after) = unit(&rest[end..])?;
        if step <= last_step {
            return None;
        }
        last_step = step;
        total = total.checked_add(Duration::from_millis(value.checked_mul(milliseconds)?))?;
        rest = after.trim_ascii_start();
    }
    Some(total)
}

/// The unit's rank, its milliseconds, and what follows it. A number without a unit is seconds and ends the text.
fn unit(text: &[u8]) -> Option<(u8, u64, &[u8])> {
    const SECOND: u64 = 1000;
    const DAY: u64 = 24 * 60 * 60 * SECOND;
    Some(match text {
        [] => (8, SECOND, text),
        [b'm', b's', rest @ ..] => (9, 1, rest),
        [b'y', rest @ ..] => (1, 365 * DAY, rest),
        [b'M', rest @ ..] => (2, 30 * DAY, rest),
        [b'w', rest @ ..] => (3, 7 * DAY, rest),
        [b'd', rest @ ..] => (4, DAY, rest),
        [b'h', rest @ ..] => (5, 60 * 60 * SECOND, rest),
        [b'm', rest @ ..] => (6, 60 * SECOND, rest),
        [b's', rest @ ..] => (7, SECOND, rest),
        _ => return None,
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(bytes(b"0"), Some(0));
        assert_eq!(bytes(b"8k"), Some(8192));
        assert_eq!(bytes(b"50M"), Some(50 << 20));
        assert_eq!(bytes(b"2g"), Some(2 << 30));
        for wrong in [&b""[..], b"k", b"1.5m", b"-1", b"1mb"] {
            assert_eq!(bytes(wrong), None);
        }
    }

    #[test]
    fn durations() {
        assert_eq!(time(b"60"), Some(Duration::from_secs(60)));
        assert_eq!(time(b"500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time(b"1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(time(b"1d 2h"), Some(Duration::from_secs(26 * 3600)));
        assert_eq!(time(b"1m30"), Some(Duration::from_secs(90)));
        for wrong in [&b""[..], b"m", b"1x", b"1m1h", b"1s1s"] {
            assert_eq!(time(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn flags() {
        assert_eq!(flag(b"on"), Some(true));
        assert_eq!(flag(b"OFF"), Some(false));
        assert_eq!(flag(b"true"), None);
    }
}
