//! RESP on CPA's port: the usage queue for those who fetch it like a Redis list.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::state::State;
use crate::upstream::{RespConnection, RespError};

/// Serves one connection until it ends.
pub(crate) async fn serve_resp(state: &State, mut connection: RespConnection) {
    if !state.manages() {
        return;
    }
    let mut session = Session {
        state,
        authenticated: false,
    };
    loop {
        let words = match connection.command().await {
            Ok(Some(words)) => words,
            Ok(None) | Err(RespError::Ended) => return,
            Err(RespError::Protocol) => {
                let _ = connection.write(b"-ERR protocol error\r\n").await;
                return;
            }
        };
        let reply = session.reply(&words, &connection);
        let next = match reply {
            Reply::Bytes(bytes) => connection.write(&bytes).await,
            Reply::Subscribed(channel) => {
                return subscription(state, channel, connection).await;
            }
        };
        if next.is_err() {
            return;
        }
    }
}

struct Session<'a> {
    state: &'a State,
    authenticated: bool,
}

enum Reply {
    Bytes(Vec<u8>),
    Subscribed(Channel),
}

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Usage,
    Errors,
}

impl Channel {
    const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Errors => "errors",
        }
    }
}

impl Session<'_> {
    fn reply(&mut self, words: &[Bytes], connection: &RespConnection) -> Reply {
        let Some((command, arguments)) = words.split_first() else {
            return error("ERR empty command");
        };
        let command = String::from_utf8_lossy(command).trim().to_ascii_lowercase();
        if command == "auth" {
            return self.authenticate(arguments, connection);
        }
        if !self.authenticated {
            return self.unauthenticated(connection);
        }
        match command.as_str() {
            "lpop" | "rpop" => self.pop(&command, arguments),
            "subscribe" => subscribe(arguments),
            _ => error(&format!("ERR unknown command '{command}'")),
        }
    }

    fn authenticate(&mut self, arguments: &[Bytes], connection: &RespConnection) -> Reply {
        let ([key] | [_, key]) = arguments else {
            return error("ERR wrong number of arguments for 'auth' command");
        };
        let key = String::from_utf8_lossy(key);
        let address = connection.peer().ip().to_canonical();
        match self.state.admit_management(address, &key) {
            Ok(()) => {
                self.authenticated = true;
                Reply::Bytes(b"+OK\r\n".to_vec())
            }
            Err(refusal) => error(&format!("ERR {}", refusal.message())),
        }
    }

    /// A command before AUTH counts as a failure of management authentication.
    fn unauthenticated(&self, connection: &RespConnection) -> Reply {
        let address = connection.peer().ip().to_canonical();
        match self.state.admit_management(address, "") {
            Err(super::management::Refusal::KeyMissing) | Ok(()) => {
                error("NOAUTH Authentication required.")
            }
            Err(refusal) => error(&format!("ERR {}", refusal.message())),
        }
    }

    fn pop(&self, command: &str, arguments: &[Bytes]) -> Reply {
        let (key, count) = match arguments {
            [key] => (key, None),
            [key, count] => (key, Some(String::from_utf8_lossy(count))),
            _ => {
                let message = format!("ERR wrong number of arguments for '{command}' command");
                return error(&message);
            }
        };
        let key = String::from_utf8_lossy(key);
        if key != Channel::Usage.name() {
            return error(&format!("ERR unsupported channel '{key}'"));
        }
        let Some(count) = count else {
            let record = self.state.queue().pop(1, Instant::now()).pop();
            return Reply::Bytes(
                record.map_or_else(|| b"$-1\r\n".to_vec(), |record| bulk(&record)),
            );
        };
        match count.parse::<usize>() {
            Ok(count) if count > 0 => {
                let records = self.state.queue().pop(count, Instant::now());
                Reply::Bytes(array(records.iter().map(|record| bulk(record))))
            }
            _ => error("ERR value is not an integer or out of range"),
        }
    }
}

fn subscribe(arguments: &[Bytes]) -> Reply {
    let [channel] = arguments else {
        return error("ERR wrong number of arguments for 'subscribe' command");
    };
    match channel.as_ref() {
        b"usage" => Reply::Subscribed(Channel::Usage),
        b"errors" => Reply::Subscribed(Channel::Errors),
        other => error(&format!(
            "ERR unsupported channel '{}'",
            String::from_utf8_lossy(other)
        )),
    }
}

/// Serves a connection that has subscribed.
async fn subscription(state: &State, channel: Channel, mut connection: RespConnection) {
    // The sender of a channel nobody publishes on is kept, so that its receiver waits.
    let (_silent, silence) = mpsc::channel(1);
    let mut records = match channel {
        Channel::Usage => state.queue().subscribe(),
        Channel::Errors => silence,
    };
    if connection.write(&confirmation(channel)).await.is_err() {
        return;
    }
    loop {
        let written = tokio::select! {
            words = connection.command() => {
                let Ok(Some(words)) = words else { return };
                let (bytes, ends) = subscribed_reply(channel, &words);
                let written = connection.write(&bytes).await;
                if ends {
                    return;
                }
                written
            }
            Some(record) = records.recv() => {
                connection.write(&message(channel, &record)).await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// The reply to a command in subscribe mode, and whether it ends the connection.
fn subscribed_reply(channel: Channel, words: &[Bytes]) -> (Vec<u8>, bool) {
    let Some((command, arguments)) = words.split_first() else {
        return (b"-ERR empty command\r\n".to_vec(), false);
    };
    let command = String::from_utf8_lossy(command).trim().to_ascii_lowercase();
    match command.as_str() {
        "ping" => {
            let payload = match arguments {
                [payload, ..] => bulk(&String::from_utf8_lossy(payload)),
                [] => b"$-1\r\n".to_vec(),
            };
            (array([bulk("pong"), payload].into_iter()), false)
        }
        "unsubscribe" => {
            let parts = [
                bulk("unsubscribe"),
                bulk(channel.name()),
                b":0\r\n".to_vec(),
            ];
            (array(parts.into_iter()), true)
        }
        "quit" => (b"+OK\r\n".to_vec(), true),
        other => (
            format!("-ERR unknown command '{other}'\r\n").into_bytes(),
            false,
        ),
    }
}

fn confirmation(channel: Channel) -> Vec<u8> {
    let parts = [bulk("subscribe"), bulk(channel.name()), b":1\r\n".to_vec()];
    let mut bytes = array(parts.into_iter());
    if channel == Channel::Usage {
        bytes.extend(message(channel, r#"{"support_refresh":true}"#));
    }
    bytes
}

fn message(channel: Channel, payload: &str) -> Vec<u8> {
    array([bulk("message"), bulk(channel.name()), bulk(payload)].into_iter())
}

fn error(message: &str) -> Reply {
    Reply::Bytes(format!("-{message}\r\n").into_bytes())
}

fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

fn array(parts: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", parts.len()).into_bytes();
    bytes.extend(parts.flatten());
    bytes
}
