//! An upstream that is down.

use proxyproof_harness::deployment::Endpoint;
use proxyproof_harness::stage::Relays;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::ledger::How;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/down_is_502",
    claim: "while one upstream is down its requests get 502, 503 or 504 at once, and the other upstream's are served",
    why: "a client that gets an error at once can retry or say so; one dead program must not take the other one with it",
    asks: "upstream refuses connections; client ── GET, POST ──▶ candidate ── 5xx; GET /health ──▶ usage ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream), SiteNeed::EveryUpstream],
    stage: StageUse::Own(|stage| stage.relays(Relays::Between)),
    findings: &[NOT_TOLD],
    breaks: &[
        Break::new("upstream_down_is_ok", NOT_TOLD.name),
        Break::new("failure_spreads", NOT_TOLD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_TOLD: Code = Code::new(
    "upstream.down_not_told",
    "an upstream that is down is not told as such, or takes the other one with it",
    "clients hang or take an error for an answer",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let down = ask.endpoint(Purpose::Stream);
    let Some(relay) = ask.stage().relays(&down.upstream) else {
        checks.skip("nothing of the harness stands between the candidate and this upstream");
        return Ok(());
    };
    relay.refuse().await;
    relay.cut_idle(How::Fin).await;
    for method in ["GET", "POST"] {
        checks.about(format!("{method} while {} is down", down.upstream));
        let seen = answered(ask, ask.request(method, down.target.clone())).await?;
        checks.status_in(&seen, &[502, 503, 504], NOT_TOLD);
        for other in others(ask, &down) {
            checks.about(format!(
                "{} while {} is down",
                other.upstream, down.upstream
            ));
            let seen = answered(ask, ask.to(&other)).await?;
            checks.status(&seen, 200, NOT_TOLD);
        }
    }
    Ok(())
}

/// A plain request to each other upstream.
fn others(ask: &Ask<'_>, down: &Endpoint) -> Vec<Endpoint> {
    let mut plain = ask.deployment().endpoints(Purpose::Plain);
    plain.retain(|endpoint| endpoint.upstream != down.upstream);
    plain
}
