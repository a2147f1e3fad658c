//! A client of RESP as CPA-Manager's.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dial::broken;
use crate::wire::resp::{Reply, command};

/// A RESP connection to CPA.
pub(super) struct RespClient {
    stream: TcpStream,
    buffer: BytesMut,
}

impl RespClient {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// Sends a command and reads its reply; an error reply is an error.
    ///
    /// # Errors
    /// With Go's reason, or the text of the error reply.
    pub(super) async fn ask(&mut self, words: &[&str]) -> Result<Reply, String> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        match timeout(IO_TIMEOUT, self.exchange(&command(&words))).await {
            Ok(Ok(Reply::Error(text))) => Err(String::from_utf8_lossy(&text).into_owned()),
            Ok(result) => result,
            Err(_) => Err(
                broken(&self.stream, "read", &std::io::ErrorKind::TimedOut.into())
                    .replace("connection timed out", "i/o timeout"),
            ),
        }
    }

    async fn exchange(&mut self, command: &[u8]) -> Result<Reply, String> {
        let written = self.stream.write_all(command).await;
        written.map_err(|error| broken(&self.stream, "write", &error))?;
        loop {
            if let Some(first) = self
                .buffer
                .first()
                .filter(|first| !PREFIXES.contains(first))
            {
                return Err(format!(
                    "unsupported RESP prefix '{}'",
                    first.escape_ascii()
                ));
            }
            match Reply::take(&mut self.buffer) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(reason) => return Err(reason.to_string()),
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read.map_err(|error| broken(&self.stream, "read", &error))? {
                0 if self.buffer.is_empty() => return Err("EOF".to_owned()),
                0 => return Err("unexpected EOF".to_owned()),
                _ => {}
            }
        }
    }
}

/// The records in a reply to a pop.
pub(super) fn records(reply: Reply) -> Result<Vec<Vec<u8>>, String> {
    match reply {
        Reply::Bulk(None) | Reply::Array(None) => Ok(Vec::new()),
        Reply::Bulk(Some(text)) | Reply::Simple(text) if text.is_empty() => Ok(Vec::new()),
        Reply::Bulk(Some(text)) | Reply::Simple(text) => Ok(vec![text.to_vec()]),
        Reply::Array(Some(items)) => Ok(items.into_iter().filter_map(text).collect()),
        Reply::Integer(_) | Reply::Error(_) => Err("unexpected RESP pop response int64".to_owned()),
    }
}

fn text(reply: Reply) -> Option<Vec<u8>> {
    match reply {
        Reply::Bulk(Some(text)) | Reply::Simple(text) => Some(text.to_vec()),
        _ => None,
    }
}

const PREFIXES: &[u8] = b"+-:$*_";
const IO_TIMEOUT: Duration = Duration::from_secs(30);
