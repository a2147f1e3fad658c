//! The processes of this machine, as `/proc` tells of them; none on systems without it.

/// One process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) process: u32,
    /// Read where a container's processes are told apart.
    #[cfg_attr(not(feature = "containers"), expect(dead_code))]
    pub(crate) parent: u32,
    pub(crate) group: i32,
}

pub(crate) fn entries() -> impl Iterator<Item = Entry> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // State, parent, group follow the name, which may hold anything, parentheses too (proc_pid_stat(5)).
        let mut after_state = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        Some(Entry {
            process,
            parent: after_state.next()?.parse().ok()?,
            group: after_state.next()?.parse().ok()?,
        })
    })
}
