//! The CPA mock over real sockets, where no recording goes: what one request does to the next.

#[expect(dead_code, reason = "no request here carries a probe id")]
mod raw_client;

use std::time::Duration;

use bytes::BytesMut;
use proxyproof_mocks::upstream::RunningUpstream;
use proxyproof_mocks::upstream::cpa::{Cpa, Dialect, End, Model, Turn, UsageStatistics};
use proxyproof_mocks::wire::websocket::{Frame, take_frame};
use raw_client::{PATIENCE, RawClient};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

#[tokio::test]
async fn a_stream_whose_client_leaves_is_recorded_as_failed() {
    let long = Turn::saying(vec!["x"; 10_000]);
    let model = Model::new("endless", Dialect::OpenAi)
        .turn(long)
        .pace(Duration::from_millis(10));
    let cpa = Cpa::new().model(model).start().await.expect("binds");
    let mut client = RawClient::connect(cpa.address()).await;
    client
        .send(chat(r#"{"model":"endless","messages":[],"stream":true}"#))
        .await;
    client
        .read_until("\"delta\":{\"content\":\"x\"},\"finish_reason\":null}]}\n\n\r\n")
        .await;
    drop(client);

    let record = record(&cpa).await;
    assert_eq!(record["failed"], true);
    assert_eq!(record["fail"]["status_code"], 499);
    assert_eq!(record["model"], "endless");
}

#[tokio::test]
async fn keys_and_statistics_change_while_it_runs() {
    let cpa = Cpa::new()
        .usage_statistics(UsageStatistics::Off)
        .start()
        .await
        .expect("binds");
    let ask = r#"{"model":"m-fast","messages":[]}"#;
    assert!(exchange(&cpa, chat(ask)).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(queue(&cpa).await, json!([]));

    manage(&cpa, "usage-statistics-enabled", r#"{"value":true}"#).await;
    exchange(&cpa, chat(ask)).await;
    assert_eq!(queue(&cpa).await[0]["model"], "m-fast");

    manage(&cpa, "api-keys", r#"["another"]"#).await;
    assert!(exchange(&cpa, chat(ask)).await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test]
async fn own_models_answer_by_their_data() {
    let cpa = Cpa::new()
        .models([Model::new("teapot", Dialect::OpenAi).end(End::Refused(418))])
        .start()
        .await
        .expect("binds");
    let answer = exchange(&cpa, chat(r#"{"model":"teapot","messages":[]}"#)).await;
    assert!(
        answer.starts_with("HTTP/1.1 418 I'm a teapot\r\n"),
        "{answer}"
    );
    let answer = exchange(&cpa, chat(r#"{"model":"m-fast","messages":[]}"#)).await;
    assert!(
        answer.contains("unknown provider for model m-fast"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_follow_up_names_the_response_of_the_pre_warm() {
    let cpa = Cpa::new().start().await.expect("binds");
    let mut socket = Socket::connect(&cpa).await;
    socket
        .say(&json!({
            "type": "response.create",
            "model": "m-fast",
            "instructions": "be brief",
            "input": [],
            "generate": false,
        }))
        .await;
    let warm = socket.until("response.completed").await;
    let id = warm["response"]["id"].clone();

    socket
        .say(&json!({"type": "response.create", "previous_response_id": "resp_x", "input": []}))
        .await;
    assert_eq!(
        socket.next().await["error"]["code"],
        "previous_response_not_found"
    );

    socket
        .say(&json!({"type": "response.create", "previous_response_id": id, "input": []}))
        .await;
    let completed = socket.until("response.completed").await;
    assert_eq!(completed["response"]["model"], "m-fast");
    assert_eq!(completed["response"]["instructions"], "be brief");
    assert_eq!(completed["response"].get("previous_response_id"), None);
}

struct Socket {
    client: RawClient,
    buffer: BytesMut,
}

impl Socket {
    async fn connect(cpa: &RunningUpstream) -> Self {
        let mut client = RawClient::connect(cpa.address()).await;
        client
            .send(
                "GET /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer test-key\r\n\
                 Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            )
            .await;
        client.read_until("\r\n\r\n").await;
        Self {
            client,
            buffer: BytesMut::new(),
        }
    }

    async fn say(&mut self, message: &Value) {
        let frame = Frame::text(message.to_string()).masked([1, 2, 3, 4]);
        self.client.send(frame.to_bytes()).await;
    }

    async fn next(&mut self) -> Value {
        loop {
            let frame = take_frame(&mut self.buffer, 1 << 20).expect("frames are short");
            if let Some(frame) = frame {
                return serde_json::from_slice(&frame.payload).expect("JSON");
            }
            let read = self.client.stream.read_buf(&mut self.buffer);
            let read = tokio::time::timeout(PATIENCE, read).await;
            assert_ne!(read.expect("in time").expect("reads"), 0, "ended");
        }
    }

    async fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] == kind {
                return event;
            }
        }
    }
}

/// The next usage record: it is published when the answer is over, which a client cannot see.
async fn record(cpa: &RunningUpstream) -> Value {
    let wait = async {
        loop {
            let mut records = queue(cpa).await;
            if let Some(record) = records.as_array_mut().and_then(Vec::pop) {
                return record;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .expect("a record")
}

async fn queue(cpa: &RunningUpstream) -> Value {
    let request = "GET /v0/management/usage-queue HTTP/1.1\r\nHost: a\r\n\
                   Authorization: Bearer mgmt-key\r\nConnection: close\r\n\r\n";
    let answer = exchange(cpa, request.to_owned()).await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("JSON")
}

async fn manage(cpa: &RunningUpstream, setting: &str, body: &str) {
    let request = format!(
        "PUT /v0/management/{setting} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer mgmt-key\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(cpa, request).await;
    assert!(answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
}

async fn exchange(cpa: &RunningUpstream, request: String) -> String {
    let mut client = RawClient::connect(cpa.address()).await;
    client.send(request).await;
    client.read_to_end().await.0
}

fn chat(body: &str) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer test-key\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
