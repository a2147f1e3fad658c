//! Many requests at once to both upstreams.

use futures_util::future::try_join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/no_crosstalk",
    claim: "each of many parallel requests gets the answer to itself, from its own upstream",
    why: "an answer that goes to another client is the worst that a pool can do",
    asks: "32 requests at once, half for upstream and half for usage, each with a body of its own ──▶ echoed to the right client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[MIXED],
    breaks: &[Break::new("one_pool", MIXED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MIXED: Code = Code::new(
    "upstream.answers_mixed_up",
    "a request gets another one's answer, or reaches another upstream",
    "one user reads another user's completion",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let endpoints = ask.deployment().endpoints(Purpose::Plain);
    let requests = (0..REQUESTS).map(|number| {
        let endpoint = &endpoints[number % endpoints.len()];
        let upstream = &endpoint.upstream;
        let text = format!("{upstream} {number}");
        let request = ask
            .request("POST", endpoint.target.clone())
            .body(text.clone());
        let echo = Script::new().read_body();
        ask.script(&request, echo.reply(200, "text/plain", text.clone()));
        async move { Ok::<_, HarnessError>((ask.exchange(request).await?, upstream, text)) }
    });
    for (seen, upstream, text) in try_join_all(requests).await? {
        checks.about(text.clone());
        if checks.arrived_at(&seen, upstream, MIXED).is_some() {
            checks.body_intact(&seen, text.as_bytes(), MIXED);
        }
        checks.answer_body(&seen, text.as_bytes(), MIXED);
    }
    Ok(())
}

const REQUESTS: usize = 32;
