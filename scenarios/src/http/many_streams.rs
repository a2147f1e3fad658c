//! Many requests at once on one HTTP/2 connection.

use futures_util::future::join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::{Gate, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/many_streams",
    claim: "100 requests on one HTTP/2 connection are served at once, each with its own answer",
    why: "a browser or SDK puts everything on one connection (RFC 9113 section 6.5.2 recommends at least 100 streams)",
    asks: "client ── 100 streams ──▶ candidate ──▶ upstream answers none before all have arrived",
    level: Level::Recommended,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[NOT_AT_ONCE],
    breaks: &[Break::new("serial_upstream", NOT_AT_ONCE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_AT_ONCE: Code = Code::new(
    "http.streams_not_at_once",
    "100 streams of one connection are not served at once, or answers are mixed up",
    "one long completion holds up everything else that the client asks",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let gate = Gate::new();
    let connection = ask.client().connect().await?;
    let requests: Vec<_> = (0..STREAMS)
        .map(|number| ask.plain_with(&format!("n={number}")))
        .collect();
    for (number, request) in requests.iter().enumerate() {
        let script = Script::new()
            .gate(&gate)
            .reply(200, "text/plain", number.to_string());
        ask.script(request, script);
    }
    let probes: Vec<_> = requests
        .iter()
        .map(proxyproof_harness::Request::probe_id)
        .collect();
    let all_there = async {
        let arrivals = probes
            .iter()
            .map(|probe| ask.ledger().arrival(*probe, Patience::STREAM.scaled()));
        let arrived = join_all(arrivals).await.into_iter().flatten().count();
        gate.open(STREAMS);
        arrived
    };
    let answers = join_all(
        requests
            .into_iter()
            .map(|request| ask.exchange_on(&connection, request)),
    );
    let (seen, arrived) = tokio::join!(answers, all_there);
    checks.ensure(arrived == STREAMS, || {
        let finding = NOT_AT_ONCE.finding().expected(format!(
            "{STREAMS} requests at the upstream before one is answered"
        ));
        finding.observed(format!("{arrived} of them"))
    });
    for (number, seen) in seen.into_iter().enumerate() {
        checks.about(format!("stream {number} of {STREAMS}"));
        checks.answer_body(&seen?, number.to_string().as_bytes(), NOT_AT_ONCE);
    }
    Ok(())
}

const STREAMS: usize = 100;
