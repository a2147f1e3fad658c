//! A stream that the client gives up.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::{EventFraming, Gate, Script};

use crate::lock_step::streaming_request;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/reset_spares_others",
    claim: "a client that gives up one HTTP/2 stream keeps the others, and the connection",
    why: "whoever presses `stop` in one tab has turns running in others, on the same connection",
    asks: "client ── stream 1, stream 2; RST_STREAM 1 ──▶ candidate; upstream ── the rest of stream 2 ──▶ client",
    level: Level::Required,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::Endpoint(Purpose::Stream),
    ],
    stage: StageUse::Shared,
    findings: &[CUT],
    breaks: &[Break::new("reset_kills_connection", CUT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CUT: Code = Code::new(
    "http.reset_cuts_others",
    "a client's reset of one stream ends others of its connection",
    "stopping one turn breaks all that run beside it",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let (given_up, kept) = (streaming_request(ask), streaming_request(ask));
    let gate = Gate::new();
    let begun = || {
        let script = Script::new().read_body().sse_head(EventFraming::Chunked);
        script.event("1")
    };
    ask.script(&given_up, begun().until_peer_gone());
    ask.script(&kept, begun().gate(&gate).event("2").last_chunk());
    let connection = ask.client().connect().await?;
    let mut first = connection.open(&given_up).await?;
    let mut second = connection.open(&kept).await?;
    for stream in [&mut first, &mut second] {
        if !checks.comes_next(ask, stream, b"data: 1\n\n", CUT).await {
            return Ok(());
        }
    }
    first.reset().await?;
    checks.about("a request on the connection after the reset");
    let request = ask.plain();
    ask.script(&request, Script::new().reply(200, "text/plain", "own"));
    let answered = match ask.exchange_on(&connection, request).await {
        Ok(seen) => checks.answer_body(&seen, b"own", CUT),
        Err(error) => {
            let finding = CUT.finding().expected("an answer on the same connection");
            checks.push(finding.observed(error.to_string()));
            false
        }
    };
    checks.about("the stream that was open beside the one that was reset");
    gate.open(1);
    let mut second = second.patience(Patience::LOCK_STEP);
    let goes_on = checks
        .comes_next(ask, &mut second, b"data: 2\n\n", CUT)
        .await;
    if answered && goes_on {
        checks.ends_whole(ask, &mut second, CUT).await;
    }
    Ok(())
}
