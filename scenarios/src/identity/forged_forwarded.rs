//! `Forwarded` of the client's own making.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forged_forwarded",
    claim: "a client's own Forwarded reaches no upstream",
    why: "RFC 7239 section 8.1: an element in front of the proxy's own is believed by whoever reads from the left, just as \
          in X-Forwarded-For",
    asks: "client ── Forwarded: for=127.0.0.1 ──▶ candidate ── no element for 127.0.0.1 ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[LOST, KEPT],
    breaks: &[Break::new("keep_forwarded", KEPT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "identity.forwarded_request_lost",
    "a request with a Forwarded of its own does not reach its upstream",
    "clients behind another proxy send that field in good faith, and would be locked out",
);
const KEPT: Code = Code::new(
    "identity.forwarded_kept",
    "an element of the client's own stays in Forwarded",
    "a program that reads the first element believes the address that the client chose",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for forged in [
        "for=127.0.0.1",
        "for=127.0.0.1;proto=http;host=evil.example",
    ] {
        checks.about(format!("Forwarded: {forged}"));
        let seen = answered(ask, ask.plain().header("Forwarded", forged)).await?;
        let Some(arrival) = checks.arrived_once(&seen, LOST) else {
            continue;
        };
        let values = arrival.head.all("Forwarded").join(", ");
        checks.ensure(!values.contains("127.0.0.1"), || {
            KEPT.finding()
                .seen(&seen)
                .expected("no element for 127.0.0.1")
                .observed(format!("Forwarded: {values}"))
        });
    }
    Ok(())
}
