//! The life of one accepted connection: heads in, answers out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};

use super::exchange::{Exchange, RST_AVOIDANCE, Verdict};
use super::memory_budget::MemoryBudget;
use super::scripts::Scripts;
use super::socket::{Filled, Socket, Watch, watched};
use super::stubs::Stubs;
use super::{After, Protocols, Request, RespConnection, Rules, Service};
use crate::ledger::{How, Ledger, LiveConnection, NewArrival};
use crate::script;
use crate::wire::http1::{Expectation, HeadScan, Rejection, RequestHead, Response, ResponseWriter};

/// What all connections of an upstream share.
#[derive(Debug)]
pub(crate) struct Program<S> {
    pub(crate) service: S,
    pub(crate) rules: Rules,
    pub(crate) ledger: Ledger,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) stubs: Arc<Stubs>,
    pub(crate) heads: MemoryBudget,
    pub(crate) bodies: MemoryBudget,
}

/// One accepted connection.
pub(crate) struct Connection<S> {
    pub(crate) program: Arc<Program<S>>,
    pub(crate) socket: Arc<Socket>,
    pub(crate) record: Arc<LiveConnection>,
}

/// What came instead of a head.
enum NoHead {
    /// Nothing more, and nothing to say to it.
    Over,
    Refused(Rejection),
}

impl<S: Service> Connection<S> {
    /// Serves the connection until it ends or is cut.
    pub(crate) async fn run(self) {
        tokio::select! {
            biased;
            () = self.serve() => {}
            how = self.socket.until_cut() => match how {
                How::Fin => self.socket.end(),
                How::Reset => self.socket.reset_on_close(),
            },
        }
        self.record.close();
    }

    async fn serve(&self) {
        if !self.first_byte_came().await {
            return self.socket.end();
        }
        let first = self.socket.with_buffer(|buffer| buffer[0]);
        if self.program.rules.protocols == Protocols::HttpOrResp && b"*$+-:".contains(&first) {
            let connection =
                RespConnection::new(Arc::clone(&self.socket), Arc::clone(&self.record));
            self.program.service.resp(connection).await;
            return self.socket.end();
        }
        match self.serve_requests().await {
            Verdict::Keep | Verdict::Close => self.socket.end(),
            Verdict::Linger(limit) => self.socket.linger(limit).await,
            Verdict::Reset => self.socket.reset_on_close(),
        }
    }

    async fn first_byte_came(&self) -> bool {
        let rules = &self.program.rules;
        let limits = [rules.sniff_timeout, rules.header_timeout];
        match limits.into_iter().flatten().min() {
            None => self.socket.fill().await == Filled::Bytes,
            Some(limit) => matches!(
                tokio::time::timeout(limit, self.socket.fill()).await,
                Ok(Filled::Bytes)
            ),
        }
    }

    async fn serve_requests(&self) -> Verdict {
        let mut writer = Box::<ResponseWriter>::default();
        let mut skip_line_ends = SkipLineEnds::No;
        loop {
            let head = match self.read_head(skip_line_ends).await {
                Ok(head) => head,
                Err(NoHead::Over) => return Verdict::Close,
                Err(NoHead::Refused(rejection)) => return self.refuse(rejection).await,
            };
            let request = Request::new(head, Arc::clone(&self.record));
            skip_line_ends = SkipLineEnds::after(&request);
            let verdict;
            (verdict, writer) = self.serve_request(&request, writer).await;
            self.socket.attribute(None, Watch::Off);
            if verdict != Verdict::Keep {
                return verdict;
            }
        }
    }

    async fn serve_request(
        &self,
        request: &Request,
        writer: Box<ResponseWriter>,
    ) -> (Verdict, Box<ResponseWriter>) {
        let arrival = self.program.ledger.open_arrival(NewArrival {
            connection: Arc::clone(&self.record),
            request_number: self.record.next_request(),
            probe: request.probe(),
            head: request.head.bytes.clone(),
            framing: request.framing(),
        });
        let mut exchange = Exchange::new(
            Arc::clone(&self.socket),
            arrival,
            writer,
            request,
            self.program.bodies.clone(),
        );
        if let Some(script) = self.program.scripts.find(request.probe()) {
            let refusal = self.program.rules.handshake_refusal;
            let ended = {
                let running = pin!(script::run(&script, request, &mut exchange, refusal));
                watched(&self.socket, running).await
            };
            return match ended {
                script::Ended::Over => exchange.finish_script().await,
                script::Ended::Fin => exchange.finish_with(Verdict::Linger(SCRIPT_LINGER)),
                script::Ended::Reset => exchange.finish_with(Verdict::Reset),
            };
        }
        let after = match request.head.expectation {
            Expectation::Unknown => exchange.respond(expectation_failed()).await,
            _ if request.method() == "OPTIONS" && request.target() == b"*" => {
                exchange.respond(options()).await
            }
            _ => {
                let handling = pin!(self.handle(request, &mut exchange));
                watched(&self.socket, handling).await
            }
        };
        exchange.finish(after).await
    }

    async fn handle(&self, request: &Request, exchange: &mut Exchange) -> After {
        if self.program.stubs.are_mounted()
            && let Some(after) = self.program.stubs.answer(request, exchange).await
        {
            return after;
        }
        self.program.service.serve(request, exchange).await
    }

    async fn read_head(&self, skip: SkipLineEnds) -> Result<RequestHead, NoHead> {
        let mut reading = HeadReading::default();
        let Some(limit) = self.program.rules.header_timeout else {
            return self.wait_for_head(&mut reading, skip).await;
        };
        if let Taken::Whole(head) = self.take_head(&mut reading, skip)? {
            return Ok(head);
        }
        // The time counts from accept for the first head, else from the head's first bytes.
        if self.socket.with_buffer(|buffer| buffer.is_empty())
            && self.socket.fill().await != Filled::Bytes
        {
            return Err(NoHead::Over);
        }
        let limit = limit.saturating_sub(self.spent());
        let timed = tokio::time::timeout(limit, self.wait_for_head(&mut reading, skip)).await;
        timed.unwrap_or_else(|_| Err(self.out_of_time(&reading)))
    }

    /// How much of the header timeout is used up before the first head's first byte.
    fn spent(&self) -> Duration {
        if self.record.has_requests() {
            return Duration::ZERO;
        }
        crate::moment::Moment::now().since(self.record.accepted_at)
    }

    async fn wait_for_head(
        &self,
        reading: &mut HeadReading,
        skip: SkipLineEnds,
    ) -> Result<RequestHead, NoHead> {
        let mut share = self.program.heads.share();
        loop {
            let length = match self.take_head(reading, skip)? {
                Taken::Whole(head) => return Ok(head),
                Taken::Part(length) => length,
            };
            if length > self.program.rules.max_head + HEAD_SLACK || !share.covers(length) {
                return Err(NoHead::Refused(Rejection::TooLarge));
            }
            match self.socket.fill().await {
                Filled::Bytes => {}
                // Go takes the end of a connection within a head for a malformed head.
                Filled::Ended(How::Fin) if length > 0 => {
                    return Err(NoHead::Refused(Rejection::BadRequest));
                }
                Filled::Ended(_) => return Err(NoHead::Over),
            }
        }
    }

    fn take_head(&self, reading: &mut HeadReading, skip: SkipLineEnds) -> Result<Taken, NoHead> {
        let head = self.socket.with_buffer(|buffer| {
            if skip == SkipLineEnds::Yes && !reading.skipped {
                let ends = buffer
                    .iter()
                    .take(4)
                    .take_while(|&&byte| matches!(byte, b'\r' | b'\n'))
                    .count();
                buffer.advance(ends);
                reading.skipped = !buffer.is_empty();
            }
            let length = match reading.scan.at_once(buffer) {
                Some(length) => Some(length),
                None => reading.scan.advance(buffer)?,
            };
            let Some(length) = length else {
                return Ok(Err(buffer.len()));
            };
            let head = Bytes::copy_from_slice(&buffer[..length]);
            buffer.advance(length);
            Ok(Ok(head))
        });
        let head = match head.map_err(NoHead::Refused)? {
            Ok(head) => head,
            Err(length) => return Ok(Taken::Part(length)),
        };
        if head.len() > self.program.rules.max_head + HEAD_SLACK {
            return Err(NoHead::Refused(Rejection::TooLarge));
        }
        RequestHead::parse(head)
            .map(Taken::Whole)
            .map_err(NoHead::Refused)
    }

    fn out_of_time(&self, reading: &HeadReading) -> NoHead {
        match self
            .socket
            .with_buffer(|buffer| reading.scan.give_up(buffer))
        {
            Ok(()) => NoHead::Over,
            Err(rejection) => NoHead::Refused(rejection),
        }
    }

    async fn refuse(&self, rejection: Rejection) -> Verdict {
        // The client may be gone; there is nobody else to tell.
        let _ = self.socket.write_all(rejection.answer().as_bytes()).await;
        match rejection {
            Rejection::TooLarge => Verdict::Linger(RST_AVOIDANCE),
            _ => Verdict::Close,
        }
    }
}

/// What there is of a head.
enum Taken {
    Whole(RequestHead),
    /// So many bytes of it.
    Part(usize),
}

#[derive(Default)]
struct HeadReading {
    scan: HeadScan,
    skipped: bool,
}

/// Whether line ends before a head are skipped: Go does it after a POST, for clients that send one too many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SkipLineEnds {
    No,
    Yes,
}

impl SkipLineEnds {
    fn after(request: &Request) -> Self {
        if request.method() == "POST" {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// Go's answer to an `Expect` it does not know.
fn expectation_failed() -> Response {
    Response::new(417).field("Connection", "close")
}

/// Go's answer to `OPTIONS *`.
fn options() -> Response {
    Response::new(200).field("Content-Length", "0")
}

/// What Go's reader lets pass beyond `MaxHeaderBytes`.
const HEAD_SLACK: usize = 4096;

/// How long a scripted FIN waits for the peer's, so that bytes on their way do not turn it into a reset.
const SCRIPT_LINGER: Duration = Duration::from_secs(2);
