//! Requests written byte for byte.

use std::time::Duration;

use proxyproof_harness::probe::{Answer, ProbeError, RawConnection, Seen, Sent, SentBody};
use proxyproof_harness::{Ask, Checks, Code, HarnessError, Patience, Purpose};
use proxyproof_mocks::ledger::RawHead;
use proxyproof_mocks::{Moment, ProbeId, Script};

/// One request in HTTP/1, with every byte chosen, under a probe id of its own.
pub(crate) struct Literal {
    pub(crate) probe: ProbeId,
    pub(crate) bytes: Vec<u8>,
}

impl Literal {
    /// Fills in `{host}`; `{tag}`, the field that carries the probe id; `{plain}` and `{stream}`, the targets of the site's
    /// endpoints for these purposes; and `{plain_and}`, the plain one with room for more of a query. A line end is `\r\n`
    /// as written.
    pub(crate) fn new(ask: &Ask<'_>, template: &str) -> Self {
        let probe = ProbeId::fresh();
        let tag = format!("{}: {probe}", proxyproof_mocks::PROBE_HEADER);
        let mut text = template
            .replace("{host}", ask.host())
            .replace("{tag}", &tag);
        for (mark, purpose) in [("{plain}", Purpose::Plain), ("{stream}", Purpose::Stream)] {
            if text.contains(mark) {
                text = text.replace(mark, &ask.endpoint(purpose).target);
            }
        }
        if text.contains("{plain_and}") {
            let plain = ask.endpoint(Purpose::Plain).target;
            let sign = if plain.contains('?') { '&' } else { '?' };
            text = text.replace("{plain_and}", &format!("{plain}{sign}"));
        }
        Self {
            probe,
            bytes: text.into_bytes(),
        }
    }

    /// Whichever upstream gets it answers with 200 once the body is read.
    pub(crate) fn answered(self, ask: &Ask<'_>) -> Self {
        for upstream in ask.stage().upstreams().values() {
            let answer =
                Script::new()
                    .read_body()
                    .reply(200, "text/plain", upstream.name().to_owned());
            upstream.script(self.probe, answer);
        }
        self
    }

    /// Sends it on a connection of its own and reads one answer.
    pub(crate) async fn exchange(&self, ask: &Ask<'_>) -> Result<Seen, HarnessError> {
        let mut connection = ask.client().raw().await?;
        // A peer that has refused already may have closed: what it said is read all the same.
        let _ = connection.write(&self.bytes).await;
        let answer = connection.answer(&self.method()).await;
        Ok(self.seen(ask, &connection, answer).await)
    }

    /// What both ends saw, with the answer as the client read it.
    pub(crate) async fn seen(
        &self,
        ask: &Ask<'_>,
        connection: &RawConnection,
        answer: Result<Answer, ProbeError>,
    ) -> Seen {
        let sent = Sent {
            protocol: ask.protocol(),
            probe: self.probe,
            client: connection.client(),
            connected_at: connection.connected_at(),
            head: self.head(),
            at: connection.sent_at().unwrap_or_else(Moment::now),
            body: SentBody::default(),
        };
        ask.seen(sent, answer).await
    }

    fn method(&self) -> String {
        self.head().method()
    }

    fn head(&self) -> RawHead {
        let end = self
            .bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n");
        RawHead::new(self.bytes[..end.map_or(self.bytes.len(), |end| end + 4)].to_vec())
    }
}

/// Sends each of these requests and pushes `code` for each that reaches an upstream instead of being refused.
pub(crate) async fn all_refused(
    ask: &Ask<'_>,
    checks: &mut Checks,
    requests: &[(&str, &str)],
    code: Code,
) -> Result<(), HarnessError> {
    for (subject, template) in requests {
        checks.about(*subject);
        let seen = Literal::new(ask, template)
            .answered(ask)
            .exchange(ask)
            .await?;
        checks.refused(&seen, code);
    }
    Ok(())
}

/// True if a request that was hidden in another one's body reached an upstream of its own.
pub(crate) async fn stowaway_arrived(ask: &Ask<'_>, stowaway: ProbeId) -> bool {
    let aboard = |arrivals: &[proxyproof_mocks::Arrival]| (!arrivals.is_empty()).then_some(());
    let quiet: Duration = Patience::QUIET.scaled();
    ask.ledger().until(stowaway, quiet, aboard).await.is_some()
}
