//! Ends that come before their time, told to the other side.

use crate::rig::{GET, Proxy, Wire, pause};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n";

#[derive(Clone, Copy, Debug)]
enum How {
    Fin,
    Reset,
}

fn leave(client: Wire, how: How) {
    match how {
        How::Fin => drop(client),
        How::Reset => client.reset(),
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_upstream_request_with_it() {
    for how in [How::Fin, How::Reset] {
        let proxy = Proxy::plain().await;
        // No answer yet.
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        leave(client, how);
        assert_eq!(cpa.rest().await, "", "{how:?}");
        // A stream that is silent.
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(CHUNKED).await;
        client.until("ok").await;
        leave(client, how);
        assert_eq!(cpa.rest().await, "", "{how:?}");
        // An upload.
        let mut client = proxy.client().await;
        client.send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
        let mut cpa = proxy.cpa().await;
        cpa.until("ok\r\n").await;
        leave(client, how);
        assert_eq!(cpa.rest().await, "", "{how:?}");
        // An upload beside an answer.
        let mut client = proxy.client().await;
        client.send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
        let mut cpa = proxy.cpa().await;
        cpa.until("ok\r\n").await;
        cpa.send(CHUNKED).await;
        client.until("ok").await;
        leave(client, how);
        assert_eq!(cpa.rest().await, "", "{how:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_during_an_upload_that_stalls_is_noticed() {
    for how in [How::Fin, How::Reset] {
        let proxy = Proxy::plain().await;
        // With small buffers, an end finds its way through them when a little is read.
        proxy.shrink_upstream_buffers();
        let mut client = proxy.client_with_small_buffers().await;
        client
            .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 67108864\r\n\r\n")
            .await;
        let mut cpa = proxy.cpa().await;
        let written = client.write_until_blocked(64 << 20).await;
        match how {
            How::Fin => {
                // The end waits for room behind the client's last bytes. A little reading makes some; the proxy is told long
                // before it is rid of what it holds, and hangs up.
                client.half_close().await;
                let mut most = written / STEP / 2;
                while !client.is_left_within(300).await {
                    assert!(most > 0, "{written} bytes");
                    cpa.skip(STEP).await;
                    most -= 1;
                }
            }
            How::Reset => {
                client.reset();
                // The upstream does not read; it only looks whether its peer is there.
                assert!(cpa.is_left_within(10_000).await, "{written} bytes");
            }
        }
        cpa.rest().await;
    }
}

/// How much an upstream reads that makes a little room.
const STEP: usize = 8 << 10;

#[tokio::test]
async fn a_client_that_leaves_a_full_stream_is_noticed() {
    for how in [How::Fin, How::Reset] {
        let proxy = Proxy::plain().await;
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send("HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n")
            .await;
        client.head().await;
        cpa.write_until_blocked(256 << 20).await;
        leave(client, how);
        assert_eq!(cpa.rest().await, "", "{how:?}");
    }
}

#[tokio::test]
async fn defects_ignore_the_client() {
    for (defect, answer) in [
        ("ignore_client_abort", ""),
        ("ignore_stream_abort", CHUNKED),
    ] {
        let proxy = Proxy::with_defect(defect).await;
        let mut client = proxy.client().await;
        client.send(GET).await;
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(answer).await;
        if !answer.is_empty() {
            client.until("ok").await;
        }
        drop(client);
        assert!(cpa.is_silent(100).await, "{defect}");
    }
    let proxy = Proxy::with_defect("ignore_upload_abort").await;
    let mut client = proxy.client().await;
    client.send("POST / HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
    let mut cpa = proxy.cpa().await;
    cpa.until("ok\r\n").await;
    drop(client);
    assert!(cpa.is_silent(100).await);
    pause(1).await;
}
