//! Requests that are under way at the same time.

use futures_util::future::{join_all, try_join_all};
use proxyproof_harness::{Ask, HarnessError, Patience, Request, Seen};
use proxyproof_mocks::{Gate, Script};

/// Sends so many plain requests that none is answered before all have arrived, so that no connection to an upstream can serve
/// two of them; where some do not arrive, the others are answered after [`Patience::LOCK_STEP`].
pub(crate) async fn at_once(ask: &Ask<'_>, count: usize) -> Result<Vec<Seen>, HarnessError> {
    let gate = Gate::new();
    let requests: Vec<Request> = (0..count).map(|_| ask.plain()).collect();
    for request in &requests {
        let script = Script::new().gate(&gate).reply(200, "text/plain", "answer");
        ask.script(request, script);
    }
    let probes: Vec<_> = requests.iter().map(Request::probe_id).collect();
    let all_there = async {
        let arrivals = probes.iter().map(|probe| {
            let ledger = ask.ledger();
            ledger.arrival(*probe, Patience::LOCK_STEP.scaled())
        });
        join_all(arrivals).await;
        gate.open(count);
    };
    let sent = requests.into_iter().map(|request| ask.exchange(request));
    let (seen, ()) = tokio::join!(try_join_all(sent), all_there);
    Ok(seen?)
}
