//! `X-Forwarded-Host` and `X-Forwarded-Port` of the client's own making.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forged_forwarded_host",
    claim: "a client's own X-Forwarded-Host and X-Forwarded-Port reach no upstream",
    why: "programs build links and redirects from them; a forged one sends the next visitor to another site, or poisons a \
          cache",
    asks: "client ── X-Forwarded-Host: evil.example, X-Forwarded-Port: 1 ──▶ candidate ── neither value ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[LOST, KEPT],
    breaks: &[Break::new("keep_forwarded_host", KEPT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "identity.forwarded_host_lost",
    "a request with an X-Forwarded-Host of its own does not reach its upstream",
    "clients behind another proxy send that field in good faith, and would be locked out",
);
const KEPT: Code = Code::new(
    "identity.forwarded_host_kept",
    "a client can choose the host or port that a program believes to be its own",
    "links and redirects lead to where the client says",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (name, forged) in [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Port", "1"),
    ] {
        checks.about(format!("{name}: {forged}"));
        let seen = answered(ask, ask.plain().header(name, forged)).await?;
        let Some(arrival) = checks.arrived_once(&seen, LOST) else {
            continue;
        };
        let values = arrival.head.all(name);
        let kept = values
            .iter()
            .any(|value| value.contains(forged) && value.len() == forged.len());
        checks.ensure(!kept, || {
            KEPT.finding()
                .seen(&seen)
                .expected(format!("no {name}, or the proxy's own"))
                .observed(format!("{name}: {}", values.join(", ")))
        });
    }
    Ok(())
}
