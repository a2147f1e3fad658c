//! Takes a script's steps on a connection.

use std::time::Duration;

use bytes::Bytes;

use super::{EventFraming, Script, Step};
use crate::ledger::RawHead;
use crate::upstream::{Exchange, Request};
use crate::wire::websocket::{Frame, Opcode, accept_key, take_frame};

/// What a script leaves of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It can take the next request, if the peer and the request's body allow.
    Over,
    /// To be closed with FIN.
    Fin,
    /// To be closed with RST.
    Reset,
}

/// Whether there are more steps to take.
type Taken = Result<(), Ended>;

/// Takes the steps in order, until the last, an ending one, or a write that fails.
///
/// A WebSocket handshake that no server accepts gets `handshake_refusal` as its status.
pub(crate) async fn run(
    script: &Script,
    request: &Request,
    exchange: &mut Exchange,
    handshake_refusal: u16,
) -> Ended {
    let mut run = Run {
        request,
        exchange,
        handshake_refusal,
        at_end: match script.framing {
            Some(EventFraming::Close) => Ended::Fin,
            _ => Ended::Over,
        },
    };
    for step in &script.steps {
        if let Err(ended) = run.take(step).await {
            return ended;
        }
    }
    run.at_end
}

struct Run<'a> {
    request: &'a Request,
    exchange: &'a mut Exchange,
    handshake_refusal: u16,
    at_end: Ended,
}

impl Run<'_> {
    async fn take(&mut self, step: &Step) -> Taken {
        match step {
            Step::ReadBody => self.read_body(u64::MAX).await,
            Step::ReadBodyBytes(length) => self.read_body(*length).await,
            Step::Reply { bytes, head_length } => self.reply(bytes, *head_length).await,
            Step::Write(bytes) => self.write(bytes).await,
            Step::Fill { total, piece } => self.fill(*total, *piece).await,
            Step::Pause(time) => self.wait(pause(*time)).await,
            Step::Gate(gate) => self.wait(gate.wait()).await,
            Step::UntilPeerGone => self.wait(std::future::pending()).await,
            Step::Fin => Err(Ended::Fin),
            Step::Reset => Err(Ended::Reset),
            Step::HalfClose => {
                self.exchange.socket.shut_down();
                self.at_end = Ended::Fin;
                Ok(())
            }
            Step::AcceptWebsocket => self.accept_websocket().await,
            Step::EchoWebsocket => self.echo_websocket().await,
            Step::ReadFrame => self.read_frame().await.map(drop),
        }
    }

    async fn read_body(&mut self, length: u64) -> Taken {
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            match self.exchange.read_piece_of(most).await {
                Ok(Some(piece)) => left -= piece.len() as u64,
                // The peer is gone or its body broken: later steps may still have something to say.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    async fn reply(&self, bytes: &[u8], head_length: usize) -> Taken {
        let (head, body) = bytes.split_at(head_length);
        let body = if self.request.method() == "HEAD" {
            &[]
        } else {
            body
        };
        if !self.exchange.is_last() || RawHead::new(head.to_vec()).first("Connection").is_some() {
            return self.write(&[head, body].concat()).await;
        }
        let fields = head.strip_suffix(b"\r\n").unwrap_or(head);
        self.write(&[fields, b"Connection: close\r\n\r\n", body].concat())
            .await
    }

    async fn write(&self, bytes: &[u8]) -> Taken {
        self.exchange
            .socket
            .write_all(bytes)
            .await
            .map_err(|_| Ended::Fin)
    }

    async fn fill(&self, total: u64, piece: usize) -> Taken {
        let filling = Bytes::from(vec![b'x'; piece]);
        let mut left = total;
        while left > 0 {
            let length = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(piece.max(1));
            self.write(&filling[..length.min(filling.len())]).await?;
            left -= length as u64;
        }
        Ok(())
    }

    /// Waits, but no longer than the peer is there.
    async fn wait(&self, what: impl Future<Output = ()>) -> Taken {
        tokio::select! {
            biased;
            () = what => {}
            () = self.exchange.socket.until_gone_behind_unread() => {}
        }
        Ok(())
    }

    async fn accept_websocket(&mut self) -> Taken {
        let Some(key) = self.request.websocket_key() else {
            return self.refuse_handshake().await;
        };
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(&key)
        );
        self.at_end = Ended::Fin;
        self.write(head.as_bytes()).await?;
        self.exchange.arrival.upgraded();
        Ok(())
    }

    async fn refuse_handshake(&self) -> Taken {
        let refusal = Script::new().reply(self.handshake_refusal, "text/plain", NO_HANDSHAKE);
        if let [Step::Reply { bytes, head_length }] = refusal.steps.as_slice() {
            self.reply(bytes, *head_length).await?;
        }
        // What follows is for a socket that there is not.
        Err(Ended::Over)
    }

    async fn echo_websocket(&self) -> Taken {
        loop {
            let frame = self.read_frame().await?;
            let echo = match frame.opcode {
                Opcode::Pong => continue,
                Opcode::Ping => Frame::pong(frame.payload),
                _ => Frame {
                    mask: None,
                    ..frame
                },
            };
            self.write(&echo.to_bytes()).await?;
            if echo.opcode == Opcode::Close {
                return Err(Ended::Fin);
            }
        }
    }

    async fn read_frame(&self) -> Result<Frame, Ended> {
        loop {
            let taken = self
                .exchange
                .socket
                .with_buffer(|buffer| take_frame(buffer, FRAME_LIMIT));
            match taken {
                Ok(Some(frame)) => {
                    self.exchange.arrival.read_frame(&frame);
                    return Ok(frame);
                }
                Ok(None) => {}
                Err(_) => return Err(Ended::Fin),
            }
            if let crate::upstream::Filled::Ended(_) = self.exchange.socket.fill().await {
                return Err(Ended::Fin);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a script paces what it writes")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A frame no scenario sends: longer ones are taken for garbage.
const FRAME_LIMIT: u64 = 128 << 20;

/// The body of a refusal; every server has words of its own for it.
const NO_HANDSHAKE: &str = "the request is no WebSocket handshake\n";
