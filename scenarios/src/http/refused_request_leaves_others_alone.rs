//! A refused request beside good ones.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/refused_request_leaves_others_alone",
    claim: "a refused request does not touch the requests of other connections",
    why: "one scanner with malformed requests must not take the site from everybody else",
    asks: "client A ── garbage ──▶ candidate; client B ── GET, before and after, on one connection ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[DISTURBED],
    breaks: &[Break::new("garbage_kills", DISTURBED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DISTURBED: Code = Code::new(
    "http.refusal_disturbs_others",
    "a refused request disturbs the requests of others",
    "one malformed request interrupts everybody's streams",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let connection = ask.client().connect().await?;
    let mut steady = ask.plain();
    for step in ["before the garbage", "after the garbage"] {
        checks.about(step);
        let request = std::mem::replace(&mut steady, ask.plain());
        ask.script(
            &request,
            proxyproof_mocks::Script::new().reply(200, "text/plain", "answer"),
        );
        let seen = ask.exchange_on(&connection, request).await?;
        checks.status(&seen, 200, DISTURBED);
        Literal::new(ask, "\x01\x02\x03 garbage\r\n\r\n")
            .exchange(ask)
            .await?;
    }
    checks.about("a new connection");
    let seen = answered(ask, ask.plain()).await?;
    checks.status(&seen, 200, DISTURBED);
    Ok(())
}
