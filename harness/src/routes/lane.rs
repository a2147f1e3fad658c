//! One connection after another to one listener, and targets sent along it.

use proxyproof_oracle::location::Protocol as Spoken;

use super::observed::Observed;
use crate::patience::{Patience, RanOut};
use crate::probe::{Answer, Client, Ending, ProbeError, RawConnection, RawH2, Request};
use crate::protocol::Protocol;

/// A way to the candidate that keeps its connection as long as the candidate does.
///
/// Each connection first asks which generation of the configuration its worker has: a worker that is about to go may
/// still accept after a reload, and what it answers is about the table before.
#[derive(Debug)]
pub(super) struct Lane {
    client: Client,
    upstreams: Vec<String>,
    generation: u64,
    connection: Option<Wire>,
    sent: usize,
}

#[derive(Debug)]
enum Wire {
    H1(RawConnection),
    H2(RawH2),
}

impl Lane {
    pub(super) fn new(client: Client, upstreams: &[String], generation: u64) -> Self {
        Self {
            client,
            upstreams: upstreams.to_vec(),
            generation,
            connection: None,
            sent: 0,
        }
    }

    pub(super) fn spoken(&self) -> Spoken {
        spoken(self.client.entrance().protocol)
    }

    /// Sends a target and says what became of it; doubtful answers are asked for again, on another connection.
    pub(super) async fn ask(&mut self, target: &[u8]) -> Observed {
        let mut observed = self.ask_once(target).await;
        for _ in 0..ATTEMPTS {
            if !observed.is_doubtful() {
                break;
            }
            self.connection = None;
            observed = self.ask_once(target).await;
        }
        observed
    }

    async fn ask_once(&mut self, target: &[u8]) -> Observed {
        let host = self.client.entrance().host.clone();
        let answer = match self.connected().await {
            Ok(wire) => wire.send(target, &host).await,
            Err(ran_out) => {
                return Observed::Silent {
                    why: ran_out.to_string(),
                };
            }
        };
        self.sent += 1;
        if self.sent >= RENEWED_AFTER || !answer.as_ref().is_ok_and(keeps_open) {
            self.connection = None;
        }
        Observed::of(answer, &self.upstreams)
    }

    async fn connected(&mut self) -> Result<&mut Wire, RanOut> {
        if self.connection.is_none() {
            self.sent = 0;
        }
        let wire = match self.connection.take() {
            Some(wire) => wire,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(wire))
    }

    /// Connects until a worker with the present configuration accepts: NGINX lets both generations accept for 100 ms.
    async fn connect(&self) -> Result<Wire, RanOut> {
        let look = || async {
            let mut wire = self.open().await.map_err(|error| error.to_string())?;
            match wire.generation().await {
                Ok(Some(generation)) if generation == self.generation => Ok(wire),
                Ok(seen) => Err(format!("generation {seen:?}")),
                Err(error) => Err(error.to_string()),
            }
        };
        let awaited = format!("generation {} of the configuration", self.generation);
        Patience::RELOAD.eventually(&awaited, look).await
    }

    /// Waits until the present generation serves.
    pub(super) async fn is_served(&self, patience: Patience) -> Result<(), RanOut> {
        let awaited = format!("generation {} of the configuration", self.generation);
        let look = || async {
            match self.generation().await {
                Ok(Some(generation)) if generation == self.generation => Ok(()),
                Ok(seen) => Err(format!("generation {seen:?}")),
                Err(error) => Err(error.to_string()),
            }
        };
        patience.eventually(&awaited, look).await
    }

    async fn open(&self) -> Result<Wire, ProbeError> {
        Ok(match spoken(self.client.entrance().protocol) {
            Spoken::Http1 => Wire::H1(self.client.raw().await?),
            Spoken::Http2 => Wire::H2(self.client.raw_h2().await?),
        })
    }

    /// Which generation a fresh connection meets.
    async fn generation(&self) -> Result<Option<u64>, ProbeError> {
        self.open().await?.generation().await
    }
}

impl Wire {
    async fn generation(&mut self) -> Result<Option<u64>, ProbeError> {
        let answer = self.send(b"/", GENERATION_HOST).await?;
        let text = answer.text();
        Ok(text
            .strip_prefix("generation ")
            .and_then(|number| number.trim().parse().ok()))
    }

    async fn send(&mut self, target: &[u8], host: &str) -> Result<Answer, ProbeError> {
        match self {
            Self::H1(raw) => {
                let parts: [&[u8]; 5] = [
                    b"GET ",
                    target,
                    b" HTTP/1.1\r\nHost: ",
                    host.as_bytes(),
                    b"\r\n\r\n",
                ];
                raw.write(parts.concat()).await?;
                raw.answer("GET").await
            }
            Self::H2(raw) => {
                let request = Request::new("GET", target.to_vec(), host.to_owned()).untagged();
                let (stream, _) = raw.send(&request).await?;
                raw.answer(stream).await
            }
        }
    }
}

fn spoken(protocol: Protocol) -> Spoken {
    match protocol.listener() {
        Protocol::H2 => Spoken::Http2,
        _ => Spoken::Http1,
    }
}

/// Whether the next request may use the connection.
fn keeps_open(answer: &Answer) -> bool {
    answer.ended == Ending::Complete
        && answer
            .field("connection")
            .is_none_or(|word| !word.eq_ignore_ascii_case("close"))
}

/// The host of the server that tells the generation; no target of ours names it.
pub(super) const GENERATION_HOST: &str = "generation.proxyproof.invalid";
/// A raw connection remembers all that came: it is renewed before that is much.
const RENEWED_AFTER: usize = 400;
/// A doubtful answer is asked for so often again.
const ATTEMPTS: usize = 2;
