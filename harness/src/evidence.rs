//! Turns what both ends saw into the parts of a finding.

use std::time::Duration;

use proxyproof_mocks::{Arrival, Moment};

use crate::{
    blame::Blame,
    error::chain,
    finding::{Exhibit, Finding},
    probe::{Answer, ProbeError, Seen, Sent},
};

impl Finding {
    /// What was sent, what arrived, what was answered, when, and whose fault that says it is.
    #[must_use]
    pub fn seen(mut self, seen: &Seen) -> Self {
        self.sent = Some(exhibit_of_request(&seen.request));
        self.client = Some(seen.request.client);
        self.arrived = seen.arrivals.iter().map(exhibit_of_arrival).collect();
        self.answered = Some(exhibit_of_answer(&seen.answer));
        let (blame, reason) = Blame::of(seen);
        let start = seen.request.at;
        seen.timeline()
            .into_iter()
            .fold(self.blame(blame, reason), |finding, entry| {
                finding.evidence(micros(start, entry.at), entry.who, entry.what)
            })
    }
}

/// Microseconds from `start` to `moment`, negative before it.
fn micros(start: Moment, moment: Moment) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    whole(moment.since(start)) - whole(start.since(moment))
}

fn exhibit_of_request(sent: &Sent) -> Exhibit {
    Exhibit {
        text: sent.head.to_string(),
        place: format!("from {}, {}", sent.client.ip(), sent.protocol),
    }
}

fn exhibit_of_arrival(arrival: &Arrival) -> Exhibit {
    let place = format!(
        "at {}, connection {}, request {}",
        arrival.upstream, arrival.connection, arrival.request_number
    );
    Exhibit {
        text: arrival.head.to_string(),
        place,
    }
}

fn exhibit_of_answer(answer: &Result<Answer, ProbeError>) -> Exhibit {
    match answer {
        Ok(answer) => Exhibit {
            text: answer.head.to_string(),
            place: format!("{} bytes of body, {}", answer.length, answer.ended),
        },
        Err(error) => Exhibit {
            text: format!("nothing: failed to {}", chain(error)),
            place: String::new(),
        },
    }
}
