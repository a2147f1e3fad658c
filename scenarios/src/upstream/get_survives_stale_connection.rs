//! A pooled connection that the upstream has closed.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/get_survives_stale_connection",
    claim: "a GET is answered although the pooled connection it goes out on is closed at that moment",
    why: "programs close idle connections when they like (Node after 5 s): random 502s behind every proxy that does not notice (freellmapi PR#1116, h2o#281)",
    asks: "client ── GET (a pooled connection), then GET ──▶ candidate ──▶ upstream closes as it arrives; asked again ── 200",
    level: Level::Recommended,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage),
    findings: &[STALE],
    breaks: &[Break::new("never_retry", STALE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const STALE: Code = Code::new(
    "upstream.stale_connection_used",
    "a request fails because a pooled connection was closed meanwhile",
    "clients see a 502 now and then, without anything being wrong",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (how, cut) in [
        ("FIN", Script::fin as fn(Script) -> Script),
        ("RST", Script::rst),
    ] {
        checks.about(how);
        answered(ask, ask.plain()).await?;
        let request = ask.plain();
        ask.script(&request, cut(Script::new()));
        ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
        let seen = ask.exchange(request).await?;
        // On a connection of its own the request was not caught out by a pool, and an error is right.
        if seen
            .arrivals
            .first()
            .is_some_and(|arrival| arrival.request_number > 1)
        {
            checks.status(&seen, 200, STALE);
        }
    }
    Ok(())
}
