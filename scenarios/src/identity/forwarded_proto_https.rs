//! `X-Forwarded-Proto`.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forwarded_proto_https",
    claim: "the upstreams get the public scheme in X-Forwarded-Proto, https mostly, whatever the client sends in it",
    why: "the public connection is TLS on most sites; a program that is told http builds links and cookies that do not work",
    asks: "client ── nothing, or X-Forwarded-Proto: http ──▶ candidate ── X-Forwarded-Proto: https ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::PublicScheme],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[
        Break::new("no_forwarded_proto", WRONG.name),
        Break::new("plain_forwarded_proto", WRONG.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.forwarded_proto_wrong",
    "X-Forwarded-Proto is not what clients speak",
    "links and cookies are made for the wrong scheme",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for forged in [None, Some("http"), Some("")] {
        checks.about(format!("X-Forwarded-Proto from the client: {forged:?}"));
        let mut request = ask.plain();
        if let Some(forged) = forged {
            request = request.header("X-Forwarded-Proto", forged);
        }
        let seen = answered(ask, request).await?;
        let wanted = &ask.deployment().identity.scheme;
        checks.field(&seen, "X-Forwarded-Proto", wanted, WRONG);
    }
    Ok(())
}
