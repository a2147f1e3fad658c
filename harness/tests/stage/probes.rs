//! Probes of every protocol through the embedded candidate, with both ends of each exchange.

use std::net::IpAddr;

use proxyproof_harness::probe::{
    Ending, EventStream, OTHER_ADDRESS, Seen, SocketEvent, V6_ADDRESS,
};
use proxyproof_harness::{Ask, Candidate, Patience, Protocol, RunningStage, Stage};
use proxyproof_mocks::ledger::digest_of;
use proxyproof_mocks::{EventFraming, Gate, Script};

use crate::trials;

/// One stage for all of them: they do not disturb each other.
pub(crate) fn reach_both_ends() {
    trials::run(async {
        let candidate = Candidate::named("reference").expect("it is in the gallery");
        let candidate = candidate.installed().expect("it is this executable");
        let stage = Stage::of(&candidate).start().await;
        let stage = stage.unwrap_or_else(|error| panic!("{error:?}"));
        for protocol in Protocol::ALL {
            asked(&stage, protocol).await;
        }
        stage.stop().await.expect("it stops");
    });
}

/// A real NGINX codes its HTTP/2 answers by Huffman, and names its entries from the table.
pub(crate) fn reach_both_ends_through_nginx() {
    trials::run(async {
        let candidate = Candidate::named("nginx-corrected").expect("it is in the gallery");
        let candidate = candidate.installed().expect("NGINX is installed");
        let stage = Stage::of(&candidate).start().await;
        let stage = stage.unwrap_or_else(|error| panic!("{error:?}"));
        for protocol in Protocol::ALL {
            let ask = Ask::new(&stage, protocol);
            addresses(&ask).await;
            bodies(&ask).await;
            one_connection(&ask).await;
            events(&ask).await;
            an_abort(&ask).await;
            if protocol.listener() == Protocol::H1 {
                a_websocket(&ask).await;
            } else {
                frames_of_our_own(&ask).await;
            }
        }
        stage.stop().await.expect("it stops");
    });
}

/// The same answer as the library reads.
async fn frames_of_our_own(ask: &Ask<'_>) {
    let by_library = ask.exchange(ask.get("/healthz")).await;
    let by_library = by_library.expect("it could be asked").answer;
    let by_library = by_library.expect("an answer");
    let mut raw = ask.client().raw_h2().await.expect("it listens");
    // The second answer refers to entries that the first one left in the table.
    for _ in 0..2 {
        let (stream, _) = raw.send(&ask.get("/healthz")).await.expect("a request");
        let answer = raw.answer(stream).await.expect("an answer");
        assert_eq!(answer.status, by_library.status);
        assert!(answer.is_exactly(&by_library.body), "{answer:?}");
        for name in ["server", "content-type", "content-length"] {
            assert_eq!(answer.all(name), by_library.all(name), "{name}");
        }
    }
}

async fn asked(stage: &RunningStage, protocol: Protocol) {
    let ask = Ask::new(stage, protocol);
    addresses(&ask).await;
    bodies(&ask).await;
    one_connection(&ask).await;
    events(&ask).await;
    an_abort(&ask).await;
    a_websocket(&ask).await;
    what_the_library_refuses(&ask).await;
}

fn arrival(seen: &Seen) -> &proxyproof_mocks::Arrival {
    let found = seen.arrival();
    found.unwrap_or_else(|| panic!("one arrival: {seen:?}"))
}

async fn addresses(ask: &Ask<'_>) {
    for address in [ask.client_address(), OTHER_ADDRESS, V6_ADDRESS] {
        let client = ask.client().from(address);
        let seen = ask.exchange_as(&client, ask.get("/healthz")).await;
        let seen = seen.expect("it could be asked");
        assert_eq!(seen.status(), Some(200));
        let real = arrival(&seen).head.first("X-Real-IP");
        let real: IpAddr = real.expect("an address").parse().expect("an address");
        assert_eq!(real, address);
        timeline_is_whole(&seen);
    }
}

fn timeline_is_whole(seen: &Seen) {
    let timeline = seen.timeline();
    assert!(timeline.is_sorted_by_key(|entry| entry.at));
    let place = |who: &str, what: &str| {
        let found = timeline
            .iter()
            .position(|entry| entry.who == who && entry.what.starts_with(what));
        found.unwrap_or_else(|| panic!("{who} {what}: {timeline:#?}"))
    };
    let order = [
        place("client", "connected as"),
        place("client", "sent head"),
        place("cpa", "read head"),
        place("client", "read head, status 200"),
        place("client", "saw the answer end: complete"),
    ];
    assert!(order.is_sorted(), "{timeline:#?}");
}

async fn bodies(ask: &Ask<'_>) {
    let body = vec![b'b'; 300_000];
    let request = ask.request("POST", "/v1/responses").body(body.clone());
    let script = Script::new()
        .read_body()
        .reply(201, "text/plain", body.clone());
    ask.cpa().script(request.probe_id(), script);
    let seen = ask.exchange(request).await.expect("it could be asked");
    let answer = seen.answer.as_ref().expect("an answer");
    assert_eq!((answer.status, &answer.ended), (201, &Ending::Complete));
    assert!(answer.is_exactly(&body));
    let arrived = &arrival(&seen).body;
    assert!(arrived.complete && arrived.digest == digest_of(&body));
}

async fn one_connection(ask: &Ask<'_>) {
    let connection = ask.client().connect().await.expect("it listens");
    for _ in 0..3 {
        let seen = ask.exchange_on(&connection, ask.get("/healthz")).await;
        assert_eq!(seen.expect("it could be asked").status(), Some(200));
    }
}

async fn events(ask: &Ask<'_>) {
    let gate = Gate::new();
    let request = ask.get("/v1/responses");
    let script = Script::new()
        .sse_head(EventFraming::Chunked)
        .gate(&gate)
        .event("one")
        .gate(&gate)
        .event("two")
        .last_chunk();
    ask.cpa().script(request.probe_id(), script);
    let connection = ask.client().connect().await.expect("it listens");
    let exchange = connection.open(&request).await.expect("a request");
    let mut events = EventStream::of(exchange);
    assert_eq!(events.head().await.expect("a head").status, 200);
    for data in ["one", "two"] {
        gate.open(1);
        let event = events.next().await.expect("a stream");
        assert_eq!(event.expect("an event").data, data);
    }
    assert_eq!(events.next().await.expect("an end"), None);
    let seen = ask.observe(events.exchange()).await;
    assert_eq!(seen.answer.expect("an answer").ended, Ending::Complete);
}

async fn an_abort(ask: &Ask<'_>) {
    let request = ask.get("/v1/models");
    let probe = request.probe_id();
    let script = Script::new()
        .sse_head(EventFraming::Chunked)
        .until_peer_gone();
    ask.cpa().script(probe, script);
    let connection = ask.client().connect().await.expect("it listens");
    let mut exchange = connection.open(&request).await.expect("a request");
    exchange.head().await.expect("a head");
    exchange.reset().await.expect("it is open");
    let patience = Patience::SETTLE.scaled();
    let gone = ask
        .ledger()
        .until(probe, patience, |arrivals| arrivals.first()?.peer_gone);
    assert!(gone.await.is_some(), "the abort goes through");
}

async fn a_websocket(ask: &Ask<'_>) {
    let request = ask.get("/v1/responses").websocket();
    let script = Script::new().accept_websocket().echo_websocket();
    ask.cpa().script(request.probe_id(), script);
    let handshake = ask.client().websocket(&request).await;
    let handshake = handshake.expect("an answer");
    let http_1 = ask.protocol().listener() == Protocol::H1;
    assert_eq!(handshake.has_right_accept(), http_1);
    let mut socket = handshake.messages().await.expect("it is accepted");
    let large = vec![7; 1024 * 1024];
    socket.send_binary(large.clone()).await.expect("it reads");
    let echoed = socket.next().await.expect("an echo");
    assert!(matches!(echoed, SocketEvent::Binary { bytes, .. } if bytes == large));
    socket.close(1000, "bye").await.expect("it reads");
    let closed = socket.next().await.expect("an end");
    let code = match &closed {
        SocketEvent::Close { code, .. } => *code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code, Some(1000));
}

async fn what_the_library_refuses(ask: &Ask<'_>) {
    let request = ask.get("/healthz").header("Connection", "X-Foo");
    let http_2 = ask.protocol().listener() == Protocol::H2;
    assert!(request.needs_raw_frames());
    let seen = ask.exchange(request).await.expect("it could be asked");
    // A connection-specific field makes an HTTP/2 request malformed (RFC 9113 section 8.2.2).
    assert_eq!(seen.arrivals.is_empty(), http_2, "{seen:?}");
    assert_eq!(seen.status() == Some(200), !http_2);
}
