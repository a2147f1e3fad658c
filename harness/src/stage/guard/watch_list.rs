//! What a guard is told, and what it does at the end: [`WatchList`].

use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::engine;
use crate::candidate::proc_table;
use crate::patience::Patience;

/// Something that must not outlive the harness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// The processes of this group.
    Group(u32),
    /// The container of this name.
    Container(String),
    /// A directory, and who runs in it.
    Directory(PathBuf),
}

impl Watched {
    /// The line that has a guard clean it up at the end.
    pub(super) fn watch_order(&self) -> Vec<u8> {
        let (kind, name) = match self {
            Self::Group(group) => ("group", group.to_string().into_bytes()),
            Self::Container(name) => ("container", name.clone().into_bytes()),
            Self::Directory(path) => ("directory", path.as_os_str().as_bytes().to_vec()),
        };
        [kind.as_bytes(), b" ", &name, b"\n"].concat()
    }

    /// The line that has a guard leave it alone from now on.
    pub(super) fn forget_order(&self) -> Vec<u8> {
        [FORGET, &self.watch_order()].concat()
    }

    fn of(entry: &[u8]) -> Option<Self> {
        let name = |kind: &str| entry.strip_prefix(kind.as_bytes())?.strip_prefix(b" ");
        let text = |kind: &str| std::str::from_utf8(name(kind)?).ok();
        if let Some(group) = text("group") {
            return group.parse().ok().map(Self::Group);
        }
        if let Some(container) = text("container") {
            return Some(Self::Container(container.to_owned()));
        }
        let path = name("directory")?;
        Some(Self::Directory(OsStr::from_bytes(path).into()))
    }
}

/// What is to be cleaned up.
#[derive(Debug, Default)]
pub(super) struct WatchList(Vec<Watched>);

impl WatchList {
    /// What is left when the orders end.
    pub(super) fn read(mut orders: impl BufRead) -> Self {
        let mut list = Self::default();
        let mut line = Vec::new();
        // A last line that is cut off may name something else.
        while matches!(orders.read_until(b'\n', &mut line), Ok(1..)) && line.pop() == Some(b'\n') {
            list.obey(&line);
            line.clear();
        }
        list
    }

    fn obey(&mut self, order: &[u8]) {
        match order.strip_prefix(FORGET) {
            Some(entry) => {
                if let Some(gone) = Watched::of(entry) {
                    self.0.retain(|watched| *watched != gone);
                }
            }
            None => self.0.extend(Watched::of(order)),
        }
    }

    /// Kills and removes all of it; what can't be is left.
    pub(super) fn clean_up(&self) {
        for watched in &self.0 {
            if let Watched::Group(group) = watched {
                kill_group(*group);
            }
        }
        let directories: Vec<&Path> = self.directories().collect();
        if !directories.is_empty() {
            // Whoever was started and not yet registered runs in its directory. One that is just being started enters
            // it a moment later.
            kill_who_runs_in(&directories);
            for _ in 1..ROUNDS {
                ENTERING.pass_blocking();
                kill_who_runs_in(&directories);
            }
        }
        if let Some(socket) = engine::socket() {
            for watched in &self.0 {
                if let Watched::Container(name) = watched {
                    let _ = engine::remove(&socket, name);
                }
            }
        }
        for directory in directories {
            // What a dying process wrote meanwhile is there the second time.
            let _ = fs::remove_dir_all(directory).or_else(|_| fs::remove_dir_all(directory));
        }
    }

    fn directories(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|watched| match watched {
            Watched::Directory(path) => Some(&**path),
            Watched::Group(_) | Watched::Container(_) => None,
        })
    }
}

fn kill_group(group: u32) {
    // The group 1 would mean every process there is (kill(2)).
    let group = i32::try_from(group).ok().filter(|group| *group > 1);
    if let Some(group) = group.and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn kill_who_runs_in(directories: &[&Path]) {
    let inodes: Vec<Inode> = directories.iter().filter_map(|path| inode(path)).collect();
    for entry in proc_table::entries() {
        let place = inode(Path::new(&format!("/proc/{}/cwd", entry.process)));
        let process = i32::try_from(entry.process).ok().and_then(Pid::from_raw);
        if let (Some(place), Some(process)) = (place, process)
            && inodes.contains(&place)
        {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// The device and the number of a file: the same by every path to it.
type Inode = (u64, u64);

fn inode(path: &Path) -> Option<Inode> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// What comes before an entry that is to be left alone.
const FORGET: &[u8] = b"forget ";
/// How often it is looked for processes in a directory.
const ROUNDS: u32 = 3;
/// Between these looks; a process that was forked has its working directory long before.
const ENTERING: Patience = Patience::new("entering", Duration::from_millis(50));

#[cfg(test)]
mod tests {
    use super::*;

    fn list(orders: &[Vec<u8>]) -> Vec<Watched> {
        WatchList::read(&*orders.concat()).0
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        let path = OsStr::from_bytes(b"/tmp/with a space and \xff").into();
        let all = [
            Watched::Group(7),
            Watched::Container("proxyproof-1".to_owned()),
            Watched::Directory(path),
        ];
        let mut orders: Vec<Vec<u8>> = all.iter().map(Watched::watch_order).collect();
        assert_eq!(list(&orders), all);
        orders.push(all[0].forget_order());
        orders.push(all[2].forget_order());
        assert_eq!(list(&orders), all[1..2]);
    }

    #[test]
    fn what_is_no_order_is_passed_over() {
        let orders = b"group\ngroup x\ndirectory/\n\nforget\ngroup 8\ndirectory /tmp/cut-o";
        assert_eq!(WatchList::read(&orders[..]).0, [Watched::Group(8)]);
    }
}
