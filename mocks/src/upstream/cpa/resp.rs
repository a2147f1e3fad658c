//! RESP on CPA's port: the usage queue for those who fetch it like a Redis list.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::management::Refusal;
use super::state::State;
use crate::upstream::{RespConnection, RespError};
use crate::wire::resp::Reply;

/// Serves one connection until it ends; where management is off, it ends at once.
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
                // The connection ends either way.
                let _ = write(&mut connection, &error("ERR protocol error")).await;
                return;
            }
        };
        let written = match session.turn(&words, &connection) {
            Turn::Reply(reply) => write(&mut connection, &reply).await,
            Turn::Subscribed(channel) => return subscription(state, channel, connection).await,
        };
        if written.is_err() {
            return;
        }
    }
}

struct Session<'a> {
    state: &'a State,
    authenticated: bool,
}

/// What a command brings.
enum Turn {
    Reply(Reply),
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
    fn turn(&mut self, words: &[Bytes], connection: &RespConnection) -> Turn {
        let Some((command, arguments)) = words.split_first() else {
            return Turn::Reply(error("ERR empty command"));
        };
        let command = command_name(command);
        if command == "auth" {
            return Turn::Reply(self.authenticate(arguments, connection));
        }
        if !self.authenticated {
            return Turn::Reply(self.unauthenticated(connection));
        }
        match command.as_str() {
            "lpop" | "rpop" => Turn::Reply(self.pop(&command, arguments)),
            "subscribe" => subscribe(arguments),
            _ => Turn::Reply(unknown(&command)),
        }
    }

    fn authenticate(&mut self, arguments: &[Bytes], connection: &RespConnection) -> Reply {
        let ([key] | [_, key]) = arguments else {
            return wrong_arguments("auth");
        };
        let key = String::from_utf8_lossy(key);
        let address = connection.peer().ip().to_canonical();
        match self.state.admit_management(address, &key) {
            Ok(()) => {
                self.authenticated = true;
                Reply::Simple("OK".into())
            }
            Err(refusal) => error(&format!("ERR {}", refusal.message())),
        }
    }

    /// A command before AUTH counts as a failure of management authentication.
    fn unauthenticated(&self, connection: &RespConnection) -> Reply {
        let address = connection.peer().ip().to_canonical();
        match self.state.admit_management(address, "") {
            Err(Refusal::KeyMissing) | Ok(()) => error("NOAUTH Authentication required."),
            Err(refusal) => error(&format!("ERR {}", refusal.message())),
        }
    }

    /// Both ends of the list give the oldest record.
    fn pop(&self, command: &str, arguments: &[Bytes]) -> Reply {
        let (key, count) = match arguments {
            [key] => (key, None),
            [key, count] => (key, Some(String::from_utf8_lossy(count))),
            _ => return wrong_arguments(command),
        };
        let key = String::from_utf8_lossy(key);
        if key != Channel::Usage.name() {
            return unsupported(&key);
        }
        let pop = |count| self.state.queue().pop(count, Instant::now());
        let Some(count) = count else {
            return Reply::Bulk(pop(1).pop().map(Bytes::from));
        };
        match count.parse::<usize>() {
            Ok(count) if count > 0 => {
                Reply::Array(Some(pop(count).into_iter().map(bulk).collect()))
            }
            _ => error("ERR value is not an integer or out of range"),
        }
    }
}

fn subscribe(arguments: &[Bytes]) -> Turn {
    let [channel] = arguments else {
        return Turn::Reply(wrong_arguments("subscribe"));
    };
    match channel.as_ref() {
        b"usage" => Turn::Subscribed(Channel::Usage),
        b"errors" => Turn::Subscribed(Channel::Errors),
        other => Turn::Reply(unsupported(&String::from_utf8_lossy(other))),
    }
}

/// Serves a connection that has subscribed.
async fn subscription(state: &State, channel: Channel, mut connection: RespConnection) {
    // Nobody publishes errors here: the sender is kept, so that the receiver waits.
    let (_silent, silence) = mpsc::channel(1);
    let mut records = match channel {
        Channel::Usage => state.queue().subscribe(),
        Channel::Errors => silence,
    };
    let mut greeting = Vec::new();
    event("subscribe", channel, Reply::Integer(1)).encode(&mut greeting);
    if channel == Channel::Usage {
        event("message", channel, bulk(REFRESH)).encode(&mut greeting);
    }
    if connection.write(&greeting).await.is_err() {
        return;
    }
    loop {
        let written = tokio::select! {
            words = connection.command() => {
                let Ok(Some(words)) = words else { return };
                let (reply, next) = subscribed_turn(channel, &words);
                let written = write(&mut connection, &reply).await;
                if next == Next::End {
                    return;
                }
                written
            }
            Some(record) = records.recv() => {
                write(&mut connection, &event("message", channel, bulk(record))).await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// Whether a subscription goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Command,
    End,
}

fn subscribed_turn(channel: Channel, words: &[Bytes]) -> (Reply, Next) {
    let Some((command, arguments)) = words.split_first() else {
        return (error("ERR empty command"), Next::Command);
    };
    match command_name(command).as_str() {
        "ping" => {
            let payload = Reply::Bulk(arguments.first().cloned());
            (
                Reply::Array(Some(vec![bulk("pong"), payload])),
                Next::Command,
            )
        }
        "unsubscribe" => (event("unsubscribe", channel, Reply::Integer(0)), Next::End),
        "quit" => (Reply::Simple("OK".into()), Next::End),
        other => (unknown(other), Next::Command),
    }
}

async fn write(connection: &mut RespConnection, reply: &Reply) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    reply.encode(&mut bytes);
    connection.write(&bytes).await
}

fn command_name(word: &[u8]) -> String {
    String::from_utf8_lossy(word).trim().to_ascii_lowercase()
}

fn event(kind: &'static str, channel: Channel, content: Reply) -> Reply {
    Reply::Array(Some(vec![bulk(kind), bulk(channel.name()), content]))
}

fn bulk(text: impl Into<Bytes>) -> Reply {
    Reply::Bulk(Some(text.into()))
}

fn wrong_arguments(command: &str) -> Reply {
    error(&format!(
        "ERR wrong number of arguments for '{command}' command"
    ))
}

fn unsupported(channel: &str) -> Reply {
    error(&format!("ERR unsupported channel '{channel}'"))
}

fn unknown(command: &str) -> Reply {
    error(&format!("ERR unknown command '{command}'"))
}

fn error(message: &str) -> Reply {
    Reply::Error(Bytes::copy_from_slice(message.as_bytes()))
}

/// The first message of a subscription to records.
const REFRESH: &str = r#"{"support_refresh":true}"#;
