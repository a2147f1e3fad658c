//! Methods that are not for a reverse proxy.

use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/trace_and_connect",
    claim: "what becomes of TRACE and CONNECT is on record",
    why: "TRACE shows the fields that the proxy adds to whoever asks (RFC 9110 section 9.3.8), CONNECT opens a tunnel",
    asks: "client ── TRACE /v1/models; CONNECT host:443 ──▶ candidate ──▶ recorded: status and upstream",
    level: Level::Observed,
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[],
    breaks: &[Break::new("forward_trace", "TRACE {plain}")],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for line in ["TRACE {plain}", "CONNECT api.example.org:443"] {
        let template = format!("{line} HTTP/1.1\r\nHost: {{host}}\r\n{{tag}}\r\n\r\n");
        let seen = Literal::new(ask, &template)
            .answered(ask)
            .exchange(ask)
            .await?;
        let place = seen
            .arrivals
            .first()
            .map_or("no upstream", |arrival| &*arrival.upstream);
        let status = seen
            .status()
            .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        checks.record(line, format!("{status}, {place}"));
    }
    Ok(())
}
