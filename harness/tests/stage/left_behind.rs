//! Nothing is left behind: no process, no port, no directory.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use proxyproof_harness::stage::Keep;
use proxyproof_harness::{Patience, Protocol, RunningStage, Stage};

use crate::candidates;
use crate::trials::{run, stage};

/// What a stage has while it runs.
struct Traces {
    directory: PathBuf,
    listener: SocketAddr,
    front: SocketAddr,
    upstream: SocketAddr,
}

impl Traces {
    fn of(stage: &RunningStage) -> Self {
        Self {
            directory: stage.configuration().directory().to_owned(),
            listener: stage.listener(Protocol::H1),
            front: stage.front().expect("a tunnel").address(),
            upstream: stage.cpa().address(),
        }
    }

    fn is_there(&self) -> bool {
        self.directory.exists() && self.open().len() == 3
    }

    fn open(&self) -> Vec<SocketAddr> {
        let all = [self.listener, self.front, self.upstream];
        let opens = |address: &SocketAddr| TcpStream::connect(address).is_ok();
        all.into_iter().filter(opens).collect()
    }

    /// Tasks that were aborted and processes that were killed are gone a moment later.
    async fn are_gone(&self) {
        let gone = Patience::SETTLE.eventually("everything to be gone", || {
            let left = (self.directory.exists(), self.open());
            std::future::ready(match left {
                (false, open) if open.is_empty() => Ok(()),
                left => Err(format!("{left:?}")),
            })
        });
        gone.await.unwrap_or_else(|ran_out| panic!("{ran_out}"));
    }
}

pub(crate) fn a_stopped_stage_leaves_nothing() {
    run(async {
        let stage = stage("serve").start().await.expect("it serves");
        let traces = Traces::of(&stage);
        assert!(traces.is_there());
        stage.stop().await.expect("it stops");
        traces.are_gone().await;
    });
}

pub(crate) fn a_dropped_stage_leaves_nothing() {
    run(async {
        let stage = stage("serve").start().await.expect("it serves");
        let traces = Traces::of(&stage);
        drop(stage);
        traces.are_gone().await;
    });
}

pub(crate) fn a_kept_directory_stays() {
    run(async {
        let stage = stage("serve").keep(Keep::Directory).start().await;
        let stage = stage.expect("it serves");
        let directory = stage.configuration().directory().to_owned();
        drop(stage);
        assert!(directory.join("relay.conf").exists());
        std::fs::remove_dir_all(directory).expect("it is ours");
    });
}

/// The child of the next test: stages, tells its traces, and waits to be killed.
pub(crate) fn stage_and_wait(folder: &str) -> ExitCode {
    run(async {
        let stage = Stage::of(&candidates::named(Path::new(folder)));
        let stage = stage.deployment(&candidates::deployment()).start().await;
        let stage = stage.expect("it serves");
        let Traces {
            directory,
            listener,
            front,
            upstream,
        } = Traces::of(&stage);
        let mut output = std::io::stdout();
        let directory = directory.display();
        writeln!(output, "{listener} {front} {upstream} {directory}").expect("the parent reads");
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}

pub(crate) fn a_killed_harness_leaves_nothing() {
    let folder = candidates::folder("serve\n127.0.0.1:8003\n127.0.0.1:8317\n");
    let mut child = Command::new(std::env::current_exe().expect("this executable"))
        .arg("__stage")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this executable again");
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("it tells");
    let words: Vec<&str> = line.trim().splitn(4, ' ').collect();
    let [listener, front, upstream, directory] = words[..] else {
        panic!("{line}")
    };
    let address = |text: &str| text.parse().expect("an address");
    let traces = Traces {
        directory: PathBuf::from(directory),
        listener: address(listener),
        front: address(front),
        upstream: address(upstream),
    };
    assert!(traces.is_there());
    child.kill().expect("it runs");
    child.wait().expect("it is ours");
    run(traces.are_gone());
}
