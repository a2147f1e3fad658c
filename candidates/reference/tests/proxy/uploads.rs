//! Request bodies.

use crate::rig::{OK, Proxy, values};

#[tokio::test]
async fn a_body_is_passed_on_as_it_arrives() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("POST /v1/x HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "transfer-encoding"), ["chunked"]);
    for piece in ["one", "two"] {
        client.send(format!("3\r\n{piece}\r\n")).await;
        assert_eq!(cpa.take(8).await, format!("3\r\n{piece}\r\n").as_bytes());
    }
    client.send("0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n").await;
    assert_eq!(
        cpa.until("\r\n\r\n").await.to_lowercase(),
        "0\r\nx-sum: 1\r\n\r\n"
    );
    cpa.send(OK).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_length_stays_a_length() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("POST /v1/x HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 6\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    assert_eq!(
        (
            values(&head, "content-length"),
            values(&head, "transfer-encoding")
        ),
        (vec!["6"], vec![])
    );
    for piece in ["one", "two"] {
        client.send(piece).await;
        assert_eq!(cpa.take(3).await, piece.as_bytes());
    }
    cpa.send(OK).await;
    client.head().await;
    client.take(2).await;
    for (request, expected) in [
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n", vec!["0"]),
        ("POST / HTTP/1.1\r\n", vec!["0"]),
        ("DELETE / HTTP/1.1\r\n", vec![]),
    ] {
        client
            .send(format!("{request}Host: api.example.org\r\n\r\n"))
            .await;
        assert_eq!(
            values(&cpa.head().await, "content-length"),
            expected,
            "{request}"
        );
        cpa.send(OK).await;
        client.head().await;
        client.take(2).await;
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_the_upstream_hears_of_it() {
    let proxy = Proxy::start("body_limit = 1000").await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 100000000\r\n\r\n")
        .await;
    client.send(vec![b'x'; 300_000]).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert_eq!(values(&head, "connection"), ["close"]);
    // A client that goes on sending can still read the answer.
    client.try_send(vec![b'x'; 300_000]).await;
    assert!(client.rest().await.contains("content_too_large"));
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 1000\r\n\r\n")
        .await;
    client.send(vec![b'x'; 1000]).await;
    let mut cpa = proxy.cpa().await;
    assert!(
        cpa.head().await.contains("1000"),
        "the first connection of all is this one's"
    );
    cpa.take(1000).await;
}

#[tokio::test]
async fn a_chunked_body_beyond_the_limit_is_refused_and_aborted() {
    let proxy = Proxy::start("body_limit = 1000").await;
    let mut client = proxy.client().await;
    client
        .send(
            "POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
        )
        .await;
    client.send(vec![b'x'; 1000]).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    client.send("\r\n1\r\nx\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 413 "));
    let sent = cpa.rest().await;
    assert!(!sent.ends_with("0\r\n\r\n"), "the upstream sees no end");
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_sends() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 100000000\r\n\r\nsome")
        .await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 401 "));
    assert_eq!(client.take(2).await, b"no");
    drop(cpa);
    client.try_send(vec![b'x'; 100_000]).await;
    client.rest().await;
}

#[tokio::test]
async fn an_answer_and_an_upload_run_side_by_side() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    for _ in 0..3 {
        client.send("2\r\nup\r\n").await;
        cpa.take(7).await;
        cpa.send("4\r\ndown\r\n").await;
        client.take(9).await;
    }
    client.send("0\r\n\r\n").await;
    cpa.take(5).await;
    cpa.send("0\r\n\r\n").await;
    assert_eq!(client.take(5).await, b"0\r\n\r\n");
    // Both connections are good for more.
    client.send(crate::rig::GET).await;
    cpa.head().await;
}

#[tokio::test]
async fn the_upstream_decides_about_100_continue() {
    let proxy = Proxy::plain().await;
    let request = "POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let mut client = proxy.client().await;
    client.send(request).await;
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "expect"), ["100-continue"]);
    cpa.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok").await;
    assert_eq!(cpa.take(2).await, b"ok");
    cpa.send(OK).await;
    client.until("ok").await;
    // A refusal spares the upload.
    client.send(request).await;
    cpa.head().await;
    cpa.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 401 "));
    // An upstream that says nothing is not waited for forever.
    let proxy = Proxy::start("[timeouts]\nexpect_ms = 50\n").await;
    let mut client = proxy.client().await;
    client.send(request).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
}

#[tokio::test]
async fn an_upstream_that_does_not_read_stops_the_client() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 67108864\r\n\r\n")
        .await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    let written = client.write_until_blocked(64 << 20).await;
    assert!(
        written < 32 << 20,
        "{written} bytes were taken from the client"
    );
}

#[tokio::test]
async fn defects_change_the_upload() {
    let proxy = Proxy::with_defect("buffer_request").await;
    let mut client = proxy.client().await;
    client.send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(50), proxy.cpa.accept())
            .await
            .is_err()
    );
    client.send("0\r\n\r\n").await;
    assert!(proxy.cpa().await.until("0\r\n\r\n").await.contains("ok"));

    let proxy = Proxy::with_defect("chunk_empty_body").await;
    let mut client = proxy.client().await;
    client.send(crate::rig::GET).await;
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "transfer-encoding"), ["chunked"]);
    assert_eq!(cpa.take(5).await, b"0\r\n\r\n");

    let proxy =
        Proxy::start("body_limit = 1000\ndefects = ['no_length_limit', 'no_chunked_limit']").await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 2000\r\n\r\n")
        .await;
    proxy.cpa().await.head().await;

    let proxy = Proxy::with_defect("complete_aborted_upload").await;
    let mut client = proxy.client().await;
    client.send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    drop(client);
    assert!(cpa.until("0\r\n\r\n").await.contains("ok"));
}
