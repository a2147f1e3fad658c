//! What the proxy says of an upstream that failed.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/failure_names_no_address",
    claim: "the answer to a request whose upstream fails does not say where that upstream listens",
    why: "development servers and some gateways show `connect ECONNREFUSED 127.0.0.1:8317` to whoever asks at the right moment",
    asks: "client ── GET ──▶ candidate ──▶ upstream ── FIN; candidate ── 5xx without 127.0.0.1:8317 ──▶ client",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::WithErrors,
    findings: &[NAMED],
    breaks: &[Break::new("leak_upstream_address", NAMED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NAMED: Code = Code::new(
    "upstream.address_told",
    "the proxy's error page says where an upstream listens",
    "strangers learn what runs behind the proxy, and on which port",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    let upstream = ask.upstream(&ask.endpoint(Purpose::Plain));
    ask.script(&request, Script::new().read_body().fin());
    let seen = ask.exchange(request).await?;
    let address = upstream.address().to_string();
    let Ok(answer) = &seen.answer else {
        return Ok(());
    };
    let said = [
        &String::from_utf8_lossy(answer.head.bytes()),
        &*answer.text(),
    ]
    .concat();
    checks.ensure(!said.contains(&address), || {
        let finding = NAMED.finding().seen(&seen);
        finding
            .expected("an error that names no upstream")
            .observed(said.clone())
    });
    Ok(())
}
