//! Whether anything but this process's own loopback can be reached from here.

/// Whether this process is in a network namespace that has loopback alone: what it starts can reach nothing else there.
#[must_use]
pub fn loopback_alone() -> bool {
    std::fs::read_to_string("/proc/self/net/dev").is_ok_and(|table| has_loopback_alone(&table))
}

/// The table has two lines of heads, then a line for each interface, its name before a colon.
fn has_loopback_alone(table: &str) -> bool {
    let mut names = table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim());
    names.next() == Some("lo") && names.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_interface_more_is_one_too_many() {
        let heads = "Inter-|   Receive  |  Transmit\n face |bytes    packets\n";
        let alone = format!("{heads}    lo:       0       0\n");
        assert!(has_loopback_alone(&alone));
        assert!(!has_loopback_alone(&format!("{alone}  eth0: 1 2\n")));
        assert!(!has_loopback_alone(heads));
    }
}
