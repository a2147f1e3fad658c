//! Percent escapes of ordinary characters.

use crate::destination::{own_paths, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/percent_decoding",
    claim: "an escape of an unreserved character routes like the character itself (RFC 3986 section 6.2.2.2), once",
    why: "clients and scanners escape at will, and both programs decode before they route: a proxy that does not decode, or decodes twice, disagrees with them on whose path it is",
    asks: "client ── GET /%68ealth, /%2568ealth ──▶ candidate ──▶ the owner of /health, of /%68ealth",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[NOT_DECODED, DECODED_TWICE],
    breaks: &[
        Break::new("no_percent_decoding", NOT_DECODED.name),
        Break::new("decode_twice", DECODED_TWICE.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const NOT_DECODED: Code = Code::new(
    "routes.escape_not_decoded",
    "an escaped path goes to another upstream than the same path in clear",
    "who gets a request depends on how it is spelled",
);

const DECODED_TWICE: Code = Code::new(
    "routes.escape_decoded_twice",
    "an escaped percent sign and what follows is taken for an escape",
    "a rule for one path lets through what another program reads as that path",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = own_paths(ask).into_iter().flat_map(|path| {
        let ordinary = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let escaped = |at: Option<usize>, hexadecimal: fn(u8) -> String| {
            let at = at?;
            let escape = hexadecimal(path.as_bytes()[at]);
            Some(format!("{}%{escape}{}", &path[..at], &path[at + 1..]))
        };
        let first = escaped(path.find(ordinary), |byte| format!("{byte:02x}"));
        let last = escaped(path.rfind(ordinary), |byte| format!("{byte:02X}"));
        let hyphen = escaped(path.find('-'), |byte| format!("{byte:02x}"));
        [first, last, hyphen].into_iter().flatten()
    });
    reach_their_owners(ask, checks, targets, NOT_DECODED).await?;
    let twice = own_paths(ask).into_iter().filter_map(|path| {
        let at = path.find(|letter: char| letter.is_ascii_alphanumeric())?;
        let escape = format!("%25{:02x}", path.as_bytes()[at]);
        let target = format!("{}{escape}{}", &path[..at], &path[at + 1..]);
        // Where both are one upstream's, a second decoding changes nothing.
        let owner = |target: &str| ask.deployment().owner(target.as_bytes());
        (owner(&path) != owner(&target)).then_some(target)
    });
    reach_their_owners(ask, checks, twice, DECODED_TWICE).await
}
