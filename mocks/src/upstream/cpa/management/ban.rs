//! The ban of an address after five failures of management authentication.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// Failures and bans by address; a success forgets the failures. Lost at a restart, as in CPA.
#[derive(Debug, Default)]
pub(crate) struct BanTable {
    records: HashMap<IpAddr, Record>,
}

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    banned_until: Option<Instant>,
}

impl BanTable {
    /// How long `address` is still banned.
    pub(crate) fn remaining(&mut self, address: IpAddr, now: Instant) -> Option<Duration> {
        let record = self.records.get_mut(&address)?;
        let until = record.banned_until?;
        if until > now {
            return Some(until - now);
        }
        *record = Record::default();
        None
    }

    /// Counts a failure; the fifth bans, and begins the count anew.
    pub(crate) fn fail(&mut self, address: IpAddr, now: Instant) {
        let record = self.records.entry(address).or_default();
        record.failures += 1;
        if record.failures >= FAILURES_BEFORE_BAN {
            record.failures = 0;
            record.banned_until = Some(now + BAN);
        }
    }

    /// Forgets the failures of `address`.
    pub(crate) fn succeed(&mut self, address: IpAddr) {
        self.records.remove(&address);
    }
}

/// The sentence that tells of a ban, with the time left as Go writes a duration rounded to a second.
pub(crate) fn banned_message(remaining: Duration) -> String {
    format!(
        "IP banned due to too many failed attempts. Try again in {}",
        go_duration(remaining)
    )
}

/// Go's `Duration.Round(time.Second).String()`.
fn go_duration(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

const FAILURES_BEFORE_BAN: u32 = 5;
const BAN: Duration = Duration::from_secs(30 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_fifth_failure_bans() {
        let mut table = BanTable::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(table.remaining(ADDRESS, now), None);
            table.fail(ADDRESS, now);
        }
        assert_eq!(table.remaining(ADDRESS, now), Some(BAN));
        assert_eq!(table.remaining(ADDRESS, now + BAN), None);
    }

    #[test]
    fn a_success_begins_the_count_anew() {
        let mut table = BanTable::default();
        let now = Instant::now();
        for _ in 0..4 {
            table.fail(ADDRESS, now);
        }
        table.succeed(ADDRESS);
        for _ in 0..4 {
            table.fail(ADDRESS, now);
        }
        assert_eq!(table.remaining(ADDRESS, now), None);
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        assert_eq!(go_duration(Duration::from_millis(1_799_600)), "30m0s");
        assert_eq!(go_duration(Duration::from_millis(1_798_400)), "29m58s");
        assert_eq!(go_duration(Duration::from_secs(59)), "59s");
    }
}
