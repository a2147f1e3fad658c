//! Errors of an upstream.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/error_statuses_pass",
    claim: "an upstream's error arrives with its status, its body and its Retry-After",
    why: "SDKs read the JSON of a 429 or 529 and the time to wait; an HTML page of the proxy's makes every error the same",
    asks: "upstream ── 400 … 529 with JSON ──▶ candidate ── the same ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::WithErrors,
    findings: &[REPLACED],
    breaks: &[
        Break::new("replace_errors", REPLACED.name),
        Break::new("drop_retry_after", REPLACED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REPLACED: Code = Code::new(
    "upstream.error_replaced",
    "an upstream's error is replaced or stripped",
    "clients cannot tell a rate limit from a bad request, and retry at the wrong time",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for status in STATUSES {
        checks.about(format!("status {status}"));
        let request = ask.plain();
        let length = BODY.len().to_string();
        let fields = [
            ("Content-Type", "application/json"),
            ("Retry-After", "7"),
            ("Content-Length", &length),
        ];
        ask.script(&request, Script::new().head(status, &fields).bytes(BODY));
        let seen = ask.exchange(request).await?;
        checks.status(&seen, status, REPLACED);
        checks.answer_body(&seen, BODY.as_bytes(), REPLACED);
        checks.answer_field(&seen, "Retry-After", "7", REPLACED);
    }
    Ok(())
}

const STATUSES: [u16; 12] = [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529];
const BODY: &str = r#"{"error":{"message":"mock","type":"mock_error"}}"#;
