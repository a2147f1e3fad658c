//! Waves of parallel requests.

use futures_util::future::try_join_all;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use crate::at_once::{Wave, wave};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/parallel_bounded",
    claim: "after a wave of parallel requests the next wave goes over the same upstream connections",
    why: "a pool that keeps fewer idle connections than are in use opens and closes them all the time: 2.5 times the CPU with `keepalive 4` under 32 connections",
    asks: "4 waves of 16 GETs at once (of as many as the site keeps connections, where that is less) ──▶ candidate ──▶ the upstream holds each wave until it is complete",
    level: Level::Recommended,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::Pool],
    stage: StageUse::Own(|stage| stage),
    findings: &[CHURN, NOT_AT_ONCE],
    breaks: &[Break::new("small_pool", CHURN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHURN: Code = Code::new(
    "upstream.connections_churn",
    "every wave of requests opens its connections anew",
    "under load most requests pay for a new connection",
);

const NOT_AT_ONCE: Code = Code::new(
    "upstream.wave_held_back",
    "of requests that clients send at once some wait for others",
    "a few thinking models stop everybody else",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client();
    let width = width(ask);
    let connections = try_join_all((0..width).map(|_| client.connect())).await?;
    let mut fresh = 0;
    for _ in 0..WAVES {
        let send = |number: usize, request| ask.exchange_on(&connections[number], request);
        let Wave { arrived, seen } = wave(ask, width, Patience::SETTLE, send).await;
        if arrived < width {
            let finding = NOT_AT_ONCE.finding().expected(format!(
                "{width} requests at the upstream before one is answered"
            ));
            checks.push(finding.observed(format!("{arrived} of them")));
            return Ok(());
        }
        let arrivals = seen?.into_iter().flat_map(|seen| seen.arrivals);
        fresh += arrivals
            .filter(|arrival| arrival.request_number == 1)
            .count();
    }
    if fresh == WAVES * width {
        checks.skip("no connection is used twice: upstream/connections_reused");
        return Ok(());
    }
    checks.ensure(fresh <= 2 * width, || {
        let expected = format!(
            "at most {} connections for {WAVES} waves of {width} requests",
            2 * width
        );
        CHURN
            .finding()
            .expected(expected)
            .observed(format!("{fresh} connections"))
    });
    Ok(())
}

/// No more at once than the upstream's pool keeps: what is above it may be closed.
fn width(ask: &Ask<'_>) -> usize {
    let upstream = ask.endpoint(Purpose::Plain).upstream;
    let pool = ask.deployment().upstreams[&upstream].pool().value as usize;
    pool.min(WIDTH)
}

const WIDTH: usize = 16;
const WAVES: usize = 4;
