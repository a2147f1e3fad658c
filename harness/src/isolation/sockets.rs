//! The Unix sockets that somebody on this machine listens on.

use std::path::PathBuf;

/// Those with a path: names of the abstract space belong to a network namespace.
pub(super) fn of_this_machine() -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    listening(&table)
}

/// `Num RefCount Protocol Flags Type St Inode Path` a line (proc(5)).
fn listening(table: &str) -> Vec<PathBuf> {
    let listens = |line: &&str| {
        let mut fields = line.split_ascii_whitespace().skip(3);
        let flags = fields
            .next()
            .and_then(|flags| u32::from_str_radix(flags, 16).ok());
        let kind = fields.next();
        flags.is_some_and(|flags| flags & ACCEPTS != 0) || kind == Some(DATAGRAMS)
    };
    let path = |line: &str| line.find(" /").map(|at| PathBuf::from(&line[at + 1..]));
    let mut paths: Vec<PathBuf> = table.lines().filter(listens).filter_map(path).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// `__SO_ACCEPTCON` of Linux: `listen(2)` was called.
const ACCEPTS: u32 = 0x10000;
/// `SOCK_DGRAM`: whoever has bound one receives.
const DATAGRAMS: &str = "0002";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_at_a_path() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            ffff: 00000002 00000000 00010000 0001 01 1 /run/with a blank.sock\n\
            ffff: 00000002 00000000 00010000 0001 01 2 @abstract\n\
            ffff: 00000003 00000000 00000000 0001 03 3 /run/connected.sock\n\
            ffff: 00000002 00000000 00000000 0002 01 4 /dev/log\n\
            ffff: 00000003 00000000 00000000 0001 03 5\n";
        assert_eq!(
            listening(table),
            ["/dev/log", "/run/with a blank.sock"].map(PathBuf::from)
        );
    }
}
