//! The `Date` field, formatted once a second.

use std::time::{SystemTime, UNIX_EPOCH};

/// The latest date written, and the second it was written for.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    second: u64,
    text: Vec<u8>,
}

impl Clock {
    /// The IMF-fixdate (RFC 9110 section 5.6.7) of this time.
    pub(crate) fn http_date(&mut self, time: SystemTime) -> &[u8] {
        let second = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if self.text.is_empty() || second != self.second {
            self.second = second;
            self.text = format_date(second).into_bytes();
        }
        &self.text
    }
}

fn format_date(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or(0);
    let time = time::OffsetDateTime::from_unix_timestamp(second)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let weekday = time.weekday().to_string();
    let month = time.month().to_string();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        &weekday[..3],
        time.day(),
        &month[..3],
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_example_of_rfc_9110() {
        let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(
            Clock::default().http_date(time),
            b"Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }
}
