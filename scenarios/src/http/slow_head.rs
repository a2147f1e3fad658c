//! A request head that arrives in many small segments.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::destination::upstream_target;
use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/slow_head",
    claim: "a request head is read however it is cut into segments",
    why: "TCP and the tunnel cut where they like; a proxy that parses one read at a time fails at random",
    asks: "client ── GET /v1/models, a few bytes a segment ──▶ candidate ── the same request ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[MISREAD],
    breaks: &[Break::new("one_segment_head", MISREAD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MISREAD: Code = Code::new(
    "http.split_head_misread",
    "a request head in several segments is refused or misread",
    "requests fail at random, with the network's segmentation",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = Literal::new(
        ask,
        "GET {plain_and}a=b HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nX-Value: split\r\n\r\n",
    )
    .answered(ask);
    let mut connection = ask.client().raw().await?;
    let parts: Vec<&[u8]> = request.bytes.chunks(SEGMENT).collect();
    // A peer that gives up half-way closes; what it said is read all the same.
    let _ = connection.write_split(&parts).await;
    let answer = connection.answer("GET").await;
    let seen = request.seen(ask, &connection, answer).await;
    checks.status(&seen, 200, MISREAD);
    checks.target(
        &seen,
        &upstream_target(ask, &ask.plain_with("a=b")),
        MISREAD,
    );
    checks.field(&seen, "X-Value", "split", MISREAD);
    Ok(())
}

/// Bytes a segment: cuts inside names, values and line ends.
const SEGMENT: usize = 7;
