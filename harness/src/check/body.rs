//! Request bodies, as the upstream read them.

use proxyproof_mocks::{
    Arrival,
    ledger::{Framing, digest_of},
};

use super::{Checks, arrived::arrived};
use crate::{finding::Code, probe::Seen};

impl Checks {
    /// The first arrival's body is whole and exactly `body`.
    pub fn body_intact(&mut self, seen: &Seen, body: &[u8], code: Code) -> bool {
        let wanted = (body.len() as u64, digest_of(body), true);
        let found = seen
            .arrivals
            .first()
            .map(|a| (a.body.length, a.body.digest, a.body.complete));
        self.ensure(found == Some(wanted), || {
            let expected = format!(
                "a whole body of {} bytes, digest {:016x}",
                wanted.0, wanted.1
            );
            code.finding()
                .seen(seen)
                .expected(expected)
                .observed(body_of(&seen.arrivals))
        })
    }

    /// No upstream read a body to its end: what was cut short must not look whole.
    pub fn body_never_whole(&mut self, seen: &Seen, code: Code) -> bool {
        let whole = seen.arrivals.iter().any(|arrival| arrival.body.complete);
        self.ensure(!whole, || {
            let finding = code
                .finding()
                .seen(seen)
                .expected("no upstream reads a body to its end");
            finding.observed(body_of(&seen.arrivals))
        })
    }

    /// The first arrival's body is framed like this.
    pub fn framed(&mut self, seen: &Seen, framing: Framing, code: Code) -> bool {
        let found = seen.arrivals.first().map(|arrival| arrival.framing);
        self.ensure(found == Some(framing), || {
            let finding = code
                .finding()
                .seen(seen)
                .focus(&["Content-Length", "Transfer-Encoding"]);
            let observed = found.map_or_else(|| arrived(&[]), name);
            finding.expected(name(framing)).observed(observed)
        })
    }
}

fn body_of(arrivals: &[Arrival]) -> String {
    let Some(arrival) = arrivals.first() else {
        return arrived(&[]);
    };
    let body = &arrival.body;
    let whole = if body.complete {
        "a whole body"
    } else {
        "an unfinished body"
    };
    format!(
        "{whole} of {} bytes at {}, digest {:016x}",
        body.length, arrival.upstream, body.digest
    )
}

fn name(framing: Framing) -> String {
    match framing {
        Framing::None => "no body".to_owned(),
        Framing::Length(length) => format!("Content-Length: {length}"),
        Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
    }
}
