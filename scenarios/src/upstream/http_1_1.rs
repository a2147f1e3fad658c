//! The version that upstreams are asked in.

use proxyproof_harness::deployment::PublishedUpstream;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/http_1_1",
    claim: "upstreams are asked in HTTP/1.1, and not to close connections that the site wants kept",
    why: "WebSocket, chunked bodies and kept connections all need HTTP/1.1; NGINX before 1.29.7 speaks 1.0 unless told otherwise",
    asks: "client ── GET ──▶ candidate ── HTTP/1.1, no Connection: close ──▶ each upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::EveryUpstream,
        SiteNeed::KeptConnections,
    ],
    stage: StageUse::Shared,
    findings: &[OLD],
    breaks: &[
        Break::new("upstream_http10", OLD.name),
        Break::new("send_connection_close", OLD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const OLD: Code = Code::new(
    "upstream.not_http_1_1_kept",
    "an upstream is asked in HTTP/1.0, or to close",
    "no WebSocket, no streaming of unknown length, and a connection for each request",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in ask.deployment().endpoints(Purpose::Plain) {
        checks.about(format!("GET {}", endpoint.target));
        let seen = answered(ask, ask.to(&endpoint)).await?;
        checks.version(&seen, "HTTP/1.1", OLD);
        // Where nobody says that connections are kept, `upstream/connections_reused` recommends it.
        if !wants_connections_kept(ask, &endpoint.upstream) {
            continue;
        }
        checks.field_where(&seen, "Connection", "no Connection: close", OLD, |found| {
            !found
                .iter()
                .any(|value| value.eq_ignore_ascii_case("close"))
        });
    }
    Ok(())
}

fn wants_connections_kept(ask: &Ask<'_>, upstream: &str) -> bool {
    let upstream = ask.deployment().upstreams.get(upstream);
    let pool = upstream.map(PublishedUpstream::pool);
    pool.is_some_and(|pool| pool.value > 0 && pool.source.level() == Level::Required)
}
