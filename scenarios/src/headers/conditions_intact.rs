//! What a client says about the answer that it wants.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/conditions_intact",
    claim: "Range, the conditional fields and Accept-Encoding arrive as the client sent them",
    why: "without them every download begins anew, every page is sent again though the browser has it, and nothing is compressed",
    asks: "client ── Range, If-Range, If-None-Match, Accept-Encoding ──▶ candidate ── the same ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[DROPPED],
    breaks: &[
        Break::new("drop_range", DROPPED.name),
        Break::new("drop_accept_encoding", DROPPED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DROPPED: Code = Code::new(
    "headers.condition_dropped",
    "a field about the wanted part, version or coding of the answer is dropped or changed",
    "whole answers are sent where a part, nothing or a compressed one would do",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for fields in [PART, VERSION] {
        let request = fields.iter().fold(ask.plain(), |request, (name, value)| {
            request.header(*name, *value)
        });
        let seen = answered(ask, request).await?;
        for (name, value) in fields {
            checks.field(&seen, name, value, DROPPED);
        }
    }
    Ok(())
}

/// RFC 9110 section 14.2: the rest of what was begun, if it is still the same.
const PART: &[(&str, &str)] = &[("Range", "bytes=1000-"), ("If-Range", "\"v1\"")];

/// RFC 9110 section 13.1: nothing, if it is still the same.
const VERSION: &[(&str, &str)] = &[
    ("If-None-Match", "\"v1\", W/\"v2\""),
    ("If-Modified-Since", "Mon, 30 Nov 2026 10:00:00 GMT"),
    ("Accept-Encoding", "gzip, br"),
];
