//! A client of HTTP/1.1 as Go's, for what the service asks others itself.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::base_url::BaseUrl;
use super::dial::{broken, dial};
use crate::wire::http1::{AnswerDecoder, AnswerEnd, AnswerEvent, AnswerHead, Asked};

/// An answer read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Status code and reason as received, such as `401 Unauthorized`.
    pub(super) status_line: String,
    pub(super) body: Vec<u8>,
}

/// Gets `path`, which is absolute, from the host of `base`; redirects are followed.
///
/// # Errors
/// With the text of Go's `url.Error`.
pub(super) async fn get(
    base: &BaseUrl,
    path: &str,
    fields: &[(&str, &str)],
    within: Duration,
) -> Result<Answer, String> {
    let following = follow(base.clone(), path.to_owned(), fields);
    match timeout(within, following).await {
        Ok(result) => result,
        Err(_) => {
            let url = format!("{}://{}{path}", base.scheme(), base.authority());
            Err(format!(
                "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            ))
        }
    }
}

async fn follow(
    mut base: BaseUrl,
    mut path: String,
    fields: &[(&str, &str)],
) -> Result<Answer, String> {
    let first_host = base.authority().to_owned();
    for _ in 0..=REDIRECT_LIMIT {
        let shown = format!("{}://{}{path}", base.scheme(), base.authority());
        // Credentials stay with the host they were meant for.
        let fields = if base.authority() == first_host {
            fields
        } else {
            &[]
        };
        let answer = get_once(&base, &path, fields)
            .await
            .map_err(|reason| format!("Get \"{shown}\": {reason}"));
        let (head, body) = answer?;
        match head
            .raw
            .first("Location")
            .filter(|_| matches!(head.status, 301 | 302 | 303 | 307 | 308))
        {
            Some(location) => (base, path) = resolve(base, &path, &location),
            None => {
                return Ok(Answer {
                    status: head.status,
                    status_line: status_line(&head),
                    body,
                });
            }
        }
    }
    Err(format!(
        "Get \"{path}\": stopped after {REDIRECT_LIMIT} redirects"
    ))
}

async fn get_once(
    base: &BaseUrl,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<(AnswerHead, Vec<u8>), String> {
    let mut stream = connect(base, DIAL_TIMEOUT).await?;
    let path = if path.is_empty() { "/" } else { path };
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\n",
        base.authority()
    );
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Accept-Encoding: gzip\r\n\r\n");
    stream
        .write_all(head.as_bytes())
        .await
        .map_err(|error| broken(&stream, "write", &error))?;
    read_answer(&mut stream).await
}

/// Connects to the host of `base`.
///
/// # Errors
/// With Go's reason.
pub(super) async fn connect(base: &BaseUrl, within: Duration) -> Result<TcpStream, String> {
    let (host, port) = base.address();
    match base.scheme().as_str() {
        "http" => dial(&host, port, within).await,
        "https" => {
            // None of the programs here speaks TLS, so the handshake can only end in this.
            dial(&host, port, within).await?;
            Err("http: server gave HTTP response to HTTPS client".to_owned())
        }
        other => Err(format!("unsupported protocol scheme \"{other}\"")),
    }
}

async fn read_answer(stream: &mut TcpStream) -> Result<(AnswerHead, Vec<u8>), String> {
    let mut decoder = AnswerDecoder::new(Asked::Other);
    let (mut buffer, mut head, mut body) = (BytesMut::new(), None, Vec::new());
    loop {
        match decoder
            .decode(&mut buffer)
            .map_err(|_| malformed(&buffer))?
        {
            AnswerEvent::Head(read) => head = Some(read),
            AnswerEvent::Data(data) if body.len() + data.len() > BODY_LIMIT => {
                return Err("http: response body too large".to_owned());
            }
            AnswerEvent::Data(data) => body.extend_from_slice(&data),
            AnswerEvent::Interim(_) | AnswerEvent::ChunkEnd => {}
            AnswerEvent::End(_) => {
                return head
                    .map(|head| (head, body))
                    .ok_or_else(|| "EOF".to_owned());
            }
            AnswerEvent::More => {
                let read = stream.read_buf(&mut buffer).await;
                if read.map_err(|error| broken(stream, "read", &error))? > 0 {
                    continue;
                }
                return match (decoder.end_of_connection(&buffer), head) {
                    (AnswerEnd::Complete, Some(head)) => Ok((head, body)),
                    (AnswerEnd::BeforeHead, _) => Err("EOF".to_owned()),
                    _ => Err("unexpected EOF".to_owned()),
                };
            }
        }
    }
}

/// Go's words for an answer that is none.
pub(super) fn malformed(received: &[u8]) -> String {
    let line = received
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
    format!("net/http: HTTP/1.x transport connection broken: malformed HTTP response {line:?}")
}

fn status_line(head: &AnswerHead) -> String {
    let line = String::from_utf8_lossy(head.raw.start_line()).into_owned();
    line.split_once(' ').map_or_else(
        || head.status.to_string(),
        |(_, rest)| rest.trim().to_owned(),
    )
}

/// Where a redirect leads.
fn resolve(base: BaseUrl, path: &str, location: &str) -> (BaseUrl, String) {
    if location.contains("://") {
        let path = location
            .splitn(4, '/')
            .nth(3)
            .map_or_else(|| "/".to_owned(), |rest| format!("/{rest}"));
        let other = BaseUrl::normalized(location).unwrap_or(base);
        return (other, path);
    }
    if location.starts_with('/') {
        return (base, location.to_owned());
    }
    let directory = path.rfind('/').map_or("/", |end| &path[..=end]);
    let relative = format!("{directory}{location}");
    (base, relative)
}

const REDIRECT_LIMIT: usize = 10;
/// Go's default transport.
pub(super) const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
/// More than any answer the service asks for; the real program has no bound.
const BODY_LIMIT: usize = 64 << 20;
