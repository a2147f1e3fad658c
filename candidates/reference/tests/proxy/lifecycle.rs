//! SIGTERM and SIGHUP.

use rustix::process::Signal;

use crate::rig::{GET, OK, Proxy, eventually, values};

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight() {
    let mut proxy = Proxy::plain().await;
    let mut idle = proxy.client().await;
    idle.send(GET).await;
    let mut first = proxy.cpa().await;
    first.head().await;
    first.send(OK).await;
    idle.until("\r\n\r\nok").await;
    let mut client = proxy.client().await;
    client
        .send("GET /slow HTTP/1.1\r\nHost: api.example.org\r\n\r\n")
        .await;
    first.head().await;
    first
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    proxy.signal(Signal::TERM);
    assert_eq!(idle.rest().await, "", "idle connections are closed at once");
    let address = proxy.h1;
    assert!(eventually(async || tokio::net::TcpStream::connect(address).await.is_err()).await);
    assert!(!proxy.has_ended());
    first.send("2\r\nok\r\n0\r\n\r\n").await;
    assert_eq!(client.rest().await, "2\r\nok\r\n0\r\n\r\n");
    assert!(proxy.ended().await);
}

#[tokio::test]
async fn a_drain_has_a_limit_and_a_second_signal_ends_it() {
    let mut proxy = Proxy::start("[timeouts]\ndrain_ms = 200\n").await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    proxy.signal(Signal::TERM);
    assert!(proxy.ended().await);
    assert_eq!(cpa.rest().await, "");

    let mut proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    proxy.signal(Signal::TERM);
    let address = proxy.h1;
    assert!(eventually(async || tokio::net::TcpStream::connect(address).await.is_err()).await);
    proxy.signal(Signal::TERM);
    assert!(proxy.ended().await);
}

#[tokio::test]
async fn sigterm_does_not_wait_for_connections_that_have_not_begun() {
    let mut proxy = Proxy::plain().await;
    let mut silent = crate::rig::Wire::connect(proxy.h1).await;
    let mut named = proxy.client().await;
    proxy.signal(Signal::TERM);
    assert!(proxy.ended().await);
    assert_eq!(silent.rest().await, "");
    assert_eq!(named.rest().await, "");
}

#[tokio::test]
async fn a_reload_changes_new_requests_and_leaves_streams_alone() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    proxy.reload("", |tables| {
        tables.replace(
            "match = '= /health'\nupstream = 'usage'",
            "match = '= /health'\nupstream = 'cpa'",
        )
    });
    let moved = async || {
        let mut other = proxy.client().await;
        other
            .send("GET /health HTTP/1.1\r\nHost: api.example.org\r\n\r\n")
            .await;
        let (is_moved, mut upstream) = tokio::select! {
            upstream = proxy.cpa() => (true, upstream),
            upstream = proxy.usage() => (false, upstream),
        };
        upstream.head().await;
        upstream
            .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
        other.head().await;
        is_moved
    };
    assert!(eventually(moved).await);
    cpa.send("2\r\nok\r\n0\r\n\r\n").await;
    assert_eq!(client.until("0\r\n\r\n").await, "2\r\nok\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing() {
    let mut proxy = Proxy::plain().await;
    proxy.reload("nonsense = 1\n", str::to_owned);
    let mut client = proxy.client().await;
    for _ in 0..3 {
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            .await;
        client.until("\r\n\r\nok").await;
    }
    assert!(!proxy.has_ended());
}

#[tokio::test]
async fn defects_change_the_end() {
    let mut proxy = Proxy::with_defect("drop_on_terminate").await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    proxy.signal(Signal::TERM);
    assert!(proxy.ended().await);
    assert_eq!(client.rest().await, "");

    let mut proxy = Proxy::with_defect("bad_reload_kills").await;
    proxy.reload("nonsense = 1\n", str::to_owned);
    assert!(proxy.ended().await);

    let proxy = Proxy::with_defect("drop_on_reload").await;
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    proxy.reload("defects = ['drop_on_reload']\n", str::to_owned);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_slow_head_and_an_idle_connection_are_closed() {
    let proxy = Proxy::start("[timeouts]\nheader_ms = 150\nidle_ms = 150\n").await;
    for begun in ["", "GET / HT"] {
        let mut client = proxy.client().await;
        client.send(begun).await;
        assert_eq!(client.rest().await, "", "{begun:?}");
    }
    let mut silent = crate::rig::Wire::connect(proxy.h1).await;
    assert_eq!(silent.rest().await, "");
    let mut client = proxy.client().await;
    client.send(GET).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    crate::rig::pause(400).await;
    cpa.send(OK).await;
    assert_eq!(
        values(&client.head().await, "content-length"),
        ["2"],
        "a request in flight is not idle"
    );
    client.take(2).await;
    assert_eq!(client.rest().await, "");
}
