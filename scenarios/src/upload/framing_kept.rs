//! How the end of a request's body is told to the upstream.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::ledger::Framing;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/framing_kept",
    claim: "a body with a length arrives with that length, and a GET without a body arrives without one",
    why: "programs on WSGI servers read a chunked body as an empty one, and some refuse a GET that announces one",
    asks: "client ── Content-Length: 1000; GET ──▶ candidate ── Content-Length: 1000; no body ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::Endpoint(Purpose::Upload),
    ],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[
        Break::new("length_as_chunked", CHANGED.name),
        Break::new("chunk_empty_body", CHANGED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "upload.framing_changed",
    "a body with a length becomes a chunked one, or a request without a body gets one",
    "simple programs take the body for empty, or refuse the request",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    checks.about("a body of 1000 bytes");
    let body = Bytes::from_static(&[b'x'; 1000]);
    let seen = answered(ask, ask.upload().body(body)).await?;
    checks.framed(&seen, Framing::Length(1000), CHANGED);
    checks.about("no body");
    let target = ask.endpoint(Purpose::Plain).target;
    let seen = answered(ask, ask.get(target)).await?;
    checks.framed(&seen, Framing::None, CHANGED);
    Ok(())
}
