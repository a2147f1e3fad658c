//! Connection-specific fields in HTTP/2.

use proxyproof_harness::{Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, StageUse};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/connection_fields_on_h2",
    claim: "connection-specific fields of an HTTP/2 request never reach an upstream",
    why: "RFC 9113 section 8.2.2: translated to HTTP/1.1 they would change the framing or the life of the upstream connection",
    asks: "client ── connection, transfer-encoding, upgrade in HTTP/2 ──▶ candidate ── refused, or forwarded without them",
    level: Level::Required,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[],
    stage: StageUse::Shared,
    findings: &[PASSED],
    breaks: &[Break::new("relay_h2_fields", PASSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const PASSED: Code = Code::new(
    "http.connection_field_passed",
    "a connection-specific field of an HTTP/2 request reaches the program",
    "a client decides over the proxy's own connection to the program, up to smuggling a request",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (name, value) in FIELDS {
        checks.about(format!("{name}: {value}"));
        let seen = answered(ask, ask.get("/v1/models").header(name, value)).await?;
        if !seen.arrivals.is_empty() {
            checks.field_where(&seen, name, &format!("no {name}: {value}"), PASSED, |found| {
                !found.iter().any(|found| found.contains(value))
            });
        }
    }
    Ok(())
}

const FIELDS: [(&str, &str); 4] =
    [("connection", "x-secret"), ("transfer-encoding", "gzip"), ("upgrade", "h2c"), ("keep-alive", "timeout=5")];
