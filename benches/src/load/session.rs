//! The worker loop: a schedule, connections, one epoll.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::Duration;

use proxyproof_mocks::ProbeId;
use proxyproof_mocks::moment::Moment;
use rustix::event::{PollFd, PollFlags, Timespec, epoll};
use rustix::time::{self, Itimerspec};
use serde::{Deserialize, Serialize};

use super::answer::Ended;
use super::arrivals::{Arrivals, Schedule};
use super::connection::{Connection, Exchange, Piece, Progress};
use super::samples::{Errors, Samples};
use super::target::Target;

/// Why a session could not begin.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum LoadError {
    /// The target takes no connections, or there are no descriptors left.
    #[error("can't open connection {number} of {of} to {address}")]
    Connect {
        /// Which one, from 1.
        number: usize,
        /// How many there should be.
        of: usize,
        /// To whom.
        address: std::net::SocketAddr,
        /// What the system says.
        #[source]
        #[serde(with = "system_error")]
        cause: io::Error,
    },
    /// Streams that were to be held open have not begun, or have ended.
    #[error(
        "{silent} of {of} streams have not begun ({} wrong, {} broken, {} not connected)",
        errors.wrong, errors.broken, errors.connect
    )]
    Held {
        /// How many.
        silent: usize,
        /// How many there should be.
        of: usize,
        /// What became of others.
        errors: Errors,
    },
    /// There is no epoll.
    #[error("can't wait for sockets")]
    Poll(
        #[source]
        #[serde(with = "system_error")]
        io::Error,
    ),
}

/// An error of the system between processes: its number, where it has one, else its text.
mod system_error {
    use std::io;

    use serde::{Deserialize as _, Serialize as _};

    pub(super) fn serialize<S: serde::Serializer>(
        error: &io::Error,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match error.raw_os_error() {
            Some(number) => Ok(number),
            None => Err(error.to_string()),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<io::Error, D::Error> {
        let told = Result::<i32, String>::deserialize(deserializer)?;
        Ok(told.map_or_else(io::Error::other, io::Error::from_raw_os_error))
    }
}

/// Open connections to one target; runs follow one another on them.
#[derive(Debug)]
pub struct Session {
    target: Target,
    connections: Vec<Option<Connection>>,
    /// Who can be asked next: each connection as often as it has room for an exchange.
    idle: Vec<usize>,
    /// How often each connection would be there if it took more: it is drained first, then opened anew.
    held: Vec<usize>,
    /// When requests that were refused unprocessed had been intended: they are sent again.
    again: Vec<u64>,
    /// Exchanges that are not answered yet.
    under_way: usize,
    /// Exchanges on one connection at once.
    streams: usize,
    poll: OwnedFd,
    /// Ends the waiting of a run that is given up.
    timer: OwnedFd,
    piece: Piece,
    /// Since when a connection has been idle: a request that waits for one is not late through our fault.
    free_since: u64,
    /// When events were read, by stream, since they were last taken.
    seen: Vec<SeenEvents>,
}

/// When the events of one stream were read, in nanoseconds of [`Moment`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeenEvents {
    /// Which stream.
    #[serde(with = "probe")]
    pub probe: ProbeId,
    /// When it was to be asked for.
    pub intended: u64,
    /// One for each event, in their order.
    pub at: Vec<u64>,
}

impl SeenEvents {
    /// In the moments of a process whose own begin so much later, in nanoseconds; earlier by wrapping.
    pub(crate) fn shift(&mut self, ahead: u64) {
        for moment in self.at.iter_mut().chain([&mut self.intended]) {
            *moment = moment.wrapping_add(ahead);
        }
    }
}

/// A probe id as text.
mod probe {
    use proxyproof_mocks::ProbeId;
    use serde::{Deserialize as _, de};

    pub(super) fn serialize<S: serde::Serializer>(
        probe: &ProbeId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(probe)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ProbeId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Session {
    /// Opens so many connections.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn open(target: &Target, connections: usize) -> Result<Self, LoadError> {
        let (poll, timer) = waiting().map_err(LoadError::Poll)?;
        let target = target.clone();
        let address = target.address;
        let streams = target.streams.unwrap_or(1).max(1);
        let mut session = Self {
            target,
            connections: (0..connections).map(|_| None).collect(),
            idle: Vec::with_capacity(connections * streams),
            held: vec![0; connections],
            again: Vec::new(),
            under_way: 0,
            streams,
            poll,
            timer,
            piece: Piece::default(),
            free_since: 0,
            seen: Vec::new(),
        };
        for index in 0..connections {
            session.connect(index).map_err(|cause| LoadError::Connect {
                number: index + 1,
                of: connections,
                address,
                cause,
            })?;
        }
        session.all_are_idle();
        // Without it the kernel adds 50 us to every timed wait; a refusal only costs precision, which the lag shows.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        Ok(session)
    }

    /// When the events of the streams that ended since the last time were read.
    pub fn take_events(&mut self) -> Vec<SeenEvents> {
        std::mem::take(&mut self.seen)
    }

    /// Asks for that long, then waits a while for what is not answered.
    pub fn run(&mut self, arrivals: Arrivals, duration: Duration) -> Samples {
        let mut samples = Samples::default();
        let began = Moment::now().nanos();
        let open = !matches!(arrivals, Arrivals::Closed | Arrivals::Times(_));
        let mut schedule = Schedule::new(arrivals, began, duration);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let given_up = began
            .saturating_add(nanos(duration))
            .saturating_add(nanos(GRACE));
        self.set_timer(given_up.saturating_sub(began));
        let mut events = Vec::with_capacity(EVENTS);
        let (mut now, mut answered) = (began, began);
        loop {
            let over = schedule.is_over(now) && self.under_way == 0 && self.again.is_empty();
            if over || now >= given_up {
                let waiting = self.under_way + self.again.len();
                samples.errors.unfinished += waiting as u64 + schedule.left();
                break;
            }
            self.ask(None, &mut schedule, open, &mut samples);
            self.wait(&schedule, &mut events);
            let mut read = None;
            for event in events.drain(..) {
                let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                if let Some(at) = self.look(index, &mut samples) {
                    // At once: others that are looked at before would make it late.
                    self.ask(Some(at), &mut schedule, open, &mut samples);
                    read = Some(at);
                }
            }
            answered = read.unwrap_or(answered);
            now = read.unwrap_or_else(|| Moment::now().nanos());
        }
        // What is unanswered must not be taken for an answer of the next run.
        for connection in &mut self.connections {
            connection.take_if(|connection| connection.under_way() > 0);
        }
        self.all_are_idle();
        samples.took = Duration::from_nanos((answered - began).max(1));
        samples
    }

    /// Begins as many streams as there is room for, and returns once each has had its first event; they stay open.
    ///
    /// # Errors
    /// [`LoadError::Held`] when some have had none after half a minute.
    pub fn hold(&mut self) -> Result<(), LoadError> {
        let mut samples = Samples::default();
        let began = Moment::now().nanos();
        let given_up = began + HOLD;
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            let begun: usize = self
                .connections
                .iter()
                .flatten()
                .map(Connection::begun)
                .sum();
            let silent = (self.connections.len() * self.streams).saturating_sub(begun);
            if silent == 0 {
                return Ok(());
            }
            // All of them at once would not fit into the queue of a listener.
            let under_way = silent - self.idle.len().min(silent);
            for _ in under_way..AT_ONCE {
                if let Some(index) = self.idle.pop() {
                    self.begin(index, began, false, &mut samples);
                }
            }
            if Moment::now().nanos() >= given_up || samples.errors.total() > 0 {
                return Err(LoadError::Held {
                    silent,
                    of: self.connections.len() * self.streams,
                    errors: samples.errors,
                });
            }
            let room = rustix::buffer::spare_capacity(&mut events);
            let _ = epoll::wait(&self.poll, room, Some(&timespec(LOOK)));
            for event in events.drain(..) {
                let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                self.look(index, &mut samples);
            }
        }
    }

    /// Every connection can be asked, as often as it has streams: one stream of each, then another.
    fn all_are_idle(&mut self) {
        self.under_way = 0;
        self.again.clear();
        self.held.fill(0);
        self.idle.clear();
        for _ in 0..self.streams {
            self.idle.extend(0..self.connections.len());
        }
    }

    /// The next that can be asked. One that takes no more, after a GOAWAY, waits until it is drained.
    fn next_idle(&mut self) -> Option<usize> {
        loop {
            let index = *self.idle.last()?;
            match &self.connections[index] {
                Some(connection) if !connection.takes_more() => {
                    self.idle.pop();
                    self.held[index] += 1;
                }
                _ => return Some(index),
            }
        }
    }

    /// Sends what is due, as far as there are connections for it; `now` where it has just been read.
    fn ask(
        &mut self,
        mut now: Option<u64>,
        schedule: &mut Schedule,
        open: bool,
        samples: &mut Samples,
    ) {
        while let Some(index) = self.next_idle() {
            let now = now.take().unwrap_or_else(|| Moment::now().nanos());
            let again = self.again.pop();
            let Some(intended) = again.or_else(|| schedule.due(now)) else {
                break;
            };
            self.idle.pop();
            self.begin(index, intended, open || again.is_some(), samples);
        }
    }

    /// Waits for answers, or until the next request is due or the run is given up.
    fn wait(&self, schedule: &Schedule, events: &mut Vec<epoll::Event>) {
        // Where no connection is free, what is due waits for one and not for the clock.
        let due = schedule.next_due().filter(|_| !self.idle.is_empty());
        let due = due.map(|due| due.saturating_sub(Moment::now().nanos()));
        // The last of the wait is spun: a sleeping thread wakes too late for a latency of this size.
        if let Some(wait) = due.and_then(|due| due.checked_sub(SPIN)) {
            // `epoll_wait` counts in milliseconds, which is more than a latency; `ppoll` in nanoseconds.
            let mut poll = [PollFd::new(&self.poll, PollFlags::IN)];
            let _ = rustix::event::poll(&mut poll, Some(&timespec(wait)));
        }
        // Nor is an answer waited for that nobody owes.
        let at_once = (due.is_some() || self.under_way == 0).then(|| timespec(0));
        // Interrupted by a signal: the loop looks at the clock again.
        let room = rustix::buffer::spare_capacity(events);
        let _ = epoll::wait(&self.poll, room, at_once.as_ref());
    }

    /// Ends a wait after so many nanoseconds: cheaper than a limit for each, for which the kernel reads the clock.
    fn set_timer(&self, nanos: u64) {
        let once = Itimerspec {
            it_interval: timespec(0),
            it_value: timespec(nanos),
        };
        let set = time::timerfd_settime(&self.timer, time::TimerfdTimerFlags::empty(), &once);
        set.expect("a timer of ours takes every duration");
    }

    fn begin(&mut self, index: usize, intended: u64, open: bool, samples: &mut Samples) {
        if self.connections[index].is_none() {
            match self.connect(index) {
                Ok(()) => samples.connects += 1,
                Err(error) => {
                    samples.errors.connect += 1;
                    let ports = error.kind() == io::ErrorKind::AddrNotAvailable;
                    samples.errors.ports += u64::from(ports);
                    self.idle.insert(0, index);
                    return;
                }
            }
        }
        let probe = self.target.probe_at.map(|at| {
            let probe = ProbeId::fresh();
            let text = probe.to_string();
            self.target.request[at..at + text.len()].copy_from_slice(text.as_bytes());
            probe
        });
        // In a closed model the moment has just been read.
        let sent = match open {
            true => Moment::now().nanos(),
            false => intended,
        };
        let lag = sent.saturating_sub(intended.max(self.free_since));
        let exchange = Exchange {
            intended,
            sent,
            lag,
            probe,
        };
        self.under_way += 1;
        if let Some(connection) = &mut self.connections[index]
            && connection.begin(&self.target.request, exchange).is_err()
        {
            self.lose(index, samples);
        }
    }

    /// What a socket has to say; the moment of the last answer.
    fn look(&mut self, index: usize, samples: &mut Samples) -> Option<u64> {
        let connection = self.connections.get_mut(index)?.as_mut()?;
        if connection.write(&self.target.request).is_err() {
            self.lose(index, samples);
            return None;
        }
        connection.stir();
        let mut answered = None;
        loop {
            let connection = self.connections[index].as_mut()?;
            let progress =
                connection.read(&self.target.expected, &mut self.piece, &mut samples.bytes);
            let now = Moment::now().nanos();
            let (ended, exchange, events, closes) = match progress {
                Progress::Under => break,
                Progress::Answered {
                    ended,
                    exchange,
                    events,
                    closes,
                } => (ended, exchange, events, closes),
                Progress::Refused { exchange, closes } => {
                    self.again.push(exchange.intended);
                    self.under_way -= 1;
                    if closes {
                        self.drop_connection(index);
                        break;
                    }
                    match self.connections[index]
                        .as_ref()
                        .is_some_and(Connection::takes_more)
                    {
                        true => self.idle.push(index),
                        false => self.held[index] += 1,
                    }
                    continue;
                }
                Progress::Stray => {
                    samples.errors.broken += 1;
                    self.drop_connection(index);
                    break;
                }
                Progress::Gone { broken } => {
                    samples.errors.broken += broken;
                    self.under_way -= usize::try_from(broken).unwrap_or(0).min(self.under_way);
                    self.drop_connection(index);
                    break;
                }
            };
            match ended {
                Ended::Right => {
                    samples.record(exchange.intended, exchange.sent, exchange.lag, now);
                    let seen = |probe| SeenEvents {
                        probe,
                        intended: exchange.intended,
                        at: events,
                    };
                    self.seen.extend(exchange.probe.map(seen));
                }
                Ended::Wrong => samples.errors.wrong += 1,
                Ended::Broken => samples.errors.broken += 1,
            }
            self.under_way -= 1;
            if self.idle.is_empty() {
                self.free_since = now;
            }
            answered = Some(now);
            if closes {
                self.drop_connection(index);
                break;
            }
            self.idle.push(index);
            if self.streams == 1 {
                break;
            }
        }
        // What was read may ask for an answer of its own: acknowledgements, windows.
        if self.streams > 1
            && let Some(connection) = &mut self.connections[index]
            && connection.write(&self.target.request).is_err()
        {
            self.lose(index, samples);
        }
        answered
    }

    /// The connection failed under its requests.
    fn lose(&mut self, index: usize, samples: &mut Samples) {
        let lost = self.connections[index]
            .as_ref()
            .map_or(0, Connection::under_way);
        samples.errors.broken += lost as u64;
        self.under_way -= lost.min(self.under_way);
        self.drop_connection(index);
    }

    /// The next request opens another; all its places are free.
    fn drop_connection(&mut self, index: usize) {
        self.connections[index] = None;
        self.held[index] = 0;
        self.idle.retain(|other| *other != index);
        self.idle.extend(std::iter::repeat_n(index, self.streams));
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let connection = Connection::open(&self.target)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&self.poll, &connection.stream, data, flags)?;
        self.connections[index] = Some(connection);
        Ok(())
    }
}

/// An epoll, and a timer that it tells of.
fn waiting() -> io::Result<(OwnedFd, OwnedFd)> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let timer = time::timerfd_create(time::TimerfdClockId::Monotonic, time::TimerfdFlags::CLOEXEC)?;
    let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&poll, &timer, epoll::EventData::new_u64(TIMER), flags)?;
    Ok((poll, timer))
}

fn timespec(nanos: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: (nanos % 1_000_000_000) as _,
    }
}

/// How many streams are begun at once where they are held.
const AT_ONCE: usize = 64;
/// How long streams may take to begin, in nanoseconds.
const HOLD: u64 = 30_000_000_000;
/// What an event of the timer says in place of a connection: there are not so many.
const TIMER: u64 = u64::MAX;
/// How many sockets one wait tells of.
const EVENTS: usize = 1024;
/// How long a run waits for what is not answered at its end.
const GRACE: Duration = Duration::from_secs(2);
/// The tail of a wait that is spun, in nanoseconds: what a wake-up takes on a virtual machine.
const SPIN: u64 = 70_000;
/// The longest wait before streams that begin are counted again, in nanoseconds.
const LOOK: u64 = 50_000_000;
