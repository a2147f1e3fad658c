//! The client of a turn, in a process of its own: as in life it shares neither memory nor descriptors with the upstream.
//!
//! It gets an order by its standard input, opens its connections and warms up, says that it is ready, waits for the word, asks, and
//! says what came of it. It ends when its input does.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use proxyproof_mocks::Ledger;
use proxyproof_mocks::moment::epoch_nanos;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::contest::ContestError;
use crate::load::{Arrivals, LoadError, Samples, SeenEvents, Session, Target};
use crate::machine::{self, Thread};
use crate::placement::{Cores, Placement};
use crate::profile::Ask;
use crate::report::Took;

/// A program that calls [`serve`] when it gets these arguments.
#[derive(Clone, Debug)]
pub struct ClientProgram {
    /// The executable.
    pub path: PathBuf,
    /// What tells it to be a client.
    pub arguments: Vec<String>,
}

/// What a client is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Its request follows the order, byte by byte.
    pub(crate) target: Target,
    pub(crate) ask: Ask,
    pub(crate) connections: usize,
    pub(crate) arrivals: Arrivals,
    pub(crate) warmup: Duration,
    pub(crate) duration: Duration,
    pub(crate) placement: Placement,
    pub(crate) cores: Cores,
    /// The processes of the proxy.
    pub(crate) proxies: Vec<u32>,
    /// The thread of the upstream.
    pub(crate) upstream: Thread,
}

/// One turn: the samples and what it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) samples: Samples,
    pub(crate) took: Took,
    pub(crate) events: Vec<SeenEvents>,
    /// CPU of the client from its start to its end, in nanoseconds.
    pub(crate) own_cpu: u64,
    /// When the moments of its process begin.
    epoch: u64,
}

/// Takes a turn as a client, as standard input says, and tells what came of it on standard output.
///
/// # Errors
/// When nobody listens, or the order is none.
pub fn serve() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let (mut order, length): (Order, usize) = serde_json::from_str(&line)?;
    order.target.request = vec![0; length];
    io::stdin().read_exact(&mut order.target.request)?;
    let (heard, word) = mpsc::channel();
    #[expect(
        clippy::exit,
        reason = "whoever gave the order is gone: there is nobody to tell, and nothing to lose"
    )]
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            // Nobody waits for a word that comes too late.
            let _ = line.map(|_| heard.send(()));
        }
        std::process::exit(1);
    });
    let turn = order.take(|| {
        // Where nobody listens or answers, the end of standard input ends this process.
        let _ = tell(READY).map(|()| word.recv());
    });
    tell(&serde_json::to_string(&turn)?)
}

fn tell(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

impl Order {
    /// Opens connections, warms up, waits for the word, asks.
    fn take(&self, wait: impl FnOnce()) -> Result<Turn, LoadError> {
        self.cores.place_this_thread(self.placement);
        let memory = machine::resident_memory(&self.proxies);
        let mut session = Session::open(&self.target, self.connections)?;
        match self.ask {
            Ask::IdleStreams => session.hold()?,
            Ask::IdleSockets => {}
            _ => {
                session.run(self.arrivals, self.warmup);
                session.take_events();
            }
        }
        wait();
        let before = self.cpu();
        let began = Instant::now();
        let samples = match self.ask.holds() {
            true => self.hold(),
            false => session.run(self.arrivals, self.duration),
        };
        let (after, wall) = (self.cpu(), began.elapsed());
        let grown = machine::resident_memory(&self.proxies).saturating_sub(memory);
        Ok(Turn {
            samples,
            took: Took {
                cpu: [0, 1, 2].map(|who| after[who].saturating_sub(before[who])),
                // The ledger knows.
                connects: 0,
                wall,
                memory_each: grown as f64 / self.exchanges() as f64,
            },
            events: session.take_events(),
            own_cpu: machine::own_cpu(),
            epoch: epoch_nanos(),
        })
    }

    /// How many exchanges there are at once.
    fn exchanges(&self) -> usize {
        self.connections * self.target.streams.unwrap_or(1)
    }

    /// Nothing is asked for that long.
    fn hold(&self) -> Samples {
        let began = Instant::now();
        while let Some(left) = self.duration.checked_sub(began.elapsed()) {
            std::thread::park_timeout(left);
        }
        Samples::held(self.exchanges(), began.elapsed())
    }

    /// CPU time of client, proxy and upstream until now, in nanoseconds.
    fn cpu(&self) -> [u64; 3] {
        [
            Thread::this().cpu(),
            machine::cpu_of(&self.proxies),
            self.upstream.cpu(),
        ]
    }

    /// Has a client take the turn; the ledger counts the connections that the upstream accepts meanwhile.
    pub(crate) async fn carry_out(
        self,
        program: &ClientProgram,
        ledger: &Ledger,
        contender: &str,
    ) -> Result<Turn, ContestError> {
        let mut client = Client::start(program).map_err(ContestError::Client)?;
        let told = client.order(&self, ledger).await;
        let mut turn = told
            .map_err(ContestError::Client)?
            .map_err(|cause| ContestError::Load {
                contender: contender.to_owned(),
                cause,
            })?;
        let ahead = turn.epoch.wrapping_sub(epoch_nanos());
        for seen in &mut turn.events {
            seen.shift(ahead);
        }
        Ok(turn)
    }
}

/// A running client; it ends when this is dropped.
struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn start(program: &ClientProgram) -> io::Result<Self> {
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Signals to the terminal's foreground group are for whoever gives the orders.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    async fn order(
        &mut self,
        order: &Order,
        ledger: &Ledger,
    ) -> io::Result<Result<Turn, LoadError>> {
        let request = &order.target.request;
        let line = serde_json::to_string(&(order, request.len()))?;
        self.input.write_all(line.as_bytes()).await?;
        self.input.write_all(b"\n").await?;
        self.input.write_all(request).await?;
        self.input.flush().await?;
        let mut told = self.hear().await?;
        let accepted = ledger.connections_accepted();
        if told.trim_end() == READY {
            self.input.write_all(b"go\n").await?;
            told = self.hear().await?;
        }
        let accepted = ledger.connections_accepted() - accepted;
        let mut turn: Result<Turn, LoadError> = serde_json::from_str(&told)?;
        if let Ok(turn) = &mut turn {
            turn.took.connects = accepted;
        }
        // It has said all it had to say: its end takes no time.
        self.child.wait().await?;
        Ok(turn)
    }

    async fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line).await? {
            0 => Err(io::Error::other("the client ended before its turn did")),
            _ => Ok(line),
        }
    }
}

/// What a client says once it is warm.
const READY: &str = "ready";
