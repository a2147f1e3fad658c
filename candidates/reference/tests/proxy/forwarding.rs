//! Plain requests and their answers.

use crate::rig::{GET, OK, Proxy, Wire, values};

#[tokio::test]
async fn a_request_and_its_answer_pass() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send("GET /v1/models?a=%2F..&b HTTP/1.1\r\nHost: api.example.org\r\nAccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n").await;
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    assert!(
        head.starts_with("GET /v1/models?a=%2F..&b HTTP/1.1\r\nHost: api.example.org\r\n"),
        "{head}"
    );
    assert_eq!(values(&head, "x-two"), ["1", "2"]);
    assert_eq!(values(&head, "connection"), [""; 0]);
    cpa.send("HTTP/1.1 201 Made\r\nContent-Length: 5\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhello").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 201 Made\r\n"), "{head}");
    assert_eq!(values(&head, "date"), ["Mon, 01 Jan 2024 00:00:00 GMT"]);
    assert_eq!(values(&head, "set-cookie"), ["a=1", "b=2"]);
    assert_eq!(client.take(5).await, b"hello");
    client.send(GET).await;
    assert!(cpa.head().await.starts_with("GET /v1/models "));
    cpa.send(OK).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send("GET /1 HTTP/1.1\r\nHost: api.example.org\r\n\r\nGET /2 HTTP/1.1\r\nHost: api.example.org\r\n\r\n").await;
    let mut cpa = proxy.cpa().await;
    for number in ["1", "2"] {
        assert!(cpa.head().await.starts_with(&format!("GET /{number} ")));
        cpa.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}"
        ))
        .await;
        client.head().await;
        assert_eq!(client.take(1).await, number.as_bytes());
    }
}

#[tokio::test]
async fn hosts_are_checked() {
    let proxy = Proxy::plain().await;
    let refused = [
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.0\r\n\r\n", "421"),
        (
            "GET / HTTP/1.1\r\nHost: api.example.org\r\nHost: api.example.org\r\n\r\n",
            "400",
        ),
        (
            "GET http://evil.example/ HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
            "421",
        ),
        (
            "GET http://u:p@api.example.org/ HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
            "400",
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.example.org.evil.example\r\n\r\n",
            "421",
        ),
    ];
    for (request, status) in refused {
        let mut client = proxy.client().await;
        client.send(request).await;
        let head = client.head().await;
        assert_eq!(&head[9..12], status, "{request}");
    }
    for host in [
        "api.example.org",
        "API.Example.org",
        "api.example.org.",
        "api.example.org:8443",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            ))
            .await;
        let mut cpa = proxy.cpa().await;
        assert_eq!(values(&cpa.head().await, "host"), ["api.example.org"]);
        cpa.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
        client.head().await;
    }
}

#[tokio::test]
async fn what_has_no_one_meaning_is_refused() {
    let proxy = Proxy::plain().await;
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
        "a".repeat(9000)
    );
    let big = format!(
        "GET / HTTP/1.1\r\nHost: api.example.org\r\nX: {}\r\n\r\n",
        "a".repeat(70_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nHost: api.example.org\r\n{}\r\n",
        "X: 1\r\n".repeat(200)
    );
    let cases = [
        ("GET /%zz HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "400"),
        ("GET /../x HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "400"),
        ("GET /%00 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "400"),
        ("OPTIONS * HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "400"),
        ("TRACE / HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "405"),
        (
            "CONNECT api.example.org:443 HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
            "405",
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.example.org\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
            "400",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 1\r\nExpect: cake\r\n\r\n",
            "417",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: +1\r\n\r\n",
            "400",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "400",
        ),
        ("GET / HTTP/1.1\r\nHost : api.example.org\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nHost: api.example.org\r\nX: a\r\n b\r\n\r\n",
            "400",
        ),
        (&long, "414"),
        (&big, "431"),
        (&many, "431"),
    ];
    for (request, status) in cases {
        let mut client = proxy.client().await;
        client.send(request).await;
        let head = client.head().await;
        assert_eq!(
            &head[9..12],
            status,
            "{}",
            &request[..request.len().min(200)]
        );
    }
}

#[tokio::test]
async fn an_upstream_that_fails_gives_502_and_is_tried_again() {
    let proxy = Proxy::plain().await;
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(answer).await;
        drop(cpa);
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{answer:?}: {head}");
        assert_eq!(values(&head, "content-type"), ["application/json"]);
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_gives_502_and_the_other_goes_on() {
    let mut proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    proxy.take_usage_down();
    client
        .send("GET /health HTTP/1.1\r\nHost: api.example.org\r\n\r\n")
        .await;
    assert!(client.until("}}").await.starts_with("HTTP/1.1 502 "));
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send(OK).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_silent_upstream_gives_504() {
    let proxy = Proxy::start("[timeouts]\nread_ms = 150\n").await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    assert!(client.head().await.starts_with("HTTP/1.1 504 "));
    assert_eq!(cpa.rest().await, "", "the upstream is hung up on");
}

#[tokio::test]
async fn interim_answers_pass() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        .await;
    let interim = client.head().await;
    assert_eq!(interim, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    cpa.send(OK).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn head_and_empty_answers_leave_the_connection_usable() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    let mut upstream: Option<Wire> = None;
    for (method, answer, length) in [
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            vec!["5"],
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", vec![]),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
            vec![],
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            vec!["0"],
        ),
    ] {
        client
            .send(format!(
                "{method} / HTTP/1.1\r\nHost: api.example.org\r\n\r\n"
            ))
            .await;
        let mut cpa = match upstream.take() {
            Some(cpa) => cpa,
            None => proxy.cpa().await,
        };
        assert!(cpa.head().await.starts_with(method));
        cpa.send(answer).await;
        let head = client.head().await;
        assert_eq!(values(&head, "content-length"), length, "{method} {answer}");
        upstream = Some(cpa);
    }
    assert!(client.is_silent(50).await);
}
