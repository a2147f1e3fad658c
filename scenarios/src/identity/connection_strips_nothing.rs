//! The proxy's own fields in the client's `Connection`.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/connection_strips_nothing",
    claim: "a client cannot strip the fields that name it by listing them in Connection",
    why: "Traefik let clients remove X-Forwarded-For that way (CVE-2024-45410): without the field a program takes the proxy for \
          the client, and that is local",
    asks: "client ── Connection: close, X-Forwarded-For, X-Real-IP ──▶ candidate ── X-Forwarded-For: its address ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[STRIPPED],
    breaks: &[Break::new("connection_strips_identity", STRIPPED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const STRIPPED: Code = Code::new(
    "identity.stripped_by_connection",
    "a client can have the fields that name it removed",
    "whoever asks for it looks local to the program: rules and bans by address are void",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in believing(ask) {
        let fields = fields(ask, &endpoint);
        let usual = answered(ask, ask.to(&endpoint)).await?;
        let Some(usual) = usual.arrivals.first() else {
            continue;
        };
        let listed = format!("close, {}", fields.join(", "));
        checks.about(format!("{} with Connection: {listed}", endpoint.target));
        let seen = answered(ask, ask.to(&endpoint).header("Connection", listed)).await?;
        // A proxy that refuses such a request is right, too.
        if seen.arrivals.is_empty() {
            checks.refused(&seen, STRIPPED);
            continue;
        }
        for name in fields {
            let usual = usual.head.all(name);
            let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
            checks.fields(&seen, name, &usual, STRIPPED);
        }
    }
    Ok(())
}
