//! One listener's protocol at the other listener.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Scenario, StageUse,
};

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/wrong_protocol",
    claim: "an HTTP/2 preface at the HTTP/1.1 listener ends cleanly and reaches no upstream",
    why: "with ALPN lost on the way, h2 lands on the h1 port (Xray-core#708, v2fly#1282): `PRI * HTTP/2.0` must not be forwarded as a request",
    asks: "client ── PRI * HTTP/2.0 … ──▶ the HTTP/1.1 listener ── an error or a close; no request at cpa",
    level: Level::Required,
    protocols: &[Protocol::H1],
    needs: &[],
    stage: StageUse::Shared,
    findings: &[FORWARDED],
    breaks: &[Break::new("relay_blindly", FORWARDED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const FORWARDED: Code = Code::new(
    "http.wrong_protocol_forwarded",
    "what is not HTTP/1.1 is passed on to a program, or never answered",
    "the program logs garbage, and the client waits for its timeout",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let preface = Literal::new(ask, "PRI * HTTP/2.0\r\n{tag}\r\n\r\nSM\r\n\r\n").answered(ask);
    let mut connection = ask.client().raw().await?;
    // A peer that refuses at once may close before everything is written.
    let _ = connection.write(&preface.bytes).await;
    let answer = connection.answer("GET").await;
    let silent = matches!(
        answer,
        Err(proxyproof_harness::probe::ProbeError::Silent { .. })
    );
    let seen = preface.seen(ask, &connection, answer).await;
    checks.not_arrived(&seen, FORWARDED);
    checks.ensure(!silent, || {
        let finding = FORWARDED
            .finding()
            .seen(&seen)
            .expected("an error or a close");
        finding.observed(format!("nothing within {:?}", Patience::ANSWER.limit))
    });
    Ok(())
}
