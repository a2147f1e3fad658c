//! A compressed upload.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/zstd_untouched",
    claim: "a request body in zstd arrives byte for byte, with its Content-Encoding",
    why: "Codex compresses for its own provider; proxies that do not know zstd answer 400 (new-api#4913, cc-switch PR#3817)",
    asks: "client ── Content-Encoding: zstd ──▶ candidate ── the same ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[TOUCHED],
    breaks: &[
        Break::new("corrupt_upload", TOUCHED.name),
        Break::new("drop_content_type", TOUCHED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const TOUCHED: Code = Code::new(
    "upload.encoding_touched",
    "a compressed request body is refused or changed",
    "requests of clients that compress, as Codex does, fail with 400",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.completion().header("Content-Type", "application/json");
    let body = FRAME.repeat(REPEATS);
    let seen = answered(
        ask,
        request
            .header("Content-Encoding", "zstd")
            .body(body.clone()),
    )
    .await?;
    checks.body_intact(&seen, &body, TOUCHED);
    checks.field(&seen, "Content-Encoding", "zstd", TOUCHED);
    checks.field(&seen, "Content-Type", "application/json", TOUCHED);
    Ok(())
}

/// A zstd frame (RFC 8878) that holds `hi`, raw; frames may follow each other.
const FRAME: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x02, 0x11, 0x00, 0x00, b'h', b'i',
];
const REPEATS: usize = 8000;
