//! One recorded exchange with an HTTP program, and its replay over one connection.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::normal_form::normal_form;

/// A line of `cpa.jsonl` or `usage.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Recording {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) given: String,
    pub(crate) send: Vec<(Send, u64)>,
    pub(crate) receive: String,
    /// Milliseconds since connect and bytes of the first reads.
    #[serde(default)]
    pub(crate) reads: Vec<(f64, usize)>,
    pub(crate) end: End,
}

/// Bytes to send as Latin-1, or the end of the sending side.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Send {
    Bytes(String),
    HalfClose { half_close: bool },
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum End {
    Open,
    Fin,
    Rst,
}

/// Where the recorded addresses are in this run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Vec<(&'static str, String)>);

impl Addresses {
    pub(crate) fn map(mut self, recorded: &'static str, here: SocketAddr) -> Self {
        self.0.push((recorded, here.to_string()));
        self
    }

    /// Bytes to send, this run's addresses in them, and the length of a body that names one set right.
    fn here(&self, sent: &str) -> Vec<u8> {
        let replace =
            |text: String, (recorded, here): &(&str, String)| text.replace(recorded, here);
        let text = self.0.iter().fold(sent.to_owned(), replace);
        let body_length = |text: &str| {
            text.split_once("\r\n\r\n")
                .map_or(0, |(_, body)| body.len())
        };
        let (old, new) = (body_length(sent), body_length(&text));
        if old == new {
            return bytes_of(&text);
        }
        let length = format!("Content-Length: {old}");
        bytes_of(&text.replace(&length, &format!("Content-Length: {new}")))
    }

    /// Received bytes with the recorded addresses in them.
    pub(crate) fn recorded(&self, received: &[u8]) -> Vec<u8> {
        if self.0.is_empty() {
            return received.to_vec();
        }
        let replace =
            |text: String, (recorded, here): &(&str, String)| text.replace(here, recorded);
        bytes_of(&self.0.iter().fold(text_of(received), replace))
    }
}

impl Recording {
    /// All lines of a file.
    pub(crate) fn all(file: &str) -> Vec<Self> {
        file.lines()
            .map(|line| serde_json::from_str(line).expect("a recording"))
            .collect()
    }

    /// The body of the request sent first.
    pub(crate) fn body(&self) -> &str {
        match self.send.first() {
            Some((Send::Bytes(text), _)) => {
                text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
            }
            _ => "",
        }
    }

    /// Sends what was sent, and compares what comes back.
    pub(crate) async fn replay(&self, to: SocketAddr, addresses: &Addresses) -> Result<(), Failed> {
        let mut stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        for (step, pause) in &self.send {
            match step {
                // A mock that has closed already is judged by what it said.
                Send::Bytes(text) => drop(stream.write_all(&addresses.here(text)).await),
                Send::HalfClose { half_close } if *half_close => drop(stream.shutdown().await),
                Send::HalfClose { .. } => {}
            }
            // The pauses make what comes between them distinguishable; they are the recording's own.
            let _ = timeout(Duration::from_millis(*pause), std::future::pending::<()>()).await;
        }
        let methods = self.methods();
        let form = |bytes: &[u8]| self.without_race(normal_form(bytes, &methods, addresses));
        let expected = form(&bytes_of(&self.receive));
        let mut received = Vec::new();
        let end = loop {
            let whole = self.end == End::Open && form(&received) == expected;
            let patience = if whole { QUIET } else { PATIENCE };
            match timeout(patience, stream.read_buf(&mut received)).await {
                Ok(Ok(0)) => break End::Fin,
                Ok(Ok(_)) => {}
                Ok(Err(_)) => break End::Rst,
                Err(_) => break End::Open,
            }
        };
        let seen = form(&received);
        if seen != expected {
            return Err(difference(&expected, &seen).into());
        }
        if end != self.end {
            return Err(format!("ended {end:?}, not {:?}", self.end).into());
        }
        Ok(())
    }

    pub(crate) fn races(&self) -> bool {
        self.id.contains("/keepalive-") && self.id.ends_with("-comment")
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.receive
            .contains("\r\nContent-Type: text/event-stream\r\n")
    }

    /// How many bytes came back before the first body.
    pub(crate) fn head_length(&self) -> usize {
        self.receive.find("\r\n\r\n").map_or(0, |end| end + 4)
    }

    /// Without the last comment where it races with the end of the stream: both are due at the same time.
    fn without_race(&self, form: String) -> String {
        if !self.races() {
            return form;
        }
        let mut comments = 0;
        let kept = form.split_inclusive('\n').filter(|line| {
            comments += usize::from(line.contains("| : keep-alive"));
            !line.contains("| : keep-alive") || comments < RACING_COMMENT
        });
        kept.collect()
    }

    /// The methods of the requests in it, in order: how an answer is framed depends on them.
    fn methods(&self) -> Vec<String> {
        let sent: String = self.send.iter().map(|(send, _)| send.text()).collect();
        let method = |line: &str| {
            let mut words = line.trim_end().split(' ');
            let (method, last) = (words.next()?, words.next_back()?);
            // A request may stand right behind the body before it.
            let method = method
                .rsplit(|letter: char| !letter.is_ascii_alphabetic())
                .next()?;
            last.starts_with("HTTP/").then(|| method.to_owned())
        };
        sent.lines().filter_map(method).collect()
    }
}

impl Send {
    fn text(&self) -> &str {
        match self {
            Self::Bytes(text) => text,
            Self::HalfClose { .. } => "",
        }
    }
}

/// The first lines that differ.
fn difference(expected: &str, seen: &str) -> String {
    let same = expected
        .lines()
        .zip(seen.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let shown = |text: &str| match text
        .lines()
        .skip(same)
        .take(3)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => "(nothing more)".to_owned(),
        lines => lines.join("\n            "),
    };
    let (expected, seen) = (shown(expected), shown(seen));
    format!("after {same} lines alike\n  recorded: {expected}\n  mock:     {seen}")
}

/// Latin-1, as the recordings write bytes.
pub(crate) fn bytes_of(text: &str) -> Vec<u8> {
    text.chars()
        .map(|byte| u8::try_from(u32::from(byte)).expect("Latin-1"))
        .collect()
}

pub(crate) fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// The stream takes 12 s, with a comment every second.
const RACING_COMMENT: usize = 12;
/// How long nothing has to come for a connection to count as open.
const QUIET: Duration = Duration::from_millis(50);
/// Longer than the program's own ten seconds; only what fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
