//! A POST on a pooled connection that dies.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/post_never_repeated",
    claim: "a POST that has reached an upstream on a pooled connection is never sent again",
    why: "the keep-alive race (caddy#6452 and many more): a proxy that retries everything makes two completions of one",
    asks: "client ── GET (a pooled connection), then POST ──▶ candidate ──▶ upstream reads it and resets; one arrival",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::Endpoint(Purpose::Stream),
    ],
    stage: StageUse::Own(|stage| stage),
    findings: &[REPEATED],
    breaks: &[Break::new("retry_post", REPEATED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REPEATED: Code = Code::new(
    "upstream.post_repeated",
    "a POST is sent to the upstream twice",
    "a completion runs, and is paid for, twice",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (subject, body) in [("without a body", ""), ("with a body", "{}")] {
        checks.about(subject);
        answered(ask, ask.plain()).await?;
        let request = ask.completion().body(body);
        ask.script(&request, Script::new().read_body().rst());
        let seen = ask.exchange(request).await?;
        checks.arrived_once(&seen, REPEATED);
    }
    Ok(())
}
