//! `X-Accel-Redirect` of an upstream.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/accel_redirect_ignored",
    claim: "a program's X-Accel-Redirect does not make the proxy fetch another path",
    why: "a gateway relays fields of the models behind it: whoever runs one of them could have the proxy answer with a page \
          of the usage service",
    asks: "upstream ── X-Accel-Redirect: /health ──▶ candidate ── the upstream's own answer ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::EveryUpstream,
        SiteNeed::UpstreamsApart,
    ],
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
    let request = ask.plain();
    let elsewhere = elsewhere(ask);
    let fields = [
        ("X-Accel-Redirect", elsewhere.as_str()),
        ("Content-Type", "text/plain"),
        ("Content-Length", "3"),
    ];
    let script = Script::new()
        .read_body()
        .head(200, &fields)
        .bytes(&b"own"[..]);
    ask.script(&request, script);
    let seen = ask.exchange(request).await?;
    checks.answer_body(&seen, b"own", OBEYED);
    Ok(())
}

/// A path of another upstream where the site has one, else another path of the same.
fn elsewhere(ask: &Ask<'_>) -> String {
    let plain = ask.deployment().endpoints(Purpose::Plain);
    let other = plain
        .iter()
        .find(|other| other.upstream != plain[0].upstream);
    other.unwrap_or(&plain[0]).target.clone()
}
