//! Cookies that HTTP/2 clients send one by one.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/cookies_joined",
    claim: "cookies that come in several HTTP/2 fields arrive in one, joined by a semicolon",
    why: "browsers send each cookie in a field of its own; a program that gets them joined by a comma knows no session \
          (RFC 9113 section 8.2.3)",
    asks: "client ── cookie: a=1, cookie: b=2 ──▶ candidate ── Cookie: a=1; b=2 ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[MISJOINED],
    breaks: &[Break::new("misjoin_cookies", MISJOINED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MISJOINED: Code = Code::new(
    "headers.cookies_misjoined",
    "the cookies of an HTTP/2 request do not arrive as HTTP/1.1 writes them",
    "who is logged in looks like a stranger, over HTTP/2 alone",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let cookies = ["session=abc", "theme=dark", "_ga=GA1.1.1"];
    let request = cookies.iter().fold(ask.plain(), |request, cookie| {
        request.header("cookie", *cookie)
    });
    let seen = answered(ask, request).await?;
    checks.field(&seen, "Cookie", &cookies.join("; "), MISJOINED);
    Ok(())
}
