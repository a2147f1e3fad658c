//! What a guard runs: this executable once more, or a shell.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::watch_list::WatchList;

/// Is the guard of the harness that started this process, if one did; gives the exit code for `main` then.
///
/// To be called before anything else in `main`. From then on the harness of this process starts this executable for its
/// guards, which needs no program of the system's. An executable that never calls it, as a test target without a `main` of
/// its own, has a shell for a guard.
#[must_use = "a guard that has done its work has to end"]
pub fn serve_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let asked = arguments.next().as_deref() == Some(OsStr::new(ARGUMENT));
    if asked && arguments.next().is_none() {
        serve();
        return Some(ExitCode::SUCCESS);
    }
    SERVES.store(true, Ordering::Relaxed);
    None
}

/// Follows the orders on standard input to their end, and cleans up.
pub(crate) fn serve() {
    ignore_signals();
    WatchList::read(io::stdin().lock()).clean_up();
}

/// Signals to the terminal's foreground group never reach a guard, and those sent to it by hand do nothing: it has to outlive
/// the harness by a moment.
pub(crate) fn ignore_signals() {
    // A handler that sets a flag which nobody reads: without `unsafe` nothing can be ignored. SIGPIPE is from the start.
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        let _ = signal_hook::flag::register(signal, Arc::default());
    }
}

pub(super) fn command() -> Command {
    match std::env::current_exe() {
        Ok(executable) if SERVES.load(Ordering::Relaxed) => {
            let mut command = Command::new(executable);
            command.arg(ARGUMENT);
            command
        }
        _ => shell(),
    }
}

pub(super) fn shell() -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "proxyproof-guard"]);
    command
}

/// Whether this executable has called [`serve_if_asked`].
static SERVES: AtomicBool = AtomicBool::new(false);

/// No argument of any command: neither in the help nor in the completions.
const ARGUMENT: &str = "__guard";

/// What [`serve`] does, for executables that can't be asked. A list is a text with one entry a line, so that paths may hold
/// spaces. Where `PATH` is of the user's choosing, programs are looked for in the usual folders too.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT PIPE
PATH=${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin
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
