//! Several requests in one write.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/pipelined_in_order",
    claim: "requests that arrive in one segment are answered in their order",
    why: "RFC 9112 section 9.3.2: an answer that belongs to another request is somebody else's data",
    asks: "client ── GET {plain}?n=0, 1, 2 in one write ──▶ candidate ──▶ upstream; answers 0, 1, 2",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[DISORDER],
    breaks: &[Break::new("close_every_connection", DISORDER.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DISORDER: Code = Code::new(
    "http.pipelined_out_of_order",
    "requests in one segment are not answered in their order",
    "a client reads an answer that is not its own, or waits for one that never comes",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let requests: Vec<Literal> = (0..COUNT).map(|number| request(ask, number)).collect();
    let bytes: Vec<u8> = requests
        .iter()
        .flat_map(|request| request.bytes.clone())
        .collect();
    let mut connection = ask.client().raw().await?;
    connection.write(bytes).await?;
    for (number, request) in requests.iter().enumerate() {
        checks.about(format!("request {number} of {COUNT}"));
        let answer = connection.answer("GET").await;
        let seen = request.seen(ask, &connection, answer).await;
        checks.answer_body(&seen, number.to_string().as_bytes(), DISORDER);
    }
    Ok(())
}

fn request(ask: &Ask<'_>, number: usize) -> Literal {
    let template =
        format!("GET {{plain_and}}n={number} HTTP/1.1\r\nHost: {{host}}\r\n{{tag}}\r\n\r\n");
    let request = Literal::new(ask, &template);
    let upstream = ask.upstream(&ask.endpoint(Purpose::Plain));
    upstream.script(
        request.probe,
        Script::new().reply(200, "text/plain", number.to_string()),
    );
    request
}

const COUNT: usize = 3;
