//! Both ends of an exchange on one clock: [`TimelineEntry`].

use std::fmt::Write as _;

use proxyproof_mocks::ledger::How;
use proxyproof_mocks::{Arrival, Moment};

use super::answer::{Answer, Delimited, Ending};
use super::error::ProbeError;
use super::seen::Seen;
use super::sent::{Sent, Upload};

/// One thing that one end did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When.
    pub at: Moment,
    /// `client` or the upstream's name.
    pub who: String,
    /// What it did or saw.
    pub what: String,
}

pub(super) fn of(seen: &Seen) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    sent(&seen.request, &mut entries);
    for arrival in &seen.arrivals {
        arrived(arrival, &mut entries);
    }
    match &seen.answer {
        Ok(answer) => answered(answer, &mut entries),
        Err(error) => {
            let latest = entries.iter().map(|entry| entry.at).max();
            let at = latest.unwrap_or(seen.request.at);
            entry(&mut entries, at, CLIENT, failed(error));
        }
    }
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn sent(sent: &Sent, entries: &mut Vec<TimelineEntry>) {
    let Sent {
        client, protocol, ..
    } = sent;
    entry(
        entries,
        sent.connected_at,
        CLIENT,
        format!("connected as {client} ({protocol})"),
    );
    let line = String::from_utf8_lossy(sent.head.start_line()).into_owned();
    entry(entries, sent.at, CLIENT, format!("sent head `{line}`"));
    let Some(last_at) = sent.body.last_at else {
        return;
    };
    let length = sent.body.length;
    if let Some(first_at) = sent.body.first_at.filter(|first| *first != last_at) {
        entry(entries, first_at, CLIENT, "sent the first of the body");
    }
    let what = match &sent.body.upload {
        Upload::Complete | Upload::None => format!("sent the last of the body, {length} bytes"),
        Upload::Open => format!("sent {length} bytes of the body so far"),
        Upload::Cut { reason } => format!("could send only {length} bytes of the body: {reason}"),
    };
    entry(entries, last_at, CLIENT, what);
}

fn arrived(arrival: &Arrival, entries: &mut Vec<TimelineEntry>) {
    let who = &*arrival.upstream;
    let Arrival {
        connection,
        request_number,
        ..
    } = arrival;
    if *request_number == 1 {
        let what = format!("accepted connection {connection} from {}", arrival.peer);
        entry(entries, arrival.accepted_at, who, what);
    }
    let line = String::from_utf8_lossy(arrival.head.start_line()).into_owned();
    let what = format!("read head `{line}` (request {request_number} on connection {connection})");
    entry(entries, arrival.head_at, who, what);
    let body = &arrival.body;
    if let Some(first_at) = body.first_at.filter(|first| Some(*first) != body.last_at) {
        entry(entries, first_at, who, "read the first of the body");
    }
    if let Some(last_at) = body.last_at {
        let last = if body.complete {
            "read the last of the body, "
        } else {
            "read of the body so far: "
        };
        entry(
            entries,
            last_at,
            who,
            format!("{last}{} bytes", body.length),
        );
    }
    let writes = arrival.writes.iter().map(|write| (write.at, write.length));
    let total = usize::try_from(arrival.writes_total).unwrap_or(usize::MAX);
    portions(entries, who, "wrote", writes, total);
    if let Some(at) = arrival.upgraded {
        entry(entries, at, who, "switched protocols");
    }
    if let Some(gone) = arrival.peer_gone {
        let how = match gone.how {
            How::Fin => "the peer closed (FIN)",
            How::Reset => "the peer reset the connection (RST)",
        };
        entry(entries, gone.at, who, how);
    }
    if let Some(at) = arrival.finished {
        entry(entries, at, who, "was through with the request");
    }
}

fn answered(answer: &Answer, entries: &mut Vec<TimelineEntry>) {
    for head in &answer.informational {
        let what = format!("read informational head {}", head.status);
        entry(entries, head.at, CLIENT, what);
    }
    let framing = match answer.delimited {
        Delimited::NoBody => "no body".to_owned(),
        Delimited::Length(length) => format!("Content-Length: {length}"),
        Delimited::Chunked => "chunked".to_owned(),
        Delimited::Close => "until the connection closes".to_owned(),
        Delimited::EndStream => "until END_STREAM".to_owned(),
    };
    let what = format!("read head, status {} ({framing})", answer.status);
    entry(entries, answer.head_at, CLIENT, what);
    let pieces = answer.pieces.iter().map(|piece| (piece.at, piece.length));
    portions(entries, CLIENT, "read", pieces, answer.pieces.len());
    let what = match &answer.ended {
        Ending::Unfinished => "had read no end of the answer".to_owned(),
        ended => format!("saw the answer end: {ended} ({} bytes)", answer.length),
    };
    entry(entries, answer.end_at, CLIENT, what);
}

/// The first portions one by one, and those left out in one line.
fn portions(
    entries: &mut Vec<TimelineEntry>,
    who: &str,
    verb: &str,
    portions: impl ExactSizeIterator<Item = (Moment, u64)>,
    total: usize,
) {
    let known = portions.len();
    let mut rest = 0;
    for (index, (at, length)) in portions.enumerate() {
        if index < PORTIONS_SHOWN {
            entry(entries, at, who, format!("{verb} {length} bytes"));
            continue;
        }
        rest += length;
        if index + 1 == known {
            let mut what = format!(
                "{verb} {rest} more bytes in {} portions",
                known - PORTIONS_SHOWN
            );
            if total > known {
                let _ = write!(what, ", and {} portions more", total - known);
            }
            entry(entries, at, who, what);
        }
    }
}

fn failed(error: &ProbeError) -> String {
    let mut text = format!("failed to {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn entry(entries: &mut Vec<TimelineEntry>, at: Moment, who: &str, what: impl Into<String>) {
    entries.push(TimelineEntry {
        at,
        who: who.to_owned(),
        what: what.into(),
    });
}

const CLIENT: &str = "client";

/// Enough to see a rhythm, few enough to read.
const PORTIONS_SHOWN: usize = 12;
