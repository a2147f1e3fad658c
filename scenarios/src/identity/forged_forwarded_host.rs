//! `X-Forwarded-Host` and `X-Forwarded-Port` of the client's own making.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forged_forwarded_host",
    claim: "a client's own X-Forwarded-Host and X-Forwarded-Port reach no upstream, and the proxy's port is the public one",
    why: "programs build links and redirects from them; a forged one sends the next visitor to another site, or poisons a \
          cache",
    asks: "client ── X-Forwarded-Host: evil.example, X-Forwarded-Port: 1 ──▶ candidate ── neither value ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[LOST, KEPT, INTERNAL],
    breaks: &[
        Break::new("keep_forwarded_host", KEPT.name),
        Break::new("listener_forwarded_port", INTERNAL.name),
    ],
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

const INTERNAL: Code = Code::new(
    "identity.forwarded_port_internal",
    "X-Forwarded-Port is not the port that clients see",
    "a program that builds links from it sends browsers to a port of the server's own",
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
    checks.about("a request without them");
    let seen = answered(ask, ask.plain()).await?;
    if let Some(arrival) = checks.arrived_once(&seen, LOST) {
        let port = ask.deployment().identity.port.to_string();
        let told = arrival.head.all("X-Forwarded-Port");
        checks.ensure(told.iter().all(|told| *told == port), || {
            INTERNAL
                .finding()
                .seen(&seen)
                .expected(format!("no X-Forwarded-Port, or {port}"))
                .observed(format!("X-Forwarded-Port: {}", told.join(", ")))
        });
    }
    Ok(())
}
