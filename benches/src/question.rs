//! What a measure asks of a proxy, and what the upstream answers.

use std::io;
use std::time::Duration;

use proxyproof_harness::{HarnessError, RunningStage};
use proxyproof_mocks::ledger::Arrival;
use proxyproof_mocks::{EventFraming, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::OnceCell;

use crate::contest::ContestError;
use crate::load::{Expected, Target, Tls};
use crate::profile::{Ask, Http, Measure};

/// What is asked of a proxy, or of the upstream itself; how many events a stream of the upstream has is asked once.
pub(crate) async fn target(
    stage: &RunningStage,
    through: bool,
    measure: &Measure,
    known: &OnceCell<u32>,
) -> Result<Target, ContestError> {
    let host = &stage.deployment().hosts.api;
    let direct = stage.cpa().address();
    let protocol = through.then(|| measure.way());
    if let Some(protocol) = protocol.filter(|protocol| !stage.offers(*protocol)) {
        return Err(ContestError::Unspoken {
            contender: stage.candidate().name.clone(),
            protocol,
        });
    }
    let address = protocol.map_or(direct, |protocol| stage.listener(protocol));
    let tls = match protocol.filter(|protocol| stage.trust(*protocol).is_some()) {
        Some(protocol) => {
            let authority = stage.authority().certificate_der();
            let tls = Tls::new(authority, host, protocol.alpn());
            Some(tls.map_err(ContestError::Client)?)
        }
        None => None,
    };
    let target = match measure.ask {
        Ask::Health if measure.protocol == Http::H2 && through => {
            Target::get_h2(address, host, "/healthz", HEALTHY, measure.streams)
        }
        Ask::Health => Target::get(address, host, "/healthz", HEALTHY),
        Ask::Upload => {
            let body = vec![b'x'; measure.body];
            let stored = Expected::Whole {
                status: 200,
                body: STORED.as_bytes().to_vec(),
            };
            Target::post(address, host, UPLOADED_TO, &[], &body, stored)
        }
        Ask::RoundTrips | Ask::IdleSockets => {
            Target::ping(address, host, "/v1/responses", "X-Api-Key: test-key\r\n")
        }
        Ask::Events | Ask::IdleStreams => {
            let path = "/v1/chat/completions";
            let events = Expected::Events(match (measure.ask, measure.event_interval_us) {
                // It never ends.
                (Ask::IdleStreams, _) => u32::MAX,
                (_, Some(interval)) => scripted_events(interval),
                (_, None) => {
                    let one = Target::post(direct, host, path, ASKS, STREAM, Expected::Events(0));
                    let events = || events_of(direct, &one.request);
                    let events = known.get_or_try_init(events).await;
                    *events.map_err(ContestError::Upstream)?
                }
            });
            match measure.protocol {
                Http::H2 if through => {
                    let streams = measure.streams;
                    Target::post_h2(address, host, path, ASKS, STREAM, events, streams)
                }
                _ => Target::post(address, host, path, ASKS, STREAM, events),
            }
        }
    };
    Ok(Target {
        proxy_protocol: protocol.and_then(|protocol| stage.proxy_protocol(protocol).version()),
        tls,
        ..target
    })
}

/// How many events a stream has whose interval, in microseconds, the profile says.
fn scripted_events(interval: u64) -> u32 {
    let fit = SCRIPTED_STREAM / interval.max(1);
    u32::try_from(fit.clamp(3, SCRIPTED_EVENTS)).expect("it is at most the constant")
}

/// What the upstream does in place of serving.
pub(crate) fn script(measure: &Measure) -> Option<Script> {
    match (measure.ask, measure.event_interval_us) {
        (Ask::Upload, _) => Some(Script::new().read_body().reply(200, "text/plain", STORED)),
        (Ask::IdleStreams, _) => Some(
            Script::new()
                .sse_head(EventFraming::Chunked)
                .event("held")
                .until_peer_gone(),
        ),
        (Ask::Events, Some(interval)) => {
            let begun = Script::new().sse_head(EventFraming::Chunked);
            let pause = Duration::from_micros(interval);
            let events = (0..scripted_events(interval))
                .fold(begun, |script, _| script.event(EVENT).pause(pause));
            Some(events.last_chunk())
        }
        _ => None,
    }
}

/// Whether a proxy passes an upload on as it comes, in place of keeping it until it is whole. Nothing is told of an empty one, nor
/// of one that fails: what is measured tells of that.
pub(crate) async fn passes_on(stage: &RunningStage, measure: &Measure) -> Option<bool> {
    upload_in_halves(stage, measure).await.ok().flatten()
}

async fn upload_in_halves(
    stage: &RunningStage,
    measure: &Measure,
) -> Result<Option<bool>, HarnessError> {
    let half = measure.body / 2;
    if half == 0 {
        return Ok(None);
    }
    let ask = proxyproof_harness::Ask::new(stage, measure.way());
    let request = ask
        .request("POST", UPLOADED_TO)
        .streamed_length(measure.body as u64);
    let connection = ask.client().connect().await?;
    let mut upload = connection.open(&request).await?;
    upload.write(vec![b'x'; half]).await?;
    let here = |arrivals: &[Arrival]| {
        let has_it = |arrival: &&Arrival| arrival.body.length >= half as u64;
        arrivals.first().filter(has_it).map(|_| ())
    };
    let passed_on = ask.in_lock_step(request.probe_id(), here).await;
    upload.write(vec![b'x'; measure.body - half]).await?;
    upload.finish().await?;
    upload.whole().await?;
    Ok(Some(passed_on.is_some()))
}

/// How many events the upstream itself answers with.
async fn events_of(address: std::net::SocketAddr, request: &[u8]) -> io::Result<u32> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    while memchr::memmem::find(&answer, b"\r\n0\r\n\r\n").is_none() {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let events = memchr::memmem::find_iter(&answer, b"\n\n").count();
    u32::try_from(events).map_err(io::Error::other)
}

const HEALTHY: &[u8] = br#"{"status":"ok"}"#;
/// The fields of a request for a stream.
const ASKS: &[(&str, &str)] = &[
    ("X-Api-Key", "test-key"),
    ("Content-Type", "application/json"),
];
const STREAM: &[u8] =
    br#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const UPLOADED_TO: &str = "/v1/responses";
/// What an upload is answered with.
const STORED: &str = "stored";
/// The most events of a stream whose interval the profile says, and about how long it goes on, in microseconds.
const SCRIPTED_EVENTS: u64 = 20;
const SCRIPTED_STREAM: u64 = 500_000;
/// About as long as a piece of a completion.
const EVENT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}"#;
