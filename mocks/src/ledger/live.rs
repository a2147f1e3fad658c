//! Arrivals and connections while they go on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};

use super::answer_record::AnswerRecord;
use super::arrival::{
    Arrival, ConnectionId, ConnectionRecord, Field, Framing, How, PeerGone, WRITES_KEPT,
    WriteRecord,
};
use super::body_record::{BodyRecord, PREFIX_KEPT, READS_KEPT, extend_digest};
use super::raw_head::RawHead;
use super::shard::Shard;
use crate::moment::Moment;
use crate::probe_id::ProbeId;
use crate::wire::websocket::Frame;

/// A connection an upstream accepted.
#[derive(Debug)]
pub(crate) struct LiveConnection {
    pub(crate) id: ConnectionId,
    pub(crate) upstream: Arc<str>,
    pub(crate) peer: SocketAddr,
    pub(crate) accepted_at: Moment,
    requests: AtomicU32,
    closed: OnceLock<Moment>,
}

impl LiveConnection {
    pub(super) fn new(id: ConnectionId, upstream: Arc<str>, peer: SocketAddr) -> Self {
        Self {
            id,
            upstream,
            peer,
            accepted_at: Moment::now(),
            requests: AtomicU32::new(0),
            closed: OnceLock::new(),
        }
    }

    /// Counts one request more, and says which it is.
    pub(crate) fn next_request(&self) -> u32 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a request's head was complete on it.
    pub(crate) fn has_requests(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn close(&self) {
        self.closed.get_or_init(Moment::now);
    }

    pub(super) fn record(&self) -> ConnectionRecord {
        ConnectionRecord {
            id: self.id,
            peer: self.peer,
            accepted_at: self.accepted_at,
            requests: self.requests.load(Ordering::Relaxed),
            closed: self.closed.get().copied(),
        }
    }
}

/// What is known of an arrival when its head is complete.
pub(crate) struct NewArrival {
    pub(crate) connection: Arc<LiveConnection>,
    pub(crate) request_number: u32,
    pub(crate) probe: Option<ProbeId>,
    pub(crate) head: Bytes,
    pub(crate) framing: Framing,
}

/// An arrival in hand: its connection's task writes, anybody reads snapshots.
#[derive(Debug)]
pub(crate) struct LiveArrival {
    connection: Arc<LiveConnection>,
    request_number: u32,
    probe: Option<ProbeId>,
    head_at: Moment,
    head: Bytes,
    framing: Framing,
    shard: Arc<Shard>,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// What most arrivals have nothing of; kept apart to spare them the room.
    details: Option<Box<Details>>,
    /// The only write of most answers; kept apart to spare them an allocation.
    first_write: Option<WriteRecord>,
    writes_total: u64,
    written: u64,
    answer: AnswerRecord,
    peer_gone: Option<PeerGone>,
    finished: Option<Moment>,
    upgraded: Option<Moment>,
    retained: usize,
    memory: Memory,
}

/// A body, a long answer, a WebSocket.
#[derive(Clone, Debug, Default)]
struct Details {
    body: BodyRecord,
    prefix: BytesMut,
    trailers: Vec<Field>,
    more_writes: Vec<WriteRecord>,
    frames: Vec<Frame>,
}

impl Progress {
    fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

/// Whether the ledger still counts what this arrival keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Memory {
    #[default]
    Counted,
    Forgotten,
}

impl LiveArrival {
    pub(super) fn new(new: NewArrival, shard: Arc<Shard>) -> Self {
        let progress = Progress {
            retained: new.head.len(),
            ..Progress::default()
        };
        Self {
            connection: new.connection,
            request_number: new.request_number,
            probe: new.probe,
            head_at: Moment::now(),
            head: new.head,
            framing: new.framing,
            shard,
            progress: Mutex::new(progress),
        }
    }

    pub(super) fn probe(&self) -> Option<ProbeId> {
        self.probe
    }

    /// The bytes it keeps before anything is known but its head.
    pub(super) fn retained_at_first(&self) -> usize {
        self.head.len()
    }

    /// The bytes that are no longer counted from now on.
    pub(super) fn forget(&self) -> usize {
        let mut progress = self.progress();
        progress.memory = Memory::Forgotten;
        std::mem::take(&mut progress.retained)
    }

    pub(crate) fn read_body(&self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let now = Moment::now();
        self.change(|progress| {
            let Details { body, prefix, .. } = progress.details();
            body.first_at.get_or_insert(now);
            body.last_at = Some(now);
            body.length += data.len() as u64;
            body.digest = extend_digest(body.digest, data);
            if body.reads.len() < READS_KEPT {
                body.reads.push((now, data.len() as u64));
            }
            let room = PREFIX_KEPT - prefix.len().min(PREFIX_KEPT);
            let kept = &data[..data.len().min(room)];
            prefix.extend_from_slice(kept);
            if progress.memory == Memory::Counted {
                progress.retained += kept.len();
                self.shard.grow(kept.len());
            }
        });
    }

    pub(crate) fn body_complete(&self, trailers: Vec<Field>) {
        self.change(|progress| {
            let details = progress.details();
            details.body.complete = true;
            details.trailers = trailers;
        });
    }

    pub(crate) fn wrote(&self, bytes: &[u8]) {
        let record = WriteRecord {
            at: Moment::now(),
            length: bytes.len() as u64,
        };
        self.change(|progress| {
            progress.writes_total += 1;
            progress.written += record.length;
            // How the proxy's own requests were answered, its checks among them, is asked afterwards.
            if self.probe.is_none() || self.shard.is_followed() {
                progress.answer.wrote(bytes, record.at);
            }
            if progress.first_write.is_none() {
                progress.first_write = Some(record);
            } else {
                let more_writes = &mut progress.details().more_writes;
                if more_writes.len() + 1 < WRITES_KEPT {
                    more_writes.push(record);
                }
            }
        });
    }

    pub(crate) fn read_frame(&self, frame: &Frame) {
        self.change(|progress| {
            let frames = &mut progress.details().frames;
            if frames.len() < FRAMES_KEPT {
                let mut frame = frame.clone();
                frame.payload.truncate(PREFIX_KEPT);
                frames.push(frame);
            }
        });
    }

    /// Counts a frame of a WebSocket that a service read.
    pub(crate) fn frame_came(&self) {
        self.change(|progress| progress.answer.frames_in += 1);
    }

    /// Counts a frame of a WebSocket that a service wrote.
    pub(crate) fn frame_went(&self) {
        self.change(|progress| progress.answer.frames_out += 1);
    }

    pub(crate) fn peer_gone(&self, how: How) {
        let at = Moment::now();
        self.change(|progress| {
            progress.peer_gone.get_or_insert(PeerGone { at, how });
        });
    }

    pub(crate) fn upgraded(&self) {
        self.change(|progress| progress.upgraded = Some(Moment::now()));
    }

    /// Says that the upstream is through with it.
    pub(crate) fn finish(&self) {
        let mut is_first = false;
        self.change(|progress| {
            is_first = progress.finished.is_none();
            progress.finished.get_or_insert_with(Moment::now);
        });
        if is_first {
            self.shard.tell(self);
        }
    }

    pub(super) fn snapshot(&self) -> Arrival {
        let progress = self.progress();
        let details = progress.details.as_deref().cloned().unwrap_or_default();
        let first_write = progress.first_write.into_iter();
        let writes = first_write.chain(details.more_writes).collect();
        let mut body = details.body;
        body.complete |= self.framing == Framing::None;
        body.prefix = details.prefix.freeze();
        Arrival {
            upstream: Arc::clone(&self.connection.upstream),
            probe: self.probe,
            connection: self.connection.id,
            request_number: self.request_number,
            peer: self.connection.peer,
            accepted_at: self.connection.accepted_at,
            head_at: self.head_at,
            head: RawHead::new(self.head.clone()),
            framing: self.framing,
            body,
            trailers: details.trailers,
            writes,
            writes_total: progress.writes_total,
            written: progress.written,
            answer: progress.answer,
            frames: details.frames,
            peer_gone: progress.peer_gone,
            finished: progress.finished,
            upgraded: progress.upgraded,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress());
        self.shard.progressed();
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many frames of a script's WebSocket are kept.
const FRAMES_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::super::{Ledger, digest_of};
    use super::*;

    fn open(ledger: &Ledger, probe: Option<ProbeId>, head: &'static str) -> Arc<LiveArrival> {
        let connection = ledger.open_connection("cpa".into(), (Ipv4Addr::LOCALHOST, 1).into());
        let request_number = connection.next_request();
        ledger.open_arrival(NewArrival {
            connection,
            request_number,
            probe,
            head: Bytes::from_static(head.as_bytes()),
            framing: Framing::Chunked,
        })
    }

    #[test]
    fn progress_shows_in_snapshots() {
        let ledger = Ledger::new();
        let probe = ProbeId::fresh();
        let live = open(&ledger, Some(probe), "GET / HTTP/1.1\r\n\r\n");
        live.read_body(b"ab");
        live.read_body(b"c");
        live.wrote(&[0; 5]);
        live.wrote(&[0; 6]);
        live.peer_gone(How::Reset);
        live.peer_gone(How::Fin);
        let arrival = ledger.arrivals(probe).remove(0);
        assert_eq!(
            (
                arrival.body.length,
                arrival.body.digest,
                &arrival.body.prefix[..]
            ),
            (3, digest_of(b"abc"), &b"abc"[..])
        );
        assert_eq!(
            (
                arrival.writes.len(),
                arrival.written,
                arrival.request_number
            ),
            (2, 11, 1)
        );
        assert_eq!(arrival.peer_gone.map(|gone| gone.how), Some(How::Reset));
        assert!(arrival.finished.is_none() && !arrival.body.complete);
        live.body_complete(Vec::new());
        live.finish();
        let arrival = ledger.arrivals(probe).remove(0);
        assert!(arrival.finished.is_some() && arrival.body.complete);
        assert_eq!(ledger.connections("cpa").len(), 1);
        assert!(ledger.connections("usage").is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let ledger = Ledger::with_limit(64);
        let probes: Vec<ProbeId> = (0..10_000).map(|_| ProbeId::fresh()).collect();
        for &probe in &probes {
            open(&ledger, Some(probe), "GET / HTTP/1.1\r\n\r\n");
        }
        assert_eq!((ledger.seen(), ledger.forgotten()), (10_000, 10_000 - 64));
        assert_eq!(ledger.arrivals(probes[9_999]).len(), 1);
        assert!(ledger.arrivals(probes[0]).is_empty());
    }

    #[test]
    fn bodies_count_against_the_limit() {
        let ledger = Ledger::new();
        let probe = ProbeId::fresh();
        // All of one probe are in one shard, which has a 64th of all bytes: 4 MiB, 256 prefixes.
        for _ in 0..1000 {
            open(&ledger, Some(probe), "").read_body(&[0; 20_000]);
        }
        assert_eq!(ledger.forgotten(), 1000 - 256 - 1);
    }

    #[test]
    fn requests_without_a_probe_are_counted_and_the_latest_kept() {
        let ledger = Ledger::new();
        for _ in 0..5000 {
            open(&ledger, None, "GET / HTTP/1.1\r\n\r\n");
        }
        assert_eq!((ledger.seen(), ledger.forgotten()), (5000, 0));
        assert_eq!(ledger.untagged().len(), super::super::UNTAGGED_KEPT);
    }

    #[tokio::test]
    async fn waiters_are_woken_by_progress() {
        let ledger = Ledger::new();
        let probe = ProbeId::fresh();
        let waiting = tokio::spawn({
            let ledger = ledger.clone();
            async move {
                ledger
                    .until(probe, Duration::from_secs(60), |arrivals| {
                        arrivals
                            .first()
                            .filter(|arrival| arrival.written >= 3)
                            .map(|arrival| arrival.written)
                    })
                    .await
            }
        });
        let live = open(&ledger, Some(probe), "");
        for _ in 0..3 {
            tokio::task::yield_now().await;
            live.wrote(&[0]);
        }
        assert_eq!(waiting.await.unwrap(), Some(3));
        assert!(
            ledger
                .arrival(ProbeId::fresh(), Duration::from_millis(1))
                .await
                .is_none()
        );
    }
}
