//! A server that is there for when the others are gone.

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::fault::RunningRelay;
use proxyproof_mocks::ledger::How;

use crate::answer::{answered, served};
use crate::at_once::at_once;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/backup_in_reserve",
    claim: "a backup server gets requests while all other servers of its group are gone, and only then",
    why: "a backup is a smaller or a dearer server: what it gets in between costs money, and what it does not get in need is lost",
    asks: "client ── 6 GETs at once ──▶ candidate ──▶ the servers, not the backup; they refuse; client ── GET ──▶ candidate ──▶ the backup ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::BackupServer],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::BackupServer],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[SHARES, UNUSED],
    breaks: &[
        Break::new("backup_shares", SHARES.name),
        Break::new("backup_never_used", UNUSED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SHARES: Code = Code::new(
    "upstream.backup_shares",
    "a backup server gets requests while the other servers are there",
    "a server that is meant for the day of need is busy, and paid for, every day",
);

const UNUSED: Code = Code::new(
    "upstream.backup_unused",
    "a request is lost although the backup server is there",
    "the backup helps nobody on the day that it is there for",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let upstream = ask.endpoint(Purpose::Plain).upstream;
    let servers = &ask.deployment().upstreams[&upstream].servers;
    let relays = ask.stage().relays(&upstream).into_iter();
    let relays: Vec<_> = relays
        .flat_map(|relays| relays.servers())
        .zip(servers)
        .collect();
    if relays.is_empty() {
        checks.skip("nothing of the harness stands between the candidate and this upstream");
        return Ok(());
    }
    let of = |backup: bool| {
        let relays = relays
            .iter()
            .filter(move |(_, server)| server.backup == backup);
        relays
            .map(|(relay, _)| *relay)
            .collect::<Vec<&RunningRelay>>()
    };
    let (others, backups) = (of(false), of(true));
    let taken = || {
        backups
            .iter()
            .map(|backup| backup.accepted())
            .sum::<usize>()
    };
    let before = taken();
    checks.about(format!("GET while every server of {upstream} is there"));
    for seen in at_once(ask, REQUESTS).await? {
        let connected = taken() - before;
        if checks.status(&seen, 200, SHARES) {
            checks.ensure(connected == 0, || {
                let finding = SHARES.finding().seen(&seen);
                finding
                    .expected("no connection to a backup server")
                    .observed(format!("{connected} connections to it"))
            });
        }
    }
    for other in others {
        other.refuse().await;
        other.cut_idle(How::Fin).await;
    }
    checks.about(format!("GET while {upstream} has its backup alone"));
    // A proxy that checks its servers needs a check to find out.
    served(ask, "an answer of the backup").await;
    let seen = answered(ask, ask.plain()).await?;
    checks.status(&seen, 200, UNUSED);
    Ok(())
}

/// More than there are servers, so that each has its turn.
const REQUESTS: usize = 6;
