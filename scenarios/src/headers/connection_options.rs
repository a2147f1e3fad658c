//! Fields that belong to one connection, as `Connection` says.

use proxyproof_harness::probe::Seen;
use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/connection_options",
    claim: "what becomes of fields that Connection lists, in a request and in an answer, is on record",
    why: "RFC 9110 section 7.6.1 has a proxy remove them; NGINX passes them, and nothing in front of an AI gateway lists any",
    asks: "client ── Connection: X-Hop ──▶ candidate ──▶ upstream ── Connection: X-Hop, Keep-Alive ──▶ recorded: what passes",
    level: Level::Observed,
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[],
    breaks: &[
        Break::new("listed_fields_forwarded", "X-Hop of a request"),
        Break::new("hop_by_hop_answered", "X-Hop of an answer"),
        Break::new("hop_by_hop_answered", "Keep-Alive of an answer"),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask
        .plain()
        .header("X-Hop", "theirs")
        .header("Connection", "keep-alive, X-Hop");
    let fields = [
        ("X-Hop", "theirs"),
        ("Keep-Alive", "timeout=7"),
        ("Connection", "keep-alive, X-Hop"),
        ("Content-Length", "0"),
    ];
    ask.script(&request, Script::new().head(200, &fields));
    let seen = ask.exchange(request).await?;
    let requested = seen
        .arrivals
        .first()
        .map(|arrival| arrival.head.first("X-Hop"));
    checks.record("X-Hop of a request", told(requested, "theirs"));
    for (name, theirs) in [("X-Hop", "theirs"), ("Keep-Alive", "timeout=7")] {
        checks.record(
            format!("{name} of an answer"),
            told(answered(&seen, name), theirs),
        );
    }
    Ok(())
}

fn answered(seen: &Seen, name: &str) -> Option<Option<String>> {
    seen.answer.as_ref().ok().map(|answer| answer.field(name))
}

/// What became of a field with this value; nothing can be said of it where its message did not come.
fn told(came: Option<Option<String>>, theirs: &str) -> &'static str {
    match came {
        None => "no message",
        Some(None) => "removed",
        Some(Some(value)) if value == theirs => "passed",
        Some(Some(_)) => "replaced",
    }
}
