//! The states before the recordings of CPA: each `given` has its builder, so that a trial runs alone and in any order.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use proxyproof_mocks::upstream::cpa::{AllowRemote, Cpa, Dialect, Model, PassthroughHeaders};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::recording::{Addresses, Recording};

/// Replays against a CPA mock in the recording's state.
pub(crate) async fn replay(recording: &Recording) -> Result<(), Failed> {
    let given = recording.given.as_str();
    let nowhere = Addresses::default();
    let cpa = configured(given).start().await?;
    let before = prepare(given, cpa.address());
    if given == "a chat completion is made 0.8 s after the start" {
        tokio::try_join!(before, recording.replay(cpa.address(), &nowhere))?;
    } else {
        before.await?;
        recording.replay(cpa.address(), &nowhere).await?;
    }
    super::write::same_writes(recording, cpa.ledger())?;
    cpa.stop().await;
    Ok(())
}

fn configured(given: &str) -> Cpa {
    let cpa = Cpa::new();
    match given {
        "no management secret" => cpa.management_key(None),
        "API keys: your-api-key-1" => cpa.api_key("your-api-key-1"),
        "streaming.keepalive-seconds 1" => {
            let slow = Model::new("m-slow2", Dialect::OpenAi).pace(Duration::from_millis(2400));
            cpa.keepalive_seconds(1).model(slow)
        }
        "nonstream-keepalive-interval 1; the provider is silent for 2 s" => {
            cpa.nonstream_keepalive(1)
        }
        "passthrough-headers true" => cpa.passthrough_headers(PassthroughHeaders::Yes),
        _ if given.starts_with("allow-remote: true") => cpa.allow_remote(AllowRemote::Yes),
        _ => cpa,
    }
}

/// What was done before the recording.
async fn prepare(given: &str, cpa: SocketAddr) -> Result<(), Failed> {
    match given {
        "3 chat completions before" => repeat(3, cpa, &completion("m-fast")).await,
        "1 record left" => ask(cpa, &completion("m-fast")).await,
        "1 failed completion (m-500) before" => ask(cpa, &completion("m-500")).await,
        "a chat completion is made 0.8 s after the start" => {
            pause(Duration::from_millis(800)).await;
            ask(cpa, &completion("m-fast")).await
        }
        "after resp-subscribe-message" => subscribed_completion(cpa).await,
        "after four-wrong-then-right, 4 more wrong keys" => {
            repeat(4, cpa, &management("Authorization: Bearer nope\r\n")).await?;
            ask(cpa, &management("Authorization: Bearer mgmt-key\r\n")).await?;
            repeat(4, cpa, &management("Authorization: Bearer nope\r\n")).await
        }
        "fresh; 4 wrong keys before" => {
            repeat(4, cpa, &management("Authorization: Bearer nope\r\n")).await
        }
        "fresh; 1 failures before" => ask(cpa, &management("")).await,
        "fresh; 3 failures before" => repeat(3, cpa, &management("")).await,
        "fresh; 4 failures before" => repeat(4, cpa, &management("")).await,
        "fresh; 5 key-less management requests before (all 401)" => {
            repeat(5, cpa, &management("")).await
        }
        "allow-remote: true; 5 key-less requests with X-Forwarded-For: 203.0.113.7 before" => {
            repeat(5, cpa, &management("X-Forwarded-For: 203.0.113.7\r\n")).await
        }
        "4 unauthenticated PINGs on other connections before; this one is the fifth failure" => {
            for _ in 0..4 {
                say(
                    cpa,
                    "*1\r\n$4\r\nPING\r\n",
                    "-NOAUTH Authentication required.\r\n",
                )
                .await?;
            }
            Ok(())
        }
        _ if given.starts_with("1 streamed gpt-5-codex response before") => {
            ask(cpa, &codex_stream()).await
        }
        ""
        | "usage queue empty"
        | "fresh; 0 failures before"
        | "no management secret"
        | "API keys: your-api-key-1"
        | "streaming.keepalive-seconds 1"
        | "nonstream-keepalive-interval 1; the provider is silent for 2 s"
        | "passthrough-headers true" => Ok(()),
        _ => Err(format!("no builder for the state `{given}`").into()),
    }
}

fn completion(model: &str) -> String {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    post("/v1/chat/completions", "", &body)
}

fn codex_stream() -> String {
    let fields = "X-Forwarded-For: 198.51.100.9, 203.0.113.7\r\nUser-Agent: ua/1\r\n";
    post(
        "/v1/responses",
        fields,
        r#"{"model":"gpt-5-codex","input":"hi","stream":true}"#,
    )
}

fn post(path: &str, fields: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: api.example.org\r\nAuthorization: Bearer test-key\r\nContent-Type: application/json\r\n{fields}\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn management(fields: &str) -> String {
    format!(
        "GET /v0/management/debug HTTP/1.1\r\nHost: api.example.org\r\n{fields}Connection: close\r\n\r\n"
    )
}

async fn repeat(times: usize, cpa: SocketAddr, request: &str) -> Result<(), Failed> {
    for _ in 0..times {
        ask(cpa, request).await?;
    }
    Ok(())
}

/// Sends a request that closes, and reads its answer to the end.
async fn ask(cpa: SocketAddr, request: &str) -> Result<(), Failed> {
    let mut stream = TcpStream::connect(cpa).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if answer.is_empty() {
        Err("no answer".into())
    } else {
        Ok(())
    }
}

/// Sends these bytes, and reads until this has come.
async fn say(cpa: SocketAddr, bytes: &str, until: &str) -> Result<TcpStream, Failed> {
    let mut stream = TcpStream::connect(cpa).await?;
    stream.write_all(bytes.as_bytes()).await?;
    read_until(&mut stream, until).await?;
    Ok(stream)
}

async fn read_until(stream: &mut TcpStream, until: &str) -> Result<(), Failed> {
    let mut text = Vec::new();
    while !text
        .windows(until.len())
        .any(|window| window == until.as_bytes())
    {
        if stream.read_buf(&mut text).await? == 0 {
            return Err(format!("ended before {until:?}").into());
        }
    }
    Ok(())
}

/// A completion whose record goes to a subscriber instead of the queue.
async fn subscribed_completion(cpa: SocketAddr) -> Result<(), Failed> {
    let subscribe =
        "*2\r\n$4\r\nAUTH\r\n$8\r\nmgmt-key\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nusage\r\n";
    let mut subscriber = say(cpa, subscribe, "{\"support_refresh\":true}\r\n").await?;
    ask(cpa, &completion("m-fast")).await?;
    read_until(&mut subscriber, "\"model\":\"m-fast\"").await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the recording was made at this pace"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
