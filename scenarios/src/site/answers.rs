//! The request that everything else is compared with.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "site/answers",
    claim: "a plain request reaches its upstream, and the answer its client",
    why: "where nothing passes, a refusal proves nothing, and \"nothing arrived\" is true of everything",
    asks: "client ── GET ──▶ candidate ──▶ upstream ── 200 ──▶ candidate ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Control,
    findings: &[SILENT],
    breaks: &[Break::new("answer_bad_gateway", SILENT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SILENT: Code = Code::new(
    "site.does_not_answer",
    "the site does not answer",
    "nothing else can be said about it, so nothing else is asked",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    // Whoever gets it: where a request arrives, others look at.
    for upstream in ask.stage().upstreams().values() {
        let answer = Script::new().reply(200, "text/plain", upstream.name().to_owned());
        upstream.script(request.probe_id(), answer);
    }
    let connection = ask.client().connect().await?;
    let mut exchange = connection.open(&request).await?.patience(PATIENCE);
    // What went wrong is told by the exchange itself.
    let _ = exchange.whole().await;
    let seen = ask.observe(&exchange).await;
    if checks.arrived_once(&seen, SILENT).is_some() {
        checks.status(&seen, 200, SILENT);
    }
    Ok(())
}

/// The candidate counts as ready by now: an answer that takes longer is none.
const PATIENCE: Patience = Patience::SETTLE;
