//! Escapes that are none.

use crate::answer::answered;
use crate::destination::path_of;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/bad_encoding_refused",
    claim: "a malformed escape, and an escaped NUL, are refused and reach no upstream",
    why: "programs disagree on what `%zz` means, and a NUL ends the path for some of them",
    asks: "client ── GET /v1/models%00, /v1/%zz ──▶ candidate ── 4xx, nothing forwarded",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[
        Break::new("serve_nul", SERVED.name),
        Break::new("serve_bad_escape", SERVED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "routes.bad_encoding_served",
    "a path that cannot be decoded is forwarded",
    "proxy and program may read different paths",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let plain = ask.endpoint(Purpose::Plain).target;
    let path = path_of(&plain);
    for behind in ["%00", "%00.json", "/%zz", "%", "%2"] {
        let target = format!("{path}{behind}");
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target)).await?;
        checks.refused(&seen, SERVED);
    }
    Ok(())
}
