//! A reload with a configuration that cannot be read.

use proxyproof_harness::Feature;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "lifecycle/bad_configuration_refused",
    claim: "after a reload with a broken configuration the old one goes on serving",
    why: "a typing error must not take the site down",
    asks: "the configuration file is broken; reload; client ── GET ──▶ candidate ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::Reload],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage),
    findings: &[GONE],
    breaks: &[Break::new("bad_reload_kills", GONE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const GONE: Code = Code::new(
    "lifecycle.bad_reload_kills",
    "a reload with a broken configuration stops the proxy",
    "a typing error takes the site down until somebody notices",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let configuration = ask.stage().configuration();
    let Some(main) = configuration.files().first() else {
        checks.skip("the candidate has no configuration file");
        return Ok(());
    };
    configuration.rewrite(&main.name, "this is no configuration {\n")?;
    ask.stage().reload()?;
    for number in 0..REQUESTS {
        checks.about(format!("request {number} after the reload"));
        let Ok(seen) = answered(ask, ask.plain()).await else {
            let finding = GONE
                .finding()
                .expected("the old configuration goes on serving");
            checks.push(finding.observed("nobody takes connections any more"));
            return Ok(());
        };
        checks.status(&seen, 200, GONE);
    }
    Ok(())
}

/// By then the reload has been tried; requests that follow each other closely would outrun it.
const REQUESTS: usize = 20;
