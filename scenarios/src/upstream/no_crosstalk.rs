//! Many requests at once to both upstreams.

use futures_util::future::try_join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Request, Scenario, Seen,
    SiteNeed, StageUse, deployment::Endpoint,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/no_crosstalk",
    claim: "each of many requests, at once and one after the other, gets the answer to itself, from its own upstream",
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
        let (endpoint, text, request) = numbered(ask, &endpoints, number);
        async move { Ok::<_, HarnessError>((ask.exchange(request).await?, endpoint, text)) }
    });
    for (seen, endpoint, text) in try_join_all(requests).await? {
        is_its_own(checks, &seen, endpoint, &text);
    }
    // One after the other, so that connections to each upstream are idle when the other one's turn comes.
    let mut connection = ask.client().connect().await?;
    for number in REQUESTS..REQUESTS + 2 * endpoints.len() {
        if !connection.is_usable() {
            connection = ask.client().connect().await?;
        }
        let (endpoint, text, request) = numbered(ask, &endpoints, number);
        let seen = ask.exchange_on(&connection, request).await?;
        is_its_own(checks, &seen, endpoint, &text);
    }
    Ok(())
}

/// A request that its upstream echoes.
fn numbered<'e>(
    ask: &Ask<'_>,
    endpoints: &'e [Endpoint],
    number: usize,
) -> (&'e Endpoint, String, Request) {
    let endpoint = &endpoints[number % endpoints.len()];
    let text = format!("{} {number}", endpoint.upstream);
    let request = ask.request("POST", endpoint.target.clone());
    let request = request.body(text.clone());
    let echo = Script::new().read_body();
    ask.script(&request, echo.reply(200, "text/plain", text.clone()));
    (endpoint, text, request)
}

fn is_its_own(checks: &mut Checks, seen: &Seen, endpoint: &Endpoint, text: &str) {
    checks.about(text);
    if checks.arrived_at(seen, &endpoint.upstream, MIXED).is_some() {
        checks.body_intact(seen, text.as_bytes(), MIXED);
    }
    checks.answer_body(seen, text.as_bytes(), MIXED);
}

const REQUESTS: usize = 32;
