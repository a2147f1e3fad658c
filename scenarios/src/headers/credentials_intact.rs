//! Keys and versions.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/credentials_intact",
    claim: "credentials and protocol versions of every kind of client arrive as they were sent",
    why: "each SDK has a field of its own; one that is dropped is a 401 for this SDK alone",
    asks: "client ── Authorization, X-Api-Key, X-Goog-Api-Key, Anthropic-Version, OpenAI-Beta ──▶ candidate ── the same ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[DROPPED],
    breaks: &[
        Break::new("drop_authorization", DROPPED.name),
        Break::new("drop_api_key", DROPPED.name),
        Break::new("drop_custom_fields", DROPPED.name),
        Break::new("drop_repeated_fields", DROPPED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DROPPED: Code = Code::new(
    "headers.credential_dropped",
    "a credential or protocol field is dropped or changed",
    "one kind of client gets 401 while the others work",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = FIELDS.iter().fold(ask.plain(), |request, (name, value)| {
        request.header(*name, *value)
    });
    let request = BETAS.iter().fold(request, |request, beta| {
        request.header("Anthropic-Beta", *beta)
    });
    let seen = answered(ask, request).await?;
    let upstream = &ask.deployment().upstreams[&ask.endpoint(Purpose::Plain).upstream];
    let is_own = |name: &str| {
        let mut own = upstream.own_fields.iter();
        own.any(|own| own.eq_ignore_ascii_case(name))
    };
    for (name, value) in FIELDS.into_iter().filter(|(name, _)| !is_own(name)) {
        checks.field(&seen, name, value, DROPPED);
    }
    // RFC 9110 section 5.3: two lines of a list are as good as one with both.
    let expected = format!("Anthropic-Beta: {}, in one line or two", BETAS.join(", "));
    checks.field_where(&seen, "Anthropic-Beta", &expected, DROPPED, |found| {
        let values = found.iter().flat_map(|line| line.split(','));
        values.map(str::trim).eq(BETAS)
    });
    Ok(())
}

/// Each in a line of its own, as SDKs send what they and their caller ask for.
const BETAS: [&str; 2] = ["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"];

const FIELDS: [(&str, &str); 6] = [
    ("Authorization", "Bearer sk-A+/=b.c"),
    ("X-Api-Key", "sk-ant-1"),
    ("X-Goog-Api-Key", "AIza-1"),
    ("Anthropic-Version", "2023-06-01"),
    ("OpenAI-Beta", "responses_websockets=2026-02-06"),
    ("X-Codex-Turn-Metadata", "{\"a\":[1,2]}"),
];
