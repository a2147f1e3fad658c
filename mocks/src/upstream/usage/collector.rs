//! The collector: takes usage records from CPA over RESP, as long as the service runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at};

use super::configuration::PopSide;
use super::dial::dial;
use super::event::{Event, now_ms};
use super::resp_client::{RespClient, records};
use super::setup::Setup;
use super::store::Store;

/// How long the collector waits after a failure: this long at first, twice as long after each that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Default for Backoff {
    /// The real program's 1 s and 30 s.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
        }
    }
}

/// The collector's part of `/status`, in its order on the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    collector: &'static str,
    upstream: String,
    queue: String,
    last_consumed_at: i64,
    last_inserted_at: i64,
    total_inserted: u64,
    total_skipped: u64,
    pub(super) dead_letters: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_error: String,
}

/// How records are fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) poll_interval: Duration,
    pub(super) batch_size: usize,
    pub(super) backoff: Backoff,
}

/// The collector of a service; stops when dropped.
#[derive(Debug)]
pub(super) struct Collector {
    status: Arc<Mutex<Status>>,
    store: Arc<Store>,
    pace: Pace,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Collector {
    pub(super) fn new(store: Arc<Store>, pace: Pace, queue: &str) -> Self {
        let status = Status {
            collector: "stopped",
            upstream: String::new(),
            queue: queue.to_owned(),
            last_consumed_at: 0,
            last_inserted_at: 0,
            total_inserted: 0,
            total_skipped: 0,
            dead_letters: 0,
            last_error: String::new(),
        };
        Self {
            status: Arc::new(Mutex::new(status)),
            store,
            pace,
            running: Mutex::default(),
        }
    }

    /// Starts over with this set-up.
    pub(super) fn start(&self, setup: Setup) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(previous) = running.take() {
            previous.abort();
        }
        let run = Run {
            // A status of its own, so that what an aborted run still writes is not seen.
            status: Arc::clone(&self.status),
            store: Arc::clone(&self.store),
            pace: self.pace,
            setup,
        };
        run.set(|status| {
            status.collector = "starting";
            run.setup.base_url.as_str().clone_into(&mut status.upstream);
            run.setup.queue.clone_into(&mut status.queue);
            status.last_error.clear();
        });
        *running = Some(tokio::spawn(run.forever()));
    }

    pub(super) fn status(&self) -> Status {
        lock(&self.status).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(running) = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
        {
            running.abort();
        }
    }
}

/// One run of the collector.
struct Run {
    status: Arc<Mutex<Status>>,
    store: Arc<Store>,
    pace: Pace,
    setup: Setup,
}

/// What failed, by the stage's name in `lastError`.
struct Failure {
    stage: &'static str,
    reason: String,
}

impl Run {
    async fn forever(self) {
        let mut pause = self.pace.backoff.first;
        loop {
            let failure = match self.connect().await {
                Ok(client) => {
                    pause = self.pace.backoff.first;
                    self.set(|status| {
                        status.collector = "running";
                        status.last_error.clear();
                    });
                    self.consume(client).await
                }
                Err(failure) => failure,
            };
            self.set(|status| {
                status.collector = "error";
                status.last_error = format!("{}: {}", failure.stage, failure.reason);
            });
            wait(pause).await;
            pause = (pause * 2).min(self.pace.backoff.longest);
        }
    }

    async fn connect(&self) -> Result<RespClient, Failure> {
        let base = &self.setup.base_url;
        let stage = |stage| move |reason| Failure { stage, reason };
        let (host, port) = base.address();
        let stream = match base.scheme().as_str() {
            "http" => dial(&host, port, DIAL_TIMEOUT).await,
            "https" => match dial(&host, port, DIAL_TIMEOUT).await {
                Ok(_) => Err("tls: first record does not look like a TLS handshake".to_owned()),
                Err(reason) => Err(reason),
            },
            other => Err(format!("unsupported upstream scheme {other:?}")),
        };
        let mut client = RespClient::new(stream.map_err(stage("connect"))?);
        client
            .ask(&["AUTH", &self.setup.management_key])
            .await
            .map_err(stage("auth"))?;
        Ok(client)
    }

    /// Takes records until something fails.
    async fn consume(&self, mut client: RespClient) -> Failure {
        let period = self.pace.poll_interval;
        let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
        // Go's ticker keeps at most one tick for a reader that is late.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let count = self.pace.batch_size.to_string();
        let pop = match self.setup.pop_side {
            PopSide::Left => "LPOP",
            PopSide::Right => "RPOP",
        };
        loop {
            match client
                .ask(&[pop, &self.setup.queue, &count])
                .await
                .and_then(records)
            {
                Ok(records) if records.is_empty() => {
                    ticks.tick().await;
                }
                Ok(records) => self.keep(&records),
                Err(reason) => {
                    return Failure {
                        stage: "consume",
                        reason,
                    };
                }
            }
        }
    }

    fn keep(&self, records: &[Vec<u8>]) {
        self.set(|status| status.last_consumed_at = now_ms());
        let mut events = Vec::new();
        for record in records {
            match Event::read(record) {
                Ok(event) => events.push(event),
                Err(_) => self.store.add_dead_letter(),
            }
        }
        let inserted = self.store.insert(events);
        if inserted.added + inserted.skipped > 0 {
            self.set(|status| {
                status.last_inserted_at = now_ms();
                status.total_inserted += inserted.added;
                status.total_skipped += inserted.skipped;
            });
        }
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        change(&mut lock(&self.status));
    }
}

fn lock(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause after a failure is the program's own"
)]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
