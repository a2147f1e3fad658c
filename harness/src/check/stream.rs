//! Answers that are read while they are written.

use bytes::BytesMut;

use super::{Checks, answered::start};
use crate::{
    ask::Ask,
    finding::Code,
    probe::{Answer, Ending, Exchange, ProbeError},
};

impl Checks {
    /// The answer's head comes before anything else does; gives the answer as far as it came.
    pub async fn head_comes(
        &mut self,
        ask: &Ask<'_>,
        exchange: &mut Exchange,
        code: Code,
    ) -> Option<Answer> {
        match exchange.head().await {
            Ok(answer) => Some(answer),
            Err(error) => {
                let seen = ask.observe(exchange).await;
                let finding = code
                    .finding()
                    .seen(&seen)
                    .expected("the answer's head at once");
                self.push(finding.observed(missing(&error)));
                None
            }
        }
    }

    /// The next bytes of the body are exactly `wanted`, in however many pieces, without anything more being written.
    ///
    /// In lock-step, where the upstream writes the next part only when this one was seen, a proxy that holds bytes back
    /// is found without measuring time.
    pub async fn comes_next(
        &mut self,
        ask: &Ask<'_>,
        exchange: &mut Exchange,
        wanted: &[u8],
        code: Code,
    ) -> bool {
        let mut got = BytesMut::new();
        let mut ended = String::new();
        while got.len() < wanted.len() && ended.is_empty() {
            match exchange.next().await {
                Ok(Some(piece)) => got.extend_from_slice(&piece.bytes),
                Ok(None) => ended = format!(", then {}", end_of(exchange)),
                Err(error) => ended = format!(", then {}", missing(&error)),
            }
        }
        if got == wanted {
            return true;
        }
        let finding = code.finding().seen(&ask.observe(exchange).await);
        self.push(
            finding
                .expected(format!(
                    "the next {} bytes: {}",
                    wanted.len(),
                    start(wanted)
                ))
                .observed(format!("{} bytes: {}{ended}", got.len(), start(&got))),
        );
        false
    }

    /// The body ends here, whole, without another byte.
    pub async fn ends_whole(&mut self, ask: &Ask<'_>, exchange: &mut Exchange, code: Code) -> bool {
        let expected = "the end of the body, as its framing says";
        self.ends(ask, exchange, expected, Ending::is_whole, code)
            .await
    }

    /// The body breaks off here in a way that the client can see.
    pub async fn ends_cut(&mut self, ask: &Ask<'_>, exchange: &mut Exchange, code: Code) -> bool {
        self.ends(
            ask,
            exchange,
            "a body that visibly breaks off",
            |ending| !ending.is_whole(),
            code,
        )
        .await
    }

    async fn ends(
        &mut self,
        ask: &Ask<'_>,
        exchange: &mut Exchange,
        expected: &str,
        holds: impl FnOnce(&Ending) -> bool,
        code: Code,
    ) -> bool {
        let observed = match exchange.next().await {
            Ok(None) if exchange.so_far().is_some_and(|answer| holds(&answer.ended)) => {
                return true;
            }
            Ok(None) => end_of(exchange),
            Ok(Some(piece)) => format!("{} more bytes: {}", piece.bytes.len(), start(&piece.bytes)),
            Err(error) => missing(&error),
        };
        let finding = code
            .finding()
            .seen(&ask.observe(exchange).await)
            .expected(expected);
        self.push(finding.observed(observed));
        false
    }
}

fn end_of(exchange: &Exchange) -> String {
    exchange.so_far().map_or_else(
        || "no answer".to_owned(),
        |answer| format!("the end of the body: {}", answer.ended),
    )
}

fn missing(error: &ProbeError) -> String {
    format!("failed to {}", crate::error::chain(error))
}
