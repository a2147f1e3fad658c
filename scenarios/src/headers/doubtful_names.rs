//! Fields that a program may take for the proxy's.

use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/doubtful_names",
    claim: "which fields pass by which a client could claim an address, a path, a method or a proxy is on record",
    why: "some frameworks believe them: CGI and WSGI programs read X_Forwarded_For as X-Forwarded-For, and Proxy as HTTP_PROXY \
          (httpoxy); programs made for another proxy read its fields; old Codex needs session_id to pass",
    asks: "client ── X_Forwarded_For, True-Client-IP, X-Original-URL, Proxy, session_id … ──▶ candidate ──▶ recorded: what arrives",
    level: Level::Observed,
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[],
    breaks: &[
        Break::new("pass_underscore_fields", "X_Forwarded_For"),
        Break::new("keep_spoofable_fields", "X-Original-URL"),
        Break::new("pass_proxy_field", "Proxy"),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (name, value) in FIELDS {
        let seen = answered(ask, ask.plain().header(name, value)).await?;
        let became = match seen.arrivals.first() {
            None => "refused".to_owned(),
            Some(arrival) => match arrival.head.first(name) {
                None => "dropped".to_owned(),
                Some(passed) if passed == value => "passed".to_owned(),
                Some(other) => format!("replaced: {other}"),
            },
        };
        checks.record(name, became);
    }
    Ok(())
}

const FIELDS: [(&str, &str); 10] = [
    ("X_Forwarded_For", "127.0.0.1"),
    ("session_id", "0"),
    ("True-Client-IP", "127.0.0.1"),
    ("CF-Connecting-IP", "127.0.0.1"),
    ("X-Client-IP", "127.0.0.1"),
    ("X-Original-URL", "/other"),
    ("X-Rewrite-URL", "/other"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Forwarded-Prefix", "/other"),
    ("Proxy", "http://evil.example"),
];
