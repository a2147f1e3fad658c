//! What a reload changes.

use std::{io, time::Duration};

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Patience, Protocol, Purpose, Scenario,
    SiteNeed, StageUse,
};

use proxyproof_mocks::fault::RunningRelay;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "lifecycle/reload_applies",
    claim: "after a reload the changed configuration is in force",
    why: "whoever renews a certificate or moves a program must be able to rely on the reload; one that does nothing shows when \
          the old certificate ends",
    asks: "the addresses of an upstream are changed to one where nobody listens; reload; client ── GET ──▶ candidate ── 5xx",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::Reload],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    // The relays stand where the servers would, each at an address of its own.
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[WITHOUT_EFFECT],
    breaks: &[Break::new("ignore_reload", WITHOUT_EFFECT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WITHOUT_EFFECT: Code = Code::new(
    "lifecycle.reload_without_effect",
    "a reload does not bring the changed configuration into force",
    "certificates run out and routes stay wrong though the file is right",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = answered(ask, ask.plain()).await?;
    if !checks.status(&seen, 200, WITHOUT_EFFECT) {
        return Ok(());
    }
    if !move_servers_away(ask)? {
        checks.skip("the configuration does not name the addresses of this upstream");
        return Ok(());
    }
    let look = || async {
        let seen = answered(ask, ask.plain()).await;
        match seen.map(|seen| seen.status()) {
            Ok(Some(status)) if status < 500 => Err(format!("status {status}")),
            _ => Ok(()),
        }
    };
    let mut last = String::new();
    for _ in 0..RELOADS {
        ask.stage().reload()?;
        let applied = RELOAD.eventually("the changed configuration", look).await;
        match applied {
            Ok(()) => return Ok(()),
            Err(ran_out) => last = ran_out.to_string(),
        }
    }
    let finding = WITHOUT_EFFECT.finding();
    let finding = finding.expected("an error, as nobody listens at the new address");
    checks.push(finding.observed(last));
    Ok(())
}

/// HAProxy's master starts itself again right after its worker is there, and forgets what it was told before.
const RELOADS: usize = 3;

/// Until one reload shows.
const RELOAD: Patience = Patience::new("reload", Duration::from_secs(2));

/// Changes the addresses of the plain endpoint's servers in the private copies of the configuration, where it names them.
fn move_servers_away(ask: &Ask<'_>) -> Result<bool, HarnessError> {
    let upstream = ask.endpoint(Purpose::Plain).upstream;
    let relays = ask.stage().relays(&upstream).into_iter();
    let servers = relays.flat_map(|relays| relays.servers().iter().map(RunningRelay::address));
    let addresses: Vec<String> = servers.map(|address| address.to_string()).collect();
    let configuration = ask.stage().configuration();
    let mut changed = false;
    for file in configuration.files() {
        let path = configuration.directory().join(&file.name);
        let edit = || -> io::Result<bool> {
            let text = std::fs::read_to_string(&path)?;
            let moved = |text: String, address: &String| text.replace(address, NOBODY);
            let other = addresses.iter().fold(text.clone(), moved);
            std::fs::write(&path, &other)?;
            Ok(other != text)
        };
        changed |= edit().map_err(|cause| HarnessError::System {
            action: format!("change `{}`", file.name),
            cause,
        })?;
    }
    Ok(changed)
}

/// An address of this machine where nobody listens: the port is reserved for services that no system has any more.
const NOBODY: &str = "127.0.0.1:1";
