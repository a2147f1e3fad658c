//! An upstream that dies before it answers.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/dies_before_head",
    claim: "an upstream that closes or resets before its answer becomes 502, 503 or 504, and a POST is sent only once",
    why: "a completion that is sent again is paid for again",
    asks: "client ── POST ──▶ candidate ──▶ upstream reads it, then FIN or RST; 5xx, one arrival",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::WithErrors,
    findings: &[WRONG],
    breaks: &[
        Break::new("retry_twice", WRONG.name),
        Break::new("upstream_down_is_ok", WRONG.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "upstream.death_before_head",
    "an upstream's death before its answer is hidden, or its POST repeated",
    "clients hang, or a completion runs twice",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (how, cut) in [
        ("FIN", Script::fin as fn(Script) -> Script),
        ("RST", Script::rst),
    ] {
        checks.about(how);
        let request = ask.completion().body("");
        ask.script(&request, cut(Script::new().read_body()));
        let seen = ask.exchange(request).await?;
        checks.status_in(&seen, &[502, 503, 504], WRONG);
        checks.arrived_once(&seen, WRONG);
    }
    Ok(())
}
