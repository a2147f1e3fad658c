//! Requests that are under way at the same time.

use futures_util::future::{join_all, try_join_all};
use proxyproof_harness::probe::{ProbeError, Seen};
use proxyproof_harness::{Ask, HarnessError, Patience, Request};
use proxyproof_mocks::{Gate, Script};

/// Sends so many plain requests that none is answered before all have arrived, so that no connection to an upstream can serve
/// two of them; where some do not arrive, the others are answered after [`Patience::LOCK_STEP`].
pub(crate) async fn at_once(ask: &Ask<'_>, count: usize) -> Result<Vec<Seen>, HarnessError> {
    let send = |_, request| ask.exchange(request);
    Ok(wave(ask, count, Patience::LOCK_STEP, send).await.seen?)
}

/// What came of requests that were sent at the same time.
pub(crate) struct Wave {
    /// How many had arrived before the first was answered.
    pub(crate) arrived: usize,
    pub(crate) seen: Result<Vec<Seen>, ProbeError>,
}

/// The same with requests that `send` sends, each by its number; those that arrive wait this long for the others.
pub(crate) async fn wave<S>(
    ask: &Ask<'_>,
    count: usize,
    longest: Patience,
    send: impl Fn(usize, Request) -> S,
) -> Wave
where
    S: Future<Output = Result<Seen, ProbeError>>,
{
    let gate = Gate::new();
    let requests: Vec<Request> = (0..count).map(|_| ask.plain()).collect();
    for request in &requests {
        let script = Script::new().gate(&gate).reply(200, "text/plain", "answer");
        ask.script(request, script);
    }
    let probes: Vec<_> = requests.iter().map(Request::probe_id).collect();
    let all_there = async {
        let arrivals = probes
            .iter()
            .map(|probe| ask.ledger().arrival(*probe, longest.scaled()));
        let arrived = join_all(arrivals).await.into_iter().flatten().count();
        gate.open(count);
        arrived
    };
    let sent = requests.into_iter().enumerate();
    let sent = sent.map(|(number, request)| send(number, request));
    let (seen, arrived) = tokio::join!(try_join_all(sent), all_there);
    Wave { arrived, seen }
}
