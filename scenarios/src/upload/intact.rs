//! Uploads of several sizes.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/intact",
    claim: "request bodies of every size arrive whole and unchanged, with a length or in chunks",
    why: "images and long histories have megabytes (CliRelay PR#148, codex#7682)",
    asks: "client ── 0 bytes … 4 MiB ──▶ candidate ──▶ upstream: the same bytes",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Upload)],
    stage: StageUse::Shared,
    findings: &[DAMAGED],
    breaks: &[Break::new("corrupt_upload", DAMAGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DAMAGED: Code = Code::new(
    "upload.damaged",
    "a request body is cut or changed",
    "long conversations and images fail",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for length in LENGTHS {
        let body = Bytes::from(vec![b'x'; length]);
        for chunked in [false, true] {
            checks.about(format!(
                "{length} bytes{}",
                if chunked { ", chunked" } else { "" }
            ));
            let request = ask.upload().body(body.clone());
            let seen = answered(ask, if chunked { request.chunked() } else { request }).await?;
            if seen
                .answer
                .as_ref()
                .is_ok_and(|answer| answer.status == 413)
            {
                // How large one may be is the claim of `upload/limit_accepted`.
                continue;
            }
            checks.status(&seen, 200, DAMAGED);
            checks.body_intact(&seen, &body, DAMAGED);
        }
    }
    Ok(())
}

/// Around the sizes of usual buffers, and more than the usual default limit of 1 MiB.
const LENGTHS: [usize; 4] = [1, (8 << 10) + 1, (64 << 10) + 1, 4 << 20];
