//! The log of `strace`, and what in it leads off the stage.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

/// The calls that are looked at: of files only those that change something, and what says where relative paths begin.
pub(crate) const CALLS: &str = "openat,open,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,\
     linkat,symlink,symlinkat,bind,connect,sendto,sendmsg,sendmmsg,chmod,fchmodat,chown,lchown,fchownat,truncate,execve,chdir,clone,clone3,fork,vfork";

/// What is allowed.
pub(crate) struct Rules<'a> {
    /// The one folder whose content may change, and that may hold sockets.
    pub(crate) folder: &'a Path,
    /// The programs that may be executed.
    pub(crate) programs: Vec<&'a Path>,
}

/// Every call that is against the rules, once, whether it succeeded or not.
pub(crate) fn violations(log: &str, rules: &Rules<'_>) -> Vec<String> {
    let mut found = BTreeSet::new();
    let calls = calls(log);
    let mut folders = Folders::of(&calls);
    for (process, call) in calls {
        let (name, arguments) = call.split_once('(').unwrap_or_default();
        folders.follow(process, name, arguments);
        let folder = folders.of_process(process);
        let broken = match name {
            "chdir" | "clone" | "clone3" | "fork" | "vfork" => false,
            "open" | "openat" => is_for_writing(arguments) && !rules.may_change(arguments, folder),
            // The C library sorts a host's addresses by whether there is a way to them; nothing is sent to port 0.
            "connect" if arguments.contains("htons(0)") => false,
            "bind" | "connect" | "sendto" | "sendmsg" | "sendmmsg" => {
                !rules.may_reach(arguments, &folder)
            }
            "execve" => !rules.may_execute(arguments),
            _ => !rules.may_change(arguments, folder),
        };
        if broken {
            found.insert(call);
        }
    }
    found.into_iter().collect()
}

/// Where each process is, and each thread, which are processes to `strace`.
struct Folders {
    parents: BTreeMap<String, String>,
    said: BTreeMap<String, PathBuf>,
}

impl Folders {
    /// A thread may make its first call before the one that made it returns: who made whom is found out first.
    fn of(calls: &[(&str, String)]) -> Self {
        let made = calls.iter().filter_map(|(process, call)| {
            let makes = call.starts_with("clone") || call.split('(').next()?.ends_with("fork");
            let (_, child) = call.rsplit_once("= ").filter(|_| makes)?;
            // Behind a number may be words about it.
            let child = child.split_whitespace().next()?;
            Some((child.to_owned(), (*process).to_owned()))
        });
        Self {
            parents: made.collect(),
            said: BTreeMap::new(),
        }
    }

    fn follow(&mut self, process: &str, name: &str, arguments: &str) {
        let said = match name {
            "chdir" => arguments.split('"').nth(1),
            _ => arguments
                .split_once("AT_FDCWD<")
                .and_then(|(_, folder)| folder.split('>').next()),
        };
        if let Some(said) = said {
            let folder = self.of_process(process).join(said);
            self.said.insert(process.to_owned(), folder);
        }
    }

    /// What it said last, or who made it.
    fn of_process(&self, process: &str) -> PathBuf {
        let mut process = process;
        // Numbers come again on a machine that runs for long.
        for _ in 0..self.parents.len() + 1 {
            match (self.said.get(process), self.parents.get(process)) {
                (Some(folder), _) => return folder.clone(),
                (None, Some(parent)) => process = parent,
                (None, None) => break,
            }
        }
        PathBuf::new()
    }
}

/// Whole calls with the process they are of; those that another process's interrupted are put together again.
fn calls(log: &str) -> Vec<(&str, String)> {
    let mut open: BTreeMap<&str, &str> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((process, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix("<unfinished ...>") {
            open.insert(process, begun);
        } else if call.starts_with("<... ") {
            let begun = open.remove(process).unwrap_or_default();
            let rest = call.split_once('>').map_or("", |(_, rest)| rest);
            calls.push((process, format!("{begun}{rest}")));
        } else if !call.starts_with(['+', '-']) {
            calls.push((process, call.to_owned()));
        }
    }
    // One that was under way when its process was killed.
    calls.extend(
        open.into_iter()
            .map(|(process, begun)| (process, begun.to_owned())),
    );
    calls
}

fn is_for_writing(arguments: &str) -> bool {
    ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
        .iter()
        .any(|flag| arguments.contains(flag))
}

impl Rules<'_> {
    /// Whether every path among the arguments is in the folder, or keeps nothing; `folder` is where relative ones begin.
    fn may_change(&self, arguments: &str, mut folder: PathBuf) -> bool {
        let mut texts = Vec::new();
        let mut rest = arguments;
        // `AT_FDCWD</folder>, "name"`, `7</folder>, "name"`, or a path alone.
        while let Some(at) = rest.find(['<', '"']) {
            let end = if rest[at..].starts_with('<') {
                '>'
            } else {
                '"'
            };
            let text = rest[at + 1..].split(end).next().unwrap_or_default();
            match end {
                '>' => folder = PathBuf::from(text),
                _ => texts.push(plain(&folder.join(text))),
            }
            rest = rest.get(at + text.len() + 2..).unwrap_or_default();
        }
        let kept = |path: &PathBuf| !path.starts_with(self.folder) && !keeps_nothing(path);
        !texts.iter().any(kept)
    }

    /// Whether it is on loopback, in the folder, or the kernel itself.
    fn may_reach(&self, arguments: &str, folder: &Path) -> bool {
        let mut families = arguments.match_indices("sa_family=");
        families.all(|(at, _)| {
            let address = &arguments[at..];
            let address = address.split('}').next().unwrap_or_default();
            let quoted = address.split('"').nth(1).unwrap_or_default();
            match address {
                _ if address.starts_with("sa_family=AF_UNIX") => {
                    let named = address.contains("sun_path=\"");
                    let path = plain(&folder.join(quoted));
                    named && (path.starts_with(self.folder) || quoted == NAME_CACHE)
                }
                _ if address.starts_with("sa_family=AF_INET") => is_loopback(quoted),
                _ => {
                    address.starts_with("sa_family=AF_NETLINK")
                        || address.starts_with("sa_family=AF_UNSPEC")
                }
            }
        })
    }

    fn may_execute(&self, arguments: &str) -> bool {
        let program = arguments.split('"').nth(1).unwrap_or_default();
        self.programs
            .iter()
            .any(|known| *known == Path::new(program))
    }
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.")
}

/// Devices without a memory, what the kernel says about the process itself, and memory that processes share: Apache's
/// balancers have no other, and remove it when they stop.
fn keeps_nothing(path: &Path) -> bool {
    let devices = ["/dev/null", "/dev/tty", "/dev/zero"];
    devices.iter().any(|device| path == Path::new(device))
        || path.starts_with("/proc/self")
        || path.to_string_lossy().starts_with("/dev/shm/ShM.")
}

/// Without links, as the harness makes its paths, a path with dots is this one.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The C library asks here for users and groups, before it looks into its files.
const NAME_CACHE: &str = "/var/run/nscd/socket";

/// The test of this test.
pub(crate) fn what_leads_off_is_found() -> Result<(), libtest_mimic::Failed> {
    let rules = Rules {
        folder: Path::new("/stage"),
        programs: vec![Path::new("/usr/sbin/nginx")],
    };
    let kept = r#"1 openat(AT_FDCWD</stage/a>, "b", O_RDWR|O_CREAT, 0600) = 3</stage/a/b>
1 openat(AT_FDCWD</stage/a>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>
1 unlink("b") = 0
1 bind(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16 <unfinished ...>
2 connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/stage/x.sock"}, 110) = 0
1 <... bind resumed>) = 0
1 execve("/usr/sbin/nginx", ["nginx"], 0x1 /* 1 var */) = 0
1 sendto(3<socket:[1]>, "sa", 2, MSG_NOSIGNAL, NULL, 0) = 2
3 connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="x.sock"}, 110) = -1 ENOENT (No such file or directory)
1 clone3({flags=CLONE_VM|CLONE_THREAD}, 88 => {parent_tid=[3]}, 88) = 3
"#;
    let broken = r#"1 openat(AT_FDCWD</stage>, "../b", O_WRONLY|O_CREAT, 0600) = 3</b>
1 unlinkat(4</etc>, "x", 0) = 0
1 rename("/stage/a", "/var/a") = -1 EACCES (Permission denied)
1 bind(3<socket:[1]>, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::", &sin6_addr)}, 28) = 0
1 connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path=@"x"}, 110) = 0
1 sendto(3<socket:[1]>, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.1")}, 16 <unfinished ...>
1 <... sendto resumed>) = 1
1 execve("/bin/true", ["true"], 0x1 /* 1 var */) = 0
"#;
    let found = violations(kept, &rules);
    if !found.is_empty() {
        return Err(found.join("\n").into());
    }
    let found = violations(broken, &rules);
    match found.len() {
        7 => Ok(()),
        _ => Err(found.join("\n").into()),
    }
}
