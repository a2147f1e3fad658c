//! Every mount of a new mount namespace, read-only but for what a run writes.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};

use super::Isolation;

/// Makes it so. Whatever the run writes gets a mount of its own first, which stays as it is.
pub(super) fn protect(isolation: &Isolation) -> io::Result<()> {
    for socket in &isolation.hidden {
        // One that is gone by now needs no hiding, and one that can't be named from here can't be connected to.
        let _ = mount_bind(NOTHING, socket);
    }
    for path in &isolation.writable {
        mount_bind(path, path)?;
    }
    if let Some(path) = &isolation.memory {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", path, "tmpfs", flags, Some(c"mode=1777"))?;
    }
    let table = std::fs::read("/proc/self/mountinfo")?;
    for line in table.split(|byte| *byte == b'\n') {
        let Some(mounted) = Mounted::parse(line) else {
            continue;
        };
        let kept = isolation.writable.iter().chain(&isolation.memory);
        if kept.clone().any(|path| *path == mounted.path) {
            continue;
        }
        let flags = mounted.flags | MountFlags::BIND | MountFlags::RDONLY;
        let done = mount_remount(&mounted.path, flags, c"");
        // Below others there may be mounts that nobody reaches any more; everything else is on the root.
        if mounted.path == Path::new("/") {
            done?;
        }
    }
    Ok(())
}

/// A line of `/proc/self/mountinfo` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Mounted {
    path: PathBuf,
    /// What a remount has to say again: a user namespace may not take it back.
    flags: MountFlags,
}

impl Mounted {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ').skip(4);
        let path = unescaped(fields.next()?);
        let flags = fields.next()?.split(|byte| *byte == b',').map(flag);
        Some(Self {
            path: PathBuf::from(OsString::from_vec(path)),
            flags: flags.fold(MountFlags::empty(), MountFlags::union),
        })
    }
}

fn flag(option: &[u8]) -> MountFlags {
    match option {
        b"nosuid" => MountFlags::NOSUID,
        b"nodev" => MountFlags::NODEV,
        b"noexec" => MountFlags::NOEXEC,
        b"noatime" => MountFlags::NOATIME,
        b"nodiratime" => MountFlags::NODIRATIME,
        b"relatime" => MountFlags::RELATIME,
        _ => MountFlags::empty(),
    }
}

/// Blanks, line ends and backslashes are written as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                rest = &after[3..];
            }
            None => {
                path.push(*first);
                rest = after;
            }
        }
    }
    path
}

/// Nobody can connect to a device.
const NOTHING: &str = "/dev/null";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo() {
        let line =
            br"36 35 98:0 /mnt1 /mnt\040two rw,nosuid,noexec,relatime master:1 - ext3 /dev/root rw";
        let expected = Mounted {
            path: PathBuf::from("/mnt two"),
            flags: MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::RELATIME,
        };
        assert_eq!(Mounted::parse(line), Some(expected));
        assert_eq!(Mounted::parse(b""), None);
        assert_eq!(unescaped(br"a\134b\04"), br"a\b\04");
    }
}
