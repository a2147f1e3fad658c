//! Fields behind a body.

use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/trailers",
    claim: "whether trailers pass, those of a request and those of an answer, is on record",
    why: "RFC 9110 section 6.5.1 lets a proxy drop them, as NGINX does; a program that puts a checksum or its usage there needs \
          one that does not",
    asks: "client ── body, X-Check ──▶ candidate ──▶ upstream ── body, X-Check ──▶ recorded: what passes",
    level: Level::Observed,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[],
    breaks: &[
        Break::new("drop_request_trailers", "of a request"),
        Break::new("drop_response_trailers", "of an answer"),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask
        .completion()
        .header("TE", "trailers")
        .chunks(["{}"])
        .trailer(NAME, "sent");
    let fields = [("Transfer-Encoding", "chunked"), ("Trailer", NAME)];
    let script = Script::new().read_body().head(200, &fields).chunk("{}");
    let script = script.last_chunk_with_trailers(&[(NAME, "answered")]);
    ask.script(&request, script);
    let seen = ask.exchange(request).await?;
    let requested = seen.arrivals.first().map(|arrival| arrival.trailers.len());
    checks.record("of a request", told(requested));
    let answered = seen.answer.as_ref().ok();
    checks.record(
        "of an answer",
        told(answered.map(|answer| answer.trailers.len())),
    );
    Ok(())
}

fn told(fields: Option<usize>) -> &'static str {
    match fields {
        None => "no message",
        Some(0) => "dropped",
        Some(_) => "passed",
    }
}

const NAME: &str = "X-Check";
