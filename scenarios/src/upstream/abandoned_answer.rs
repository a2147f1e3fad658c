//! What is left of an answer whose client is gone.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::{Gate, Script};

use crate::begun_stream::BegunStream;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/abandoned_answer",
    claim: "the rest of an answer that its client gave up never becomes part of another one",
    why: "an upstream connection that is used again before its answer was read to the end gives one client's words to another",
    asks: "client ── asks for a stream, reads a half, resets; another client ── POST; upstream ── the other half ──▶ candidate ──▶ nobody",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Own(|stage| stage),
    findings: &[LEAKED],
    breaks: &[Break::new("reuse_after_abort", LEAKED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LEAKED: Code = Code::new(
    "upstream.abandoned_answer_leaked",
    "the rest of one client's answer reaches another client",
    "strangers read each other's conversations",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let gate = Gate::new();
    let given_up = BegunStream::open(ask, |begun| begun.gate(&gate).event("2").last_chunk());
    let BegunStream {
        connection,
        exchange,
        ..
    } = given_up.await?;
    let _ = exchange.reset().await;
    drop(connection);
    // Open all the time, so that every worker of the proxy has one of them.
    let mut others = Vec::new();
    for number in 1..=OTHERS {
        checks.about(format!("request {number} after it"));
        let request = ask.completion().body("{}");
        let script = Script::new().read_body();
        ask.script(&request, script.reply(200, "text/plain", "own"));
        let connection = ask.client().connect().await?;
        let mut exchange = connection.open(&request).await?;
        // On a connection of its own it arrives; on the other one the rest of the first answer is in its way.
        let _ = ask
            .ledger()
            .arrival(request.probe_id(), Patience::QUIET.scaled())
            .await;
        gate.open(1);
        // What went wrong is told by the exchange itself.
        let _ = exchange.whole().await;
        let seen = ask.observe(&exchange).await;
        checks.answer_body(&seen, b"own", LEAKED);
        others.push(connection);
    }
    Ok(())
}

/// The first may come before the proxy has heard of the reset.
const OTHERS: usize = 6;
