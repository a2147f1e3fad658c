//! What cleans up when the harness itself is killed: [`Guard`].

use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// One small `sh` in a process group of its own, told what runs and which directories exist.
///
/// Its standard input ends when this process is gone, however it went; it then kills what is still registered and
/// removes the directories. Clones share it; the last one ends it.
#[derive(Clone, Debug)]
pub struct Guard {
    shell: Arc<Shell>,
}

impl Guard {
    /// Starts the shell.
    ///
    /// # Errors
    /// When there is no `sh`.
    pub fn start() -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "proxyproof-guard"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        Ok(Self {
            shell: Arc::new(Shell {
                child: Mutex::new(child),
                orders: Mutex::new(orders),
            }),
        })
    }

    /// Kills the group with this id if this process is gone first.
    pub(crate) fn watch_group(&self, group: u32) {
        self.shell.tell(format_args!("group {group}\n"));
    }

    /// The group is gone: its number may be another's soon.
    pub(crate) fn forget_group(&self, group: u32) {
        self.shell.tell(format_args!("forget group {group}\n"));
    }

    /// Removes the container of this name if this process is gone first, where `docker` or `curl` is installed.
    #[cfg(feature = "containers")]
    pub(crate) fn watch_container(&self, name: &str) {
        self.shell.tell(format_args!("container {name}\n"));
    }

    /// The container is removed.
    #[cfg(feature = "containers")]
    pub(crate) fn forget_container(&self, name: &str) {
        self.shell.tell(format_args!("forget container {name}\n"));
    }

    /// Removes the directory, and kills who runs in it, if this process is gone first.
    pub(crate) fn watch_directory(&self, directory: &Path) {
        self.shell
            .tell(format_args!("directory {}\n", directory.display()));
    }

    /// The directory is removed.
    pub(crate) fn forget_directory(&self, directory: &Path) {
        self.shell
            .tell(format_args!("forget directory {}\n", directory.display()));
    }
}

struct Shell {
    child: Mutex<Child>,
    orders: Mutex<Option<ChildStdin>>,
}

impl Shell {
    /// A guard that somebody killed can't be told anything; the harness still stops everything itself.
    fn tell(&self, order: fmt::Arguments<'_>) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = orders.as_mut() {
            let _ = orders.write_all(order.to_string().as_bytes());
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        *self
            .orders
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = None;
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // At the end of its input the script does its work and ends; it waits for nothing.
        let _ = child.wait();
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shell").finish_non_exhaustive()
    }
}

/// Signals to the terminal's foreground group never reach it, and those sent to it by hand are ignored: it has to
/// outlive the harness by a moment. A list is a text with one entry a line, so that paths may hold spaces.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT PIPE
set -f
newline='
'
IFS=$newline
watched=
while IFS= read -r order; do
    case $order in
        "forget "*)
            kept=
            for entry in $watched; do
                [ "forget $entry" = "$order" ] || kept=$kept$entry$newline
            done
            watched=$kept ;;
        *) watched=$watched$order$newline ;;
    esac
done
for entry in $watched; do
    case $entry in "group "*) kill -s KILL -- "-${entry#group }" 2>/dev/null ;; esac
done
# Whoever was started and not yet registered runs in its directory. One that is just being started enters it a moment later.
for round in 1 2 3; do
    for entry in $watched; do
        case $entry in "directory "*)
            set +f
            for process in /proc/[0-9]*; do
                [ "$process/cwd" -ef "${entry#directory }" ] && kill -s KILL "${process#/proc/}"
            done
            set -f
            [ "$round" = 3 ] || sleep 0.05 ;;
        esac
    done
done 2>/dev/null
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
for entry in $watched; do
    case $entry in "container "*)
        name=${entry#container }
        docker rm --force --volumes "$name" || curl -s -X DELETE --unix-socket "${socket#unix://}" \
            "http://localhost/containers/$name?force=true&v=true" ;;
    esac
done
for entry in $watched; do
    case $entry in "directory "*) rm -rf -- "${entry#directory }" || rm -rf -- "${entry#directory }" ;; esac
done
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("60")
            .process_group(0)
            .spawn()
            .expect("sleep is everywhere")
    }

    /// A harness can be killed between the start of a program and the word about it.
    #[test]
    fn who_runs_in_a_directory_goes_with_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        let watched = path.join("watched");
        std::fs::create_dir(&watched).unwrap();
        let guard = Guard::start().unwrap();
        guard.watch_directory(&watched);
        let start = |directory: &Path| {
            let mut sleep = Command::new("sleep");
            sleep.arg("60").current_dir(directory).spawn().unwrap()
        };
        let (mut inside, mut outside) = (start(&watched), start(&path));
        drop(guard);
        assert!(!inside.wait().unwrap().success());
        assert_eq!(outside.try_wait().unwrap(), None);
        outside.kill().unwrap();
        outside.wait().unwrap();
        assert!(!watched.exists());
    }

    #[test]
    fn what_is_still_registered_is_removed_at_the_end() {
        let root = tempfile::tempdir().unwrap();
        let watched = root.path().join("with a space");
        let forgotten = root.path().join("forgotten");
        std::fs::create_dir_all(watched.join("inner")).unwrap();
        std::fs::create_dir(&forgotten).unwrap();
        let (mut killed, mut spared) = (sleeper(), sleeper());

        let guard = Guard::start().unwrap();
        let clone = guard.clone();
        for child in [&killed, &spared] {
            guard.watch_group(child.id());
        }
        guard.watch_directory(&watched);
        guard.watch_directory(&forgotten);
        clone.forget_group(spared.id());
        clone.forget_directory(&forgotten);
        drop(guard);
        assert!(watched.exists(), "a clone still holds it");
        drop(clone);

        assert!(!watched.exists());
        assert!(forgotten.exists());
        assert!(!killed.wait().unwrap().success());
        assert_eq!(spared.try_wait().unwrap(), None);
        spared.kill().unwrap();
        spared.wait().unwrap();
    }
}
