//! `X-Accel-Redirect` of an upstream.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/accel_redirect_ignored",
    claim: "a program's X-Accel-Redirect does not make the proxy fetch another path",
    why: "a gateway relays fields of the models behind it: whoever runs one of them could have the proxy answer with a page \
          of the usage service",
    asks: "cpa ── X-Accel-Redirect: /health ──▶ candidate ── cpa's own answer ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[OBEYED],
    breaks: &[Break::new("obey_accel_redirect", OBEYED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const OBEYED: Code = Code::new(
    "headers.accel_redirect_obeyed",
    "an upstream's X-Accel-Redirect is obeyed",
    "whoever is behind the gateway chooses what the proxy serves, from the other program too",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.get("/v1/models");
    let fields = [
        ("X-Accel-Redirect", "/health"),
        ("Content-Type", "text/plain"),
        ("Content-Length", "3"),
    ];
    let script = Script::new()
        .read_body()
        .head(200, &fields)
        .bytes(&b"cpa"[..]);
    ask.cpa().script(request.probe_id(), script);
    let seen = ask.exchange(request).await?;
    checks.answer_body(&seen, b"cpa", OBEYED);
    Ok(())
}
