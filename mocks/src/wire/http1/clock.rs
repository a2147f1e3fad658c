//! The `Date` field, formatted once a second.

/// The latest date written, and the second it was written for.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    second: u64,
    text: Vec<u8>,
}

impl Clock {
    /// The IMF-fixdate (RFC 9110 section 5.6.7) of the present second.
    pub(crate) fn http_date(&mut self) -> &[u8] {
        self.date_of(this_second())
    }

    fn date_of(&mut self, second: u64) -> &[u8] {
        if self.text.is_empty() || second != self.second {
            self.second = second;
            self.text = format_date(second).into_bytes();
        }
        &self.text
    }
}

/// Seconds since 1970, by the clock that costs least: a few milliseconds late are nothing to a date.
#[cfg(target_os = "linux")]
fn this_second() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    u64::try_from(now.tv_sec).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn this_second() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
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
    use super::*;

    #[test]
    fn the_example_of_rfc_9110() {
        assert_eq!(
            Clock::default().date_of(784_111_777),
            b"Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }
}
