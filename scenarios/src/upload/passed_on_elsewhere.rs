//! Uploads to the other API routes.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, StageUse,
};
use proxyproof_harness::{Patience, Request};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/passed_on_elsewhere",
    claim: "a request body to any API route reaches the upstream as it is sent",
    why: "only exact /v1/responses is told to stream in the published configuration: chat completions, messages and compact are spooled to disk above 10 KB",
    asks: "client ── part 1 of POST /v1/chat/completions ──▶ candidate ──▶ cpa has it? only then part 2, 3",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    stage: StageUse::Shared,
    findings: &[WAITS],
    breaks: &[Break::new("buffer_request", WAITS.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WAITS: Code = Code::new(
    "upload.not_passed_on_elsewhere",
    "a request body is collected before the upstream hears of it",
    "prompts to most API routes are written to disk, and start later by the time of their upload",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for framing in [Request::streamed, |request: Request| {
        request.streamed_length(LENGTH)
    }] {
        let request = framing(ask.request("POST", PATH));
        ask.cpa().script(
            request.probe_id(),
            Script::new().read_body().reply(200, "text/plain", "cpa"),
        );
        let connection = ask.client().connect().await?;
        let mut upload = connection
            .open(&request)
            .await?
            .patience(Patience::LOCK_STEP);
        for (number, part) in PARTS.iter().enumerate() {
            upload.write(Bytes::from_static(part)).await?;
            let sent = PARTS[..=number]
                .iter()
                .map(|part| part.len() as u64)
                .sum::<u64>();
            let here = |arrivals: &[Arrival]| {
                arrivals
                    .first()
                    .filter(|arrival| arrival.body.length >= sent)
                    .map(|_| ())
            };
            let arrived = ask
                .ledger()
                .until(request.probe_id(), Patience::LOCK_STEP.scaled(), here)
                .await;
            if arrived.is_none() {
                let finding = WAITS.finding().seen(&ask.observe(&upload).await);
                let expected =
                    format!("the first {sent} bytes at the upstream before the client sends more");
                checks.push(
                    finding
                        .expected(expected)
                        .observed("the upstream does not have them yet"),
                );
                return Ok(());
            }
        }
    }
    Ok(())
}

const PATH: &str = "/v1/chat/completions";
const PARTS: [&[u8]; 3] = [&[b'a'; 1000], &[b'b'; 1000], &[b'c'; 1000]];
const LENGTH: u64 = 3000;
