//! The tunnel front against recordings of the real one: one trial for each line of `front.jsonl`.

mod client;
mod destinations;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::front::{
    AcceptProxy, FallbackTable, Front, Inbound, MinimumTls, RunningFront, UnknownNames,
};
use serde::Deserialize;
use serde_json::Value;

use self::client::{Answer, Ended};
use self::destinations::Destinations;

/// One recorded connection.
#[derive(Clone, Deserialize)]
pub(crate) struct Recording {
    id: String,
    protocol: Option<String>,
    fallbacks: Value,
    server_alpn: Option<Vec<String>>,
    #[serde(default)]
    server_tls: Value,
    #[serde(default)]
    sockopt: Value,
    refused: Option<String>,
    client: Option<Client>,
    negotiated: Option<String>,
    handshake_error: Option<String>,
    dest: Option<String>,
    backend_received: Option<Vec<String>>,
    source_port: Option<u16>,
    client_received: Option<String>,
    client_end: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Client {
    sni: Option<String>,
    alpn: Vec<String>,
    send: Vec<(String, u64)>,
    pre: Option<String>,
    #[serde(default)]
    raw: bool,
    src: Option<IpAddr>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let lines = include_str!("../exchanges/front.jsonl").lines();
    let recordings =
        lines.map(|line| serde_json::from_str::<Recording>(line).expect("a recording"));
    recordings
        .map(|recording| Trial::test(crate::trial_name(&recording.id), || run(recording)))
        .collect()
}

fn run(recording: Recording) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move { replay(&recording).await })
}

async fn replay(recording: &Recording) -> Result<(), Failed> {
    let inbound = match recording.protocol.as_deref() {
        Some("trojan") => Inbound::Trojan,
        _ => Inbound::Vless,
    };
    let table = FallbackTable::read(&recording.fallbacks, inbound);
    let (table, Some(client)) = (
        match (table, &recording.refused) {
            (Err(reason), Some(expected)) => return same("refusal", &reason.to_string(), expected),
            (Ok(_), Some(expected)) => return Err(format!("not refused with: {expected}").into()),
            (table, None) => table?,
        },
        &recording.client,
    ) else {
        return Err("a recording without a client".into());
    };
    let destinations = Destinations::start(recording).await?;
    let front = front(recording, destinations.redirect(table)).await?;
    let answer = client::connect(client, front.address(), &destinations, recording).await?;
    judge(recording, &front, &destinations, &answer)
}

async fn front(recording: &Recording, table: FallbackTable) -> std::io::Result<RunningFront> {
    let leaf = Authority::generate()
        .wildcard("example.org")
        .expect("a plain name");
    let mut front = Front::new(table, leaf);
    if let Some(protocols) = &recording.server_alpn {
        front = front.alpn(&protocols.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if recording.sockopt["acceptProxyProtocol"] == true {
        front = front.accept_proxy(AcceptProxy::Required);
    }
    if recording.server_tls["rejectUnknownSni"] == true {
        front = front.unknown_names(UnknownNames::Reject);
    }
    if recording.server_tls["minVersion"] == "1.3" {
        front = front.minimum_tls(MinimumTls::V13);
    }
    front.start().await
}

fn judge(
    recording: &Recording,
    front: &RunningFront,
    destinations: &Destinations,
    answer: &Answer,
) -> Result<(), Failed> {
    same(
        "handshake error",
        &answer.handshake_error,
        &recording.handshake_error,
    )?;
    if answer.handshake_error.is_none() {
        same(
            "negotiated protocol",
            &answer.negotiated,
            &recording.negotiated,
        )?;
        same(
            "bytes at the client",
            &answer.received,
            &recording.client_received,
        )?;
        same(
            "end at the client",
            &answer.ended.map(Ended::name),
            &recording.client_end.as_deref(),
        )?;
    }
    same("destination", &destinations.reached(), &recording.dest)?;
    let expected = recording
        .backend_received
        .as_ref()
        .map(|reads| reads.concat());
    let expected = expected.map(|text| masked(&text, recording, answer.address, front.address()));
    same(
        "bytes at the destination",
        &destinations.received(),
        &expected,
    )
}

/// Puts this run's ports in the place of the recorded ones.
fn masked(text: &str, recording: &Recording, client: SocketAddr, front: SocketAddr) -> String {
    let binary = |port: u16| {
        port.to_be_bytes()
            .map(char::from)
            .iter()
            .collect::<String>()
    };
    let text = text.replace("<sport>", &client.port().to_string());
    let text = text.replace(" 8443\r\n", &format!(" {}\r\n", front.port()));
    match recording.source_port {
        Some(port) => text
            .replace(&binary(port), &binary(client.port()))
            .replace(&binary(8443), &binary(front.port())),
        None => text,
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    seen: &T,
    expected: &T,
) -> Result<(), Failed> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{what}\n  expected {expected:?}\n  seen     {seen:?}").into())
}

fn bytes_of(latin1: &str) -> Vec<u8> {
    latin1
        .chars()
        .map(|byte| u8::try_from(u32::from(byte)).expect("Latin-1"))
        .collect()
}

fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Long enough for a loaded machine; only a failing trial waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
