//! `X-Forwarded-For` of the client's own making.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::client_address::believing_in;

const LOST: Code = Code::new(
    "identity.forged_request_lost",
    "a request with an X-Forwarded-For of its own does not reach its upstream",
    "clients behind another proxy send that field in good faith, and would be locked out",
);
const APPENDED: Code = Code::new(
    "identity.forwarded_for_appended",
    "a client can choose the address that the program believes",
    "a program that believes what stands in it is told who is local, and a ban is dodged by changing the value",
);

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forged_forwarded_for",
    claim: "the upstreams get the client's address alone in X-Forwarded-For, whatever the client sends in it",
    why: "CLIProxyAPI#4733: bans bypassed and other addresses framed, because CPA believes the left-most entry and the \
          proxy only appends to what the client sent",
    asks: "client 203.0.113.7 ── X-Forwarded-For: 127.0.0.1 ──► candidate ── X-Forwarded-For: 203.0.113.7 ──► upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::ClientField("X-Forwarded-For")],
    stage: StageUse::Shared,
    findings: &[LOST, APPENDED],
    breaks: &[
        Break::new("append_forwarded_for", APPENDED.name),
        Break::new("no_forwarded_for", APPENDED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in believing_in(ask, "X-Forwarded-For") {
        let target = &endpoint.target;
        for forged in ["127.0.0.1", "::1", "198.51.100.1, 127.0.0.1", ""] {
            checks.about(format!("{target} with X-Forwarded-For: {forged}"));
            let seen = answered(ask, ask.to(&endpoint).header("X-Forwarded-For", forged)).await?;
            // Where it arrives, others look at.
            if checks.arrived_once(&seen, LOST).is_some() {
                checks.field(
                    &seen,
                    "X-Forwarded-For",
                    &ask.client_address().to_string(),
                    APPENDED,
                );
            }
        }
    }
    Ok(())
}
