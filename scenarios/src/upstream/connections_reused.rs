//! Requests one after the other.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/connections_reused",
    claim: "requests one after the other go over pooled upstream connections",
    why: "a connection for each request costs 2 to 4 times the CPU and runs out of ports; `keepalive` alone does not help where Connection: close is sent",
    asks: "client ── 20 GETs on one connection ──▶ candidate ──▶ upstream: how many of them open a connection?",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::Pool],
    stage: StageUse::Own(|stage| stage),
    findings: &[NOT_REUSED],
    breaks: &[
        Break::new("connection_per_request", NOT_REUSED.name),
        Break::new("send_connection_close", NOT_REUSED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_REUSED: Code = Code::new(
    "upstream.connection_per_request",
    "every request opens a connection to the upstream",
    "each request pays for a TCP connection, and the server runs out of ports under load",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let connection = ask.client().connect().await?;
    let mut fresh = 0;
    let mut last = None;
    for _ in 0..REQUESTS {
        let request = ask.plain();
        ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
        let seen = ask.exchange_on(&connection, request).await?;
        fresh += seen
            .arrivals
            .iter()
            .filter(|arrival| arrival.request_number == 1)
            .count();
        last = Some(seen);
    }
    let Some(seen) = last else { return Ok(()) };
    checks.ensure(fresh <= FRESH, || {
        let finding = NOT_REUSED.finding().seen(&seen).focus(&["Connection"]);
        let expected =
            format!("at most {FRESH} of {REQUESTS} requests on a connection of their own");
        finding.expected(expected).observed(format!(
            "{fresh} of {REQUESTS} requests opened a connection"
        ))
    });
    Ok(())
}

const REQUESTS: usize = 20;

/// A candidate with several workers may have a pool for each.
const FRESH: usize = 5;
