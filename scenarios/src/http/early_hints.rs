//! An informational answer.

use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/early_hints",
    claim: "what becomes of an upstream's 103, and of the answer behind it, is on record",
    why: "RFC 9110 section 15.2 has a proxy pass it on; NGINX 1.22.1 takes it for the answer itself, later versions drop it",
    asks: "upstream ── 103, then 200 ──▶ candidate ──▶ recorded: the statuses that the client reads",
    level: Level::Observed,
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::WithErrors,
    findings: &[],
    breaks: &[Break::new("swallow_interim", "103, then 200")],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    let hints = [("Link", "</style.css>; rel=preload")];
    let script = Script::new()
        .head(103, &hints)
        .reply(200, "text/plain", "own");
    ask.script(&request, script);
    let seen = ask.exchange(request).await?;
    let became = match &seen.answer {
        Err(_) => "no answer".to_owned(),
        Ok(answer) => {
            let interim = answer.informational.iter().map(|one| one.status);
            let statuses: Vec<String> = interim
                .chain([answer.status])
                .map(|status| status.to_string())
                .collect();
            let whole = if answer.is_exactly(b"own") {
                ""
            } else {
                ", its body damaged"
            };
            format!("{}{whole}", statuses.join(", "))
        }
    };
    checks.record("103, then 200", became);
    Ok(())
}
