//! A client that leaves during its upload.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_harness::{Patience, Request};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "abort/mid_upload",
    claim: "an upload that the client breaks off never looks whole to the upstream, which is told if it has a part of it",
    why: "half a prompt that is taken for a whole one is answered, and paid for",
    asks: "client ── half of Content-Length, or a chunk without the last one, then closes ──▶ upstream: never a whole body, but the end of its connection",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::WithErrors,
    findings: &[COMPLETED, UNNOTICED],
    breaks: &[
        Break::new("complete_aborted_upload", COMPLETED.name),
        Break::new("ignore_upload_abort", UNNOTICED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const COMPLETED: Code = Code::new(
    "abort.upload_completed",
    "an upload that the client broke off arrives as a whole one",
    "half a prompt is answered",
);

const UNNOTICED: Code = Code::new(
    "abort.upload_unnoticed",
    "an upstream that has a part of an upload is not told that the client is gone",
    "the program holds the request open, and waits for bytes that never come",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for framing in [Request::streamed, |request: Request| {
        request.streamed_length(2000)
    }] {
        let request = framing(ask.completion());
        ask.script(
            &request,
            Script::new().read_body().reply(200, "text/plain", "read"),
        );
        let connection = ask.client().connect().await?;
        let mut upload = connection.open(&request).await?;
        upload.write(Bytes::from_static(&[b'x'; 1000])).await?;
        // Under way means that the upstream has a part of it; a candidate that passes nothing on is right, too.
        let ledger = ask.ledger();
        let begun = |arrivals: &[Arrival]| arrivals.iter().any(|a| a.body.length > 0).then_some(());
        let begun = ask.in_lock_step(request.probe_id(), begun).await;
        upload.reset().await?;
        drop(connection);
        let over = |arrivals: &[Arrival]| {
            let is_over = |arrival: &Arrival| arrival.peer_gone.is_some() || arrival.body.complete;
            arrivals
                .first()
                .filter(|arrival| is_over(arrival))
                .map(|_| ())
        };
        let patience = match begun {
            Some(()) => Patience::SETTLE,
            None => Patience::QUIET,
        };
        let over = ledger.until(request.probe_id(), patience.scaled(), over);
        let is_over = over.await.is_some();
        checks.ensure(is_over || begun.is_none(), || {
            let finding = UNNOTICED
                .finding()
                .expected("the upstream's connection ends");
            finding.observed(format!("it was still open {:?} later", patience.scaled()))
        });
        let whole = ask
            .ledger()
            .arrivals(request.probe_id())
            .iter()
            .any(|arrival| arrival.body.complete);
        checks.ensure(!whole, || {
            COMPLETED
                .finding()
                .expected("no upstream reads a whole body")
                .observed("an upstream read a whole body")
        });
    }
    Ok(())
}
