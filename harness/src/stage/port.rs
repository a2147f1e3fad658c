//! Ports for candidates, which open their listeners themselves.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

/// A search for free loopback ports that no outgoing connection takes by chance.
///
/// Binding port 0 would give an ephemeral port: between that and the candidate's own bind, any outgoing connection of
/// this machine may be given it. So the search is outside the system's ephemeral range, from a random place on.
#[derive(Debug)]
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    next: u16,
}

impl Ports {
    pub(crate) fn new() -> Self {
        let range = outside(&ephemeral_range());
        let width = u64::from(range.end() - range.start()) + 1;
        let offset = RandomState::new().build_hasher().finish() % width;
        let offset = u16::try_from(offset).expect("the width of a range of u16 fits");
        Self {
            next: range.start() + offset,
            range,
        }
    }

    /// A port that could be bound a moment ago, and another one at each call.
    pub(crate) fn choose(&mut self) -> io::Result<u16> {
        for _ in self.range.clone() {
            let port = self.next;
            self.next = if port == *self.range.end() {
                *self.range.start()
            } else {
                port + 1
            };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(port);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("every port in {:?} is taken", self.range),
        ))
    }
}

/// Linux tells; elsewhere IANA's range (RFC 6335 section 6), which macOS uses.
fn ephemeral_range() -> RangeInclusive<u16> {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| parse(&text))
        .unwrap_or(49152..=65535)
}

fn parse(text: &str) -> Option<RangeInclusive<u16>> {
    let mut words = text.split_whitespace().map(str::parse::<u16>);
    match (words.next()?, words.next()?) {
        (Ok(low), Ok(high)) if low < high => Some(low..=high),
        _ => None,
    }
}

/// The wider one of the ranges below and above; where the ephemeral range leaves little, all that needs no privilege.
fn outside(ephemeral: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    let below = LOWEST..=ephemeral.start().saturating_sub(1);
    let above = ephemeral.end().saturating_add(1)..=u16::MAX;
    let wider = if below.clone().count() >= above.clone().count() {
        below
    } else {
        above
    };
    if wider.clone().count() >= ENOUGH {
        wider
    } else {
        LOWEST..=u16::MAX
    }
}

/// Below are the ports where services usually are.
const LOWEST: u16 = 10_000;
/// So many that runs at the same time seldom meet; when they do, the loser chooses again.
const ENOUGH: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_outside_the_ephemeral_range() {
        assert_eq!(outside(&(32768..=60999)), 10_000..=32_767);
        assert_eq!(outside(&(10_500..=60_999)), 61_000..=65_535);
        assert_eq!(outside(&(1024..=65_535)), 10_000..=65_535);
        assert_eq!(parse("32768\t60999\n"), Some(32768..=60999));
        assert_eq!(parse("none"), None);
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let mut ports = Ports::new();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.choose().unwrap())).unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut again = Ports {
            range: port..=port + 5,
            next: port,
        };
        let (first, second) = (again.choose().unwrap(), again.choose().unwrap());
        assert_ne!(first, port);
        assert_ne!(first, second);
    }

    #[test]
    fn a_full_range_is_an_error() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut ports = Ports {
            range: port..=port,
            next: port,
        };
        assert_eq!(ports.choose().unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
