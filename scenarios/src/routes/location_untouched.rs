//! A redirect of a program's.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/location_untouched",
    claim: "a program's Location reaches the client as the program wrote it, relative or not",
    why: "a proxy that makes it absolute names http or the port of its own listener: the browser is sent where nobody answers, \
          or drops its credentials on the way (eneo#871, filaops PR#544)",
    asks: "upstream ── 302, Location: /login?next=x ──▶ candidate ── the same ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::UnchangedPaths],
    stage: StageUse::Shared,
    findings: &[REWRITTEN],
    breaks: &[Break::new("rewrite_location", REWRITTEN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REWRITTEN: Code = Code::new(
    "routes.location_rewritten",
    "the Location of a program's redirect is changed on the way",
    "browsers are sent to an address that only exists on the server, or to http",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let public = format!(
        "{}://{}/login",
        ask.deployment().identity.scheme,
        ask.host()
    );
    for location in [
        "/login?next=%2Fx#top",
        &public,
        "https://id.example/start?a=b",
    ] {
        checks.about(format!("Location: {location}"));
        let request = ask.plain();
        let fields = [("Location", location), ("Content-Length", "0")];
        ask.script(&request, Script::new().head(302, &fields));
        let seen = ask.exchange(request).await?;
        checks.answer_field(&seen, "Location", location, REWRITTEN);
    }
    Ok(())
}
