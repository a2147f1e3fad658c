//! Responses as they come.

use crate::rig::{GET, Proxy, Wire, pause, values};

async fn streaming(proxy: &Proxy) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    (client, cpa)
}

#[tokio::test]
async fn the_head_comes_before_the_body_and_each_event_as_it_is_written() {
    for (head, is_chunked) in [
        ("Transfer-Encoding: chunked\r\n", true),
        ("Content-Length: 27\r\n", false),
        ("Connection: close\r\n", false),
    ] {
        let proxy = Proxy::plain().await;
        let (mut client, mut cpa) = streaming(&proxy).await;
        cpa.send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n{head}\r\n")).await;
        let answer = client.head().await;
        assert_eq!(values(&answer, "cache-control"), ["no-cache"]);
        // Each event is written only when the one before was seen.
        for event in ["data: 1\n\n", ": note\n\n", "data: 2\n\n"] {
            match is_chunked {
                true => cpa.send(format!("{:x}\r\n{event}\r\n", event.len())).await,
                false => cpa.send(event).await,
            }
            client.until(event).await;
        }
        if is_chunked {
            cpa.send("0\r\n\r\n").await;
            client.until("\r\n0\r\n\r\n").await;
        }
    }
}

#[tokio::test]
async fn trailers_pass_to_whom_asks_for_them() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("GET / HTTP/1.1\r\nHost: api.example.org\r\nTE: trailers\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "te"), ["trailers"]);
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n").await;
    assert_eq!(values(&client.head().await, "trailer"), ["X-Sum"]);
    let rest = client.until("\r\n\r\n").await;
    assert_eq!(rest.to_lowercase(), "2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n");
}

#[tokio::test]
async fn a_response_that_is_cut_does_not_end_cleanly() {
    for (head, body) in [
        ("Transfer-Encoding: chunked\r\n", "2\r\nok\r\n"),
        ("Content-Length: 9\r\n", "ok"),
        ("Transfer-Encoding: chunked\r\n", "2\r\nok\r\nxx\r\n"),
    ] {
        for is_together in [true, false] {
            let proxy = Proxy::plain().await;
            let (mut client, mut cpa) = streaming(&proxy).await;
            if is_together {
                cpa.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}"))
                    .await;
            } else {
                cpa.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n")).await;
                client.until("HTTP/1.1 200 OK").await;
                cpa.send(body).await;
            }
            drop(cpa);
            let rest = client.rest().await;
            assert!(rest.contains("ok"), "what came is delivered: {rest:?}");
            assert!(!rest.ends_with("0\r\n\r\n"), "{rest:?}");
        }
    }
}

#[tokio::test]
async fn an_http_10_client_sees_a_cut_as_a_reset() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("GET / HTTP/1.0\r\nHost: api.example.org\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        .await;
    client.head().await;
    assert_eq!(client.take(2).await, b"ok");
    drop(cpa);
    assert!(client.is_reset().await);
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_upstream() {
    let proxy = Proxy::plain().await;
    let (mut client, mut cpa) = streaming(&proxy).await;
    cpa.send("HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n")
        .await;
    client.head().await;
    let written = cpa.write_until_blocked(256 << 20).await;
    assert!(
        written < 64 << 20,
        "{written} bytes were taken from the upstream"
    );
    let mut left = (256 << 20) - written;
    // The same bytes come out when the client reads again.
    let feed = async {
        while left > 0 {
            let piece = vec![b'x'; left.min(1 << 20)];
            cpa.send(&piece).await;
            left -= piece.len();
        }
    };
    let drain = client.skip(256 << 20);
    tokio::join!(feed, drain);
}

#[tokio::test]
async fn an_upstream_that_falls_silent_in_a_response_cuts_it() {
    let proxy = Proxy::start("[timeouts]\nread_ms = 150\n").await;
    let (mut client, mut cpa) = streaming(&proxy).await;
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        .await;
    let rest = client.rest().await;
    assert!(
        rest.contains("ok") && !rest.ends_with("0\r\n\r\n"),
        "{rest:?}"
    );
}

#[tokio::test]
async fn defects_change_the_stream() {
    let stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    for defect in ["hold_head", "buffer_response"] {
        let proxy = Proxy::with_defect(defect).await;
        let (mut client, mut cpa) = streaming(&proxy).await;
        cpa.send(stream).await;
        assert!(client.is_silent(50).await, "{defect}");
    }
    for defect in ["buffer_response", "coalesce_events"] {
        let proxy = Proxy::with_defect(defect).await;
        let (mut client, mut cpa) = streaming(&proxy).await;
        cpa.send(format!("{stream}2\r\nok\r\n")).await;
        if defect != "buffer_response" {
            client.head().await;
        }
        assert!(client.is_silent(50).await, "{defect}");
        cpa.send("0\r\n\r\n").await;
        assert!(client.until("0\r\n\r\n").await.contains("ok"), "{defect}");
    }
    for (defect, body, expected) in [
        (
            "drop_comments",
            "5\r\n: no\n\r\n2\r\nok\r\n",
            "2\r\nok\r\n0\r\n\r\n",
        ),
        (
            "lose_last_event",
            "2\r\nok\r\n6\r\n[DONE]\r\n",
            "2\r\nok\r\n0\r\n\r\n",
        ),
    ] {
        let proxy = Proxy::with_defect(defect).await;
        let (mut client, mut cpa) = streaming(&proxy).await;
        cpa.send(format!("{stream}{body}0\r\n\r\n")).await;
        client.head().await;
        assert_eq!(client.until("0\r\n\r\n").await, expected, "{defect}");
    }
    let proxy = Proxy::with_defect("truncation_ends_cleanly").await;
    let (mut client, mut cpa) = streaming(&proxy).await;
    cpa.send(format!("{stream}2\r\nok\r\n")).await;
    client.head().await;
    drop(cpa);
    assert!(client.until("0\r\n\r\n").await.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_defect_reads_without_limit() {
    let proxy = Proxy::with_defect("unbounded_buffer").await;
    let (mut client, mut cpa) = streaming(&proxy).await;
    cpa.send("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
        .await;
    client.head().await;
    cpa.send(vec![b'x'; 64 << 20]).await;
    pause(1).await;
}
