//! Bytes that no target should have.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::destination::path_of;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/unlawful_bytes",
    claim: "a target with `#` or a raw 8-bit byte is refused, or arrives as the client sent it",
    why: "RFC 9112 section 3.2 leaves two honest ways, to refuse and to pass on; what is cut off in between is in no log, \
          and proxy and program then speak of two different paths",
    asks: "client ── GET /v1/models#x, GET /v1/\\xe9 ──▶ candidate ── 400, or the same bytes ──▶ upstream",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::UnchangedPaths],
    stage: StageUse::Shared,
    findings: &[ALTERED],
    breaks: &[Break::known_gap(ALTERED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const ALTERED: Code = Code::new(
    "routes.target_cut",
    "a target that should have been refused is altered and served",
    "proxy and program disagree on what was asked for, and no log says so",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let plain = ask.endpoint(Purpose::Plain).target;
    let path = path_of(&plain);
    for behind in [&b"#x"[..], b"?a=1#x", b"/\xe9", b"/\xc3\xa9"] {
        checks.about(format!("GET {path}{}", behind.escape_ascii()));
        let target = [path.as_bytes(), behind].concat();
        let seen = answered(ask, ask.get(Bytes::from(target.clone()))).await?;
        if !seen.arrivals.is_empty() {
            checks.target(&seen, &String::from_utf8_lossy(&target), ALTERED);
        }
    }
    Ok(())
}
