//! One recorded exchange with an HTTP program, and its replay over one connection.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::canonical::{canonical, with_true_length};

/// A line of `cpa.jsonl` or `usage.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Recording {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) given: String,
    pub(crate) send: Vec<(Send, u64)>,
    pub(crate) receive: String,
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

    fn here(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (recorded, here)| {
                text.replace(recorded, here)
            })
    }

    pub(crate) fn recorded(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (recorded, here)| {
                text.replace(here, recorded)
            })
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
                Send::Bytes(text) => {
                    let text = with_true_length(&addresses.here(text));
                    stream.write_all(&bytes_of(&text)).await?;
                }
                Send::HalfClose { half_close } if *half_close => stream.shutdown().await?,
                Send::HalfClose { .. } => {}
            }
            // The pauses make what comes between them distinguishable; they are the recording's own.
            let _ = timeout(Duration::from_millis(*pause), std::future::pending::<()>()).await;
        }
        let expected = canonical(&self.receive, addresses)?;
        let mut received = Vec::new();
        let end = loop {
            let seen = canonical(&text_of(&received), addresses);
            let whole = self.end == End::Open && seen.is_ok_and(|seen| seen == expected);
            let patience = if whole { QUIET } else { PATIENCE };
            match timeout(patience, stream.read_buf(&mut received)).await {
                Ok(Ok(0)) => break End::Fin,
                Ok(Ok(_)) => {}
                Ok(Err(_)) => break End::Rst,
                Err(_) => break End::Open,
            }
        };
        let seen = canonical(&text_of(&received), addresses)?;
        if (seen.as_str(), end) == (expected.as_str(), self.end) {
            return Ok(());
        }
        Err(format!(
            "expected, {:?}:\n{expected}\nseen, {end:?}:\n{seen}",
            self.end
        )
        .into())
    }
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

/// How long nothing has to come for a connection to count as open.
const QUIET: Duration = Duration::from_millis(50);
/// Longer than the program's own ten seconds; only what fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
