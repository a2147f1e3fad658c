//! What the client got.

use super::{Checks, arrived::arrived, field::listed};
use crate::{
    finding::Code,
    probe::{Answer, ProbeError, Seen},
};

impl Checks {
    /// A whole answer came, whatever it says; gives it.
    pub fn answered<'s>(&mut self, seen: &'s Seen, code: Code) -> Option<&'s Answer> {
        match &seen.answer {
            Ok(answer) if answer.ended.is_whole() => Some(answer),
            answer => {
                let finding = code.finding().seen(seen).expected("a whole answer");
                self.push(finding.observed(outcome(answer)));
                None
            }
        }
    }

    /// The answer has this status.
    pub fn status(&mut self, seen: &Seen, status: u16, code: Code) -> bool {
        self.status_in(seen, &[status], code)
    }

    /// The answer has one of these statuses.
    pub fn status_in(&mut self, seen: &Seen, statuses: &[u16], code: Code) -> bool {
        let holds = seen
            .answer
            .as_ref()
            .is_ok_and(|answer| statuses.contains(&answer.status));
        self.ensure(holds, || {
            let wanted: Vec<String> = statuses.iter().map(u16::to_string).collect();
            let finding = code
                .finding()
                .seen(seen)
                .expected(format!("status {}", wanted.join(" or ")));
            finding.observed(outcome(&seen.answer))
        })
    }

    /// The candidate refused: an answer that says so, or an end of the stream or connection without an answer; and
    /// nothing arrived.
    ///
    /// Besides 4xx, 501 refuses a transfer coding (RFC 9112 section 6.1) or a method (RFC 9110 section 15.6.2), and 505
    /// a version (section 15.6.6).
    pub fn refused(&mut self, seen: &Seen, code: Code) -> bool {
        let refusal = match &seen.answer {
            Ok(answer) => matches!(answer.status, 400..=499 | 501 | 505),
            Err(ProbeError::Closed { .. } | ProbeError::Reset { .. }) => true,
            Err(_) => false,
        };
        self.ensure(refusal && seen.arrivals.is_empty(), || {
            let finding = code
                .finding()
                .seen(seen)
                .expected("a refusal (4xx, 501, 505 or a close), and nothing at any upstream");
            finding.observed(format!(
                "{}, and {}",
                outcome(&seen.answer),
                arrived(&seen.arrivals)
            ))
        })
    }

    /// The answer has exactly these fields of this name, in this order.
    pub fn answer_fields(&mut self, seen: &Seen, name: &str, values: &[&str], code: Code) -> bool {
        let found = seen
            .answer
            .as_ref()
            .map(|answer| answer.all(name))
            .unwrap_or_default();
        self.ensure(seen.answer.is_ok() && found == values, || {
            let observed = if seen.answer.is_ok() {
                listed(name, &found)
            } else {
                outcome(&seen.answer)
            };
            code.finding()
                .seen(seen)
                .focus(&[name])
                .expected(listed(name, values))
                .observed(observed)
        })
    }

    /// The answer has exactly one field of this name, with exactly this value.
    pub fn answer_field(&mut self, seen: &Seen, name: &str, value: &str, code: Code) -> bool {
        self.answer_fields(seen, name, &[value], code)
    }

    /// The answer's body is whole and exactly `body`.
    pub fn answer_body(&mut self, seen: &Seen, body: &[u8], code: Code) -> bool {
        let holds = seen
            .answer
            .as_ref()
            .is_ok_and(|answer| answer.is_exactly(body));
        self.ensure(holds, || {
            let finding = code.finding().seen(seen).expected(format!(
                "a whole body of {} bytes: {}",
                body.len(),
                start(body)
            ));
            finding.observed(match &seen.answer {
                Ok(answer) => format!(
                    "{} bytes, {}: {}",
                    answer.length,
                    answer.ended,
                    start(&answer.body)
                ),
                Err(_) => outcome(&seen.answer),
            })
        })
    }

    /// The client can see that the answer is cut short: it does not end as its framing says.
    pub fn visibly_cut(&mut self, seen: &Seen, code: Code) -> bool {
        let whole = seen
            .answer
            .as_ref()
            .is_ok_and(|answer| answer.ended.is_whole());
        self.ensure(!whole, || {
            let finding = code
                .finding()
                .seen(seen)
                .expected("an answer whose framing shows that it is not whole");
            finding.observed(outcome(&seen.answer))
        })
    }
}

/// An answer, or why there is none, in one line.
pub(super) fn outcome(answer: &Result<Answer, ProbeError>) -> String {
    match answer {
        Ok(answer) if answer.ended.is_whole() => format!("status {}", answer.status),
        Ok(answer) => format!("status {}, {}", answer.status, answer.ended),
        Err(error) => format!("no answer: failed to {}", crate::error::chain(error)),
    }
}

/// The first bytes of a body, escaped.
pub(super) fn start(body: &[u8]) -> String {
    let shown = &body[..body.len().min(SHOWN)];
    let more = if body.len() > SHOWN { "…" } else { "" };
    format!("\"{}\"{more}", shown.escape_ascii())
}

/// Enough of a body to recognise it.
const SHOWN: usize = 60;
