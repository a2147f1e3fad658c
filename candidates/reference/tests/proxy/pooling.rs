//! Upstream connections: used again, and safely.

use std::time::Duration;

use tokio::time::timeout;

use crate::rig::{GET, OK, Proxy, Wire};

async fn ask(client: &mut Wire, upstream: &mut Wire, request: &str) {
    client.send(request).await;
    upstream.head().await;
    upstream.send(OK).await;
    client.until("\r\n\r\nok").await;
}

async fn nobody_connects(proxy: &Proxy) -> bool {
    timeout(Duration::from_millis(50), proxy.cpa.accept())
        .await
        .is_err()
}

const POST: &str = "POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 2\r\n\r\nok";
const EMPTY_POST: &str = "POST / HTTP/1.1\r\nHost: api.example.org\r\n\r\n";

#[tokio::test]
async fn one_connection_serves_all_requests_of_a_sequence() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send(OK).await;
    client.until("\r\n\r\nok").await;
    for _ in 0..50 {
        ask(&mut client, &mut cpa, GET).await;
    }
    let mut other = proxy.client().await;
    ask(&mut other, &mut cpa, GET).await;
    assert!(nobody_connects(&proxy).await);
}

#[tokio::test]
async fn idle_connections_are_kept_up_to_the_limit() {
    let proxy = Proxy::plain().await;
    let mut clients = Vec::new();
    let mut upstreams = Vec::new();
    for _ in 0..40 {
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        clients.push(client);
        upstreams.push(cpa);
    }
    for (client, cpa) in clients.iter_mut().zip(&mut upstreams) {
        cpa.send(OK).await;
        client.until("\r\n\r\nok").await;
    }
    let mut kept = 0;
    for mut cpa in upstreams {
        kept += usize::from(cpa.is_silent(20).await);
    }
    assert_eq!(kept, 32);
}

#[tokio::test]
async fn a_connection_that_died_idle_is_not_used() {
    for request in [GET, POST, EMPTY_POST] {
        let proxy = Proxy::plain().await;
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(OK).await;
        client.until("\r\n\r\nok").await;
        drop(cpa);
        client.send(request).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(OK).await;
        assert!(
            client.head().await.starts_with("HTTP/1.1 200 "),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_request_on_a_dying_connection_is_repeated_only_where_that_is_safe() {
    let put = "PUT / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 0\r\n\r\n";
    for (request, is_repeated) in [(GET, true), (put, true), (POST, false), (EMPTY_POST, false)] {
        let proxy = Proxy::plain().await;
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(OK).await;
        client.until("\r\n\r\nok").await;
        // The upstream reads the request and dies: it may have been carried out.
        client.send(request).await;
        cpa.head().await;
        cpa.reset();
        if is_repeated {
            let mut cpa = proxy.cpa().await;
            cpa.head().await;
            cpa.send(OK).await;
            assert!(
                client.head().await.starts_with("HTTP/1.1 200 "),
                "{request}"
            );
        } else {
            assert!(
                client.head().await.starts_with("HTTP/1.1 502 "),
                "{request}"
            );
            assert!(nobody_connects(&proxy).await, "{request}");
        }
    }
}

#[tokio::test]
async fn a_fresh_connection_that_dies_is_not_tried_again() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    proxy.cpa().await.head().await;
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
    assert!(nobody_connects(&proxy).await);
}

#[tokio::test]
async fn a_connection_with_a_doubtful_past_is_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let proxy = Proxy::plain().await;
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(answer).await;
        client.until("\r\n\r\nok").await;
        client.send(GET).await;
        let mut second = proxy.cpa().await;
        second.head().await;
        second.send(OK).await;
        assert!(
            client
                .until("\r\n\r\nok")
                .await
                .starts_with("HTTP/1.1 200 "),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn defects_change_the_pool() {
    let proxy = Proxy::with_defect("connection_per_request").await;
    let mut client = proxy.client().await;
    for _ in 0..2 {
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(OK).await;
        client.until("\r\n\r\nok").await;
    }
    let proxy = Proxy::with_defect("retry_post").await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send(OK).await;
    client.until("\r\n\r\nok").await;
    client.send(EMPTY_POST).await;
    cpa.head().await;
    cpa.reset();
    assert!(proxy.cpa().await.head().await.starts_with("POST "));
}
