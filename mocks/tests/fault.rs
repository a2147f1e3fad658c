//! Faults between a candidate and an upstream, over real sockets.

#[expect(dead_code, reason = "this target makes its heads itself")]
mod raw_client;

use std::time::Duration;

use proxyproof_mocks::fault::{Fault, Relay, RunningRelay, Way};
use proxyproof_mocks::ledger::How;
use proxyproof_mocks::moment::Moment;
use raw_client::{End, PATIENCE, RawClient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A relay, a client at its front and the upstream's end of the same connection.
async fn relayed() -> (RunningRelay, RawClient, RawClient) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let relay = Relay::to(listener.local_addr().expect("bound"))
        .start()
        .await
        .expect("a port is free");
    let (client, upstream) = pair(&relay, &listener).await;
    (relay, client, upstream)
}

async fn pair(relay: &RunningRelay, listener: &TcpListener) -> (RawClient, RawClient) {
    let client = RawClient::connect(relay.address()).await;
    let (stream, _) = listener.accept().await.expect("the relay connects");
    (client, RawClient { stream })
}

#[tokio::test]
async fn nothing_happens_unless_a_fault_is_set() {
    let (relay, mut client, mut upstream) = relayed().await;
    client.send("ask").await;
    assert_eq!(upstream.read_until("ask").await, "ask");
    upstream.send("answer").await;
    client.read_until("answer").await;
    client.stream.shutdown().await.expect("open");
    assert_eq!(upstream.read_to_end().await, (String::new(), End::Fin));
    upstream.send("more").await;
    client.read_until("more").await;
    assert_eq!(relay.connections(), 1);
    drop(upstream);
    assert_eq!(client.read_to_end().await.1, End::Fin);
    relay.stop().await;
}

#[tokio::test]
async fn resets_pass_through() {
    let (_relay, client, mut upstream) = relayed().await;
    socket2::SockRef::from(&client.stream)
        .set_linger(Some(Duration::ZERO))
        .expect("open");
    drop(client);
    assert_eq!(upstream.read_to_end().await.1, End::Reset);
}

#[tokio::test]
async fn delays_hold_back_one_way() {
    let (relay, mut client, mut upstream) = relayed().await;
    let by = Duration::from_millis(50);
    relay.set(Fault::Delay(Way::ToCandidate, by));
    client.send("ask").await;
    upstream.read_until("ask").await;
    let sent = Moment::now();
    upstream.send("answer").await;
    client.read_until("answer").await;
    assert!(Moment::now().since(sent) >= by);
}

#[tokio::test]
async fn slices_come_alone() {
    let (relay, mut client, mut upstream) = relayed().await;
    relay.set(Fault::Slice(Way::ToUpstream, 1));
    client.send("abc").await;
    let mut first = [0; 1];
    upstream
        .stream
        .read_exact(&mut first)
        .await
        .expect("it comes");
    assert_eq!(upstream.read_until("c").await.len(), 2);
}

#[tokio::test]
async fn a_stall_ends_when_it_is_cleared() {
    let (relay, mut client, mut upstream) = relayed().await;
    relay.set(Fault::Stall(Way::ToCandidate, 3));
    upstream.send("abcdef").await;
    client.read_until("abc").await;
    // The other way goes on meanwhile.
    client.send("still here").await;
    upstream.read_until("still here").await;
    relay.clear();
    client.read_until("def").await;
}

#[tokio::test]
async fn resets_and_half_closes_at_a_byte() {
    let (relay, mut client, mut upstream) = relayed().await;
    relay.set(Fault::Reset(Way::ToCandidate, 2));
    upstream.send("abcdef").await;
    assert_eq!(client.read_to_end().await.1, End::Reset);
    assert_eq!(upstream.read_to_end().await.1, End::Reset);
    let (relay, mut client, mut upstream) = relayed().await;
    relay.set(Fault::HalfClose(Way::ToCandidate, 2));
    upstream.send("abcdef").await;
    assert_eq!(client.read_to_end().await, ("ab".to_owned(), End::Fin));
    client.send("other way").await;
    upstream.read_until("other way").await;
}

#[tokio::test]
async fn the_listener_closes_and_opens() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let to = listener.local_addr().expect("bound");
    let relay = Relay::to(to)
        .listening_late()
        .start()
        .await
        .expect("a port is free");
    assert!(TcpStream::connect(relay.address()).await.is_err());
    relay.listen().await.expect("the port is ours");
    let (mut client, mut upstream) = pair(&relay, &listener).await;
    relay.refuse().await;
    assert!(TcpStream::connect(relay.address()).await.is_err());
    client.send("still here").await;
    upstream.read_until("still here").await;
}

#[tokio::test]
async fn connections_are_cut() {
    for (how, end) in [(How::Fin, End::Fin), (How::Reset, End::Reset)] {
        let (relay, mut client, mut upstream) = relayed().await;
        client.send("x").await;
        upstream.read_until("x").await;
        let cut = tokio::time::timeout(PATIENCE, relay.cut_idle(how))
            .await
            .expect("they end");
        assert_eq!((cut, relay.connections()), (1, 0));
        assert_eq!(client.read_to_end().await.1, end);
        assert_eq!(upstream.read_to_end().await.1, end);
    }
}
