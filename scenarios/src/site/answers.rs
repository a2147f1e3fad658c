//! The requests that everything else is compared with.

use futures_util::future::try_join_all;
use proxyproof_harness::check::THE_SITE_STOPPED;
use proxyproof_harness::deployment::Endpoint;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Reach, Request,
    Scenario, Seen, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "site/answers",
    claim: "an ordinary request to each endpoint reaches an upstream, and the answer its client",
    why: "where nothing passes, a refusal proves nothing, and \"nothing arrived\" is true of everything",
    asks: "client ── GET, POST, Upgrade ──▶ candidate ──▶ upstream ── 200 ──▶ candidate ──▶ client; first, and again last",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Control,
    findings: &[SILENT, THE_SITE_STOPPED],
    breaks: &[Break::new("answer_bad_gateway", SILENT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SILENT: Code = Code::new(
    "site.does_not_answer",
    "the site does not answer",
    "nothing else can be said about it, so nothing else is asked",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let controls = endpoints(ask).into_iter();
    let controls = controls.map(|(reach, endpoint)| one(ask, checks.beside(), reach, endpoint));
    for own in try_join_all(controls).await? {
        checks.absorb(own);
    }
    Ok(())
}

/// The usual endpoint for each purpose that scenarios ask for, and the plain one of every other upstream.
fn endpoints(ask: &Ask<'_>) -> Vec<(Reach, Endpoint)> {
    let mut purposes = vec![Purpose::Plain, Purpose::Stream, Purpose::Upload];
    // Over HTTP/2 a handshake is an extended CONNECT, which one scenario is about.
    if ask.protocol().listener() == Protocol::H1 {
        purposes.push(Purpose::WebSocket);
    }
    let usual = purposes.into_iter().filter_map(|purpose| {
        let endpoint = ask.deployment().endpoint(purpose)?;
        Some((Reach::Usual(purpose), endpoint))
    });
    let plain = ask.deployment().endpoints(Purpose::Plain).into_iter();
    let others = plain
        .skip(1)
        .map(|endpoint| (Reach::EveryUpstream, endpoint));
    let all = usual.chain(others);
    all.filter(|(reach, _)| ask.relies_on(*reach)).collect()
}

async fn one(
    ask: &Ask<'_>,
    mut checks: Checks,
    reach: Reach,
    endpoint: Endpoint,
) -> Result<Checks, HarnessError> {
    let (request, purpose) = (ask.to(&endpoint), endpoint.purpose);
    checks.about(format!(
        "{} {} ({purpose})",
        endpoint.method, endpoint.target
    ));
    let request = match purpose {
        Purpose::WebSocket => request.websocket(),
        Purpose::Stream | Purpose::Upload => request.body("{}"),
        _ => request,
    };
    let seen = exchanged(ask, request).await?;
    let answered = seen
        .answer
        .as_ref()
        .is_ok_and(|answer| answer.status == 200);
    // What a handshake is answered is another scenario's.
    let holds = match seen.arrivals.as_slice() {
        [_] => purpose == Purpose::WebSocket || answered,
        _ => false,
    };
    checks.ensure(holds, || {
        let finding = SILENT.finding().seen(&seen).unreached(reach);
        let finding = finding.expected("one request at one upstream, and status 200");
        finding.observed(observed(ask, &seen, &endpoint))
    });
    Ok(checks)
}

/// Whoever gets it answers: where a request arrives, others look at.
async fn exchanged(ask: &Ask<'_>, request: Request) -> Result<Seen, HarnessError> {
    for upstream in ask.stage().upstreams().values() {
        let answer = Script::new().read_body();
        let answer = answer.reply(200, "text/plain", upstream.name().to_owned());
        upstream.script(request.probe_id(), answer);
    }
    let connection = ask.client().connect().await?;
    let mut exchange = connection.open(&request).await?.patience(PATIENCE);
    // What went wrong is told by the exchange itself.
    let _ = exchange.whole().await;
    Ok(ask.observe(&exchange).await)
}

/// What became of it, and why, where the proxy asked its upstream something of its own and did not like the answer.
fn observed(ask: &Ask<'_>, seen: &Seen, endpoint: &Endpoint) -> String {
    let asked_by_itself = ask.ledger().untagged();
    let failed = |arrival: &&Arrival| {
        let status = arrival.answer.status;
        *arrival.upstream == *endpoint.upstream && status.is_some_and(|status| status >= 400)
    };
    let what = match seen.arrivals.as_slice() {
        [] => "nothing arrived at any upstream".to_owned(),
        [arrival] => format!("it arrived at {}", arrival.upstream),
        arrivals => format!("it arrived {} times", arrivals.len()),
    };
    match asked_by_itself.iter().rev().find(failed) {
        Some(check) if seen.arrivals.is_empty() => format!(
            "{what}: {} is out of service for the proxy, whose check of {} was answered {}",
            endpoint.upstream,
            check.head.target(),
            check.answer.status.unwrap_or_default(),
        ),
        _ => what,
    }
}

/// The candidate counts as ready by now: an answer that takes longer is none.
const PATIENCE: Patience = Patience::SETTLE;
