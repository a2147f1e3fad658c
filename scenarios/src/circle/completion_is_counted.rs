//! A completion, all the way to the statistics.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::completion::completion;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "circle/completion_is_counted",
    claim: "a completion through the proxy appears in the statistics that are read through the proxy, with the client's address",
    why: "the whole site in one question: proxy, gateway, its queue, the usage service's collector, and the proxy again",
    asks: "client ── completion ──▶ cpa ──▶ queue ──▶ usage service; client ── GET /v0/management/usage/export ──▶ the record",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[NOT_COUNTED],
    breaks: &[
        Break::new("swap_upstreams", NOT_COUNTED.name),
        Break::new("drop_authorization", NOT_COUNTED.name),
        Break::new("no_forwarded_for", NOT_COUNTED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_COUNTED: Code = Code::new(
    "circle.completion_not_counted",
    "a completion does not appear in the statistics as this client's",
    "the operator's numbers are wrong, or say nothing about who used what",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let body = r#"{"model":"m-fast","messages":[{"role":"user","content":"hi"}]}"#;
    let request = completion(ask, "/v1/chat/completions", body);
    let mark = format!("proxyproof-{}", request.probe_id());
    let seen = ask
        .exchange(request.header("User-Agent", mark.clone()))
        .await?;
    checks.status(&seen, 200, NOT_COUNTED);
    let deadline = tokio::time::Instant::now() + Patience::SETTLE.scaled();
    loop {
        let export = ask
            .get("/v0/management/usage/export")
            .header("Authorization", "Bearer mgmt-key");
        let export = ask.exchange(export).await?;
        let text = export
            .answer
            .as_ref()
            .map(proxyproof_harness::Answer::text)
            .unwrap_or_default();
        let record = text.lines().find(|line| line.contains(&mark));
        let counted =
            record.is_some_and(|record| record.contains(&ask.client_address().to_string()));
        if counted
            || record.is_some()
            || export.status() != Some(200)
            || tokio::time::Instant::now() > deadline
        {
            checks.ensure(counted, || {
                let finding = NOT_COUNTED.finding().seen(&export);
                finding
                    .expected(format!("a record with {mark} and the client's address"))
                    .observed(record.unwrap_or("no such record").to_owned())
            });
            return Ok(());
        }
    }
}
