//! The tunnel front over real sockets: who sees what when a side ends, and the settings that the real program does not have.
#![expect(clippy::unwrap_used, reason = "the whole target is tests")]

mod client;

use std::time::{Duration, Instant};

use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::front::{
    AcceptProxy, Ending, FallbackTable, Front, FrontConnection, FrontTimers, PlainListener,
    RunningFront,
};
use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use self::client::{PATIENCE, TlsClient, tls, within};

/// A front with one destination, which the test plays itself.
struct Stage {
    front: RunningFront,
    authority: Authority,
    destination: TcpListener,
}

impl Stage {
    async fn start(timers: FrontTimers) -> Self {
        Self::with(|front| front.timers(timers)).await
    }

    async fn with(change: impl FnOnce(Front) -> Front) -> Self {
        let destination = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let table: FallbackTable =
            r#"[{"dest":8003},{"name":"api.example.org","alpn":"h2","dest":8004,"xver":1}]"#
                .parse()
                .unwrap();
        let address = destination.local_addr().unwrap();
        let table = table.redirect(8003, address).redirect(8004, address);
        let authority = Authority::generate();
        let leaf = authority
            .leaf(&["*.example.org", "localhost", "127.0.0.1", "::1"])
            .unwrap();
        let front = change(Front::new(table, leaf)).start().await.unwrap();
        Self {
            front,
            authority,
            destination,
        }
    }

    async fn client(&self) -> TlsClient {
        tls(
            &self.authority,
            self.front.address(),
            "api.example.org",
            &["http/1.1"],
            b"",
        )
        .await
    }

    /// The destination's end of the next connection.
    async fn accept(&self) -> TcpStream {
        within(self.destination.accept()).await.unwrap().0
    }

    /// A client that has said something, and the destination that has heard it.
    async fn talking(&self) -> (TlsClient, TcpStream) {
        let mut client = self.client().await;
        client.write_all(b"hello").await.unwrap();
        let mut destination = self.accept().await;
        assert_eq!(read(&mut destination, 5).await, b"hello");
        (client, destination)
    }

    async fn ended(&self) -> FrontConnection {
        let ended =
            |all: &[FrontConnection]| all.first().filter(|one| one.closed.is_some()).cloned();
        self.front
            .until(PATIENCE, ended)
            .await
            .expect("the connection ends")
    }
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin), length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

async fn read_to_end(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // How the end is told (FIN or RST) is another matter.
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}

fn timers(change: impl FnOnce(&mut FrontTimers)) -> FrontTimers {
    let mut timers = FrontTimers {
        uplink_only: NEVER,
        downlink_only: NEVER,
        ..FrontTimers::default()
    };
    change(&mut timers);
    timers
}

#[tokio::test]
async fn a_clients_end_reaches_the_destination_when_nothing_has_moved_for_a_while() {
    let stage = Stage::start(timers(|timers| timers.downlink_only = SHORT)).await;
    let (mut client, mut destination) = stage.talking().await;
    let before = Instant::now();
    client.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut destination).await, b"");
    assert!(before.elapsed() >= SHORT);
    assert_eq!(stage.ended().await.ending, Some(Ending::ClientEnded));
}

#[tokio::test]
async fn an_answer_still_comes_after_the_clients_end() {
    let stage = Stage::start(timers(|_| {})).await;
    let (mut client, mut destination) = stage.talking().await;
    client.shutdown().await.unwrap();
    destination.write_all(b"answer").await.unwrap();
    drop(destination);
    assert_eq!(read_to_end(&mut client).await, b"answer");
    drop(client);
    assert_eq!(stage.ended().await.ending, Some(Ending::DestinationEnded));
}

#[tokio::test]
async fn a_destinations_end_is_told_at_once_and_no_byte_before_it_is_lost() {
    let stage = Stage::start(timers(|_| {})).await;
    let (mut client, mut destination) = stage.talking().await;
    let answer = vec![b'x'; 300_000];
    // More than fits the sockets, still on its way when the destination closes.
    let sending = tokio::spawn(async move { destination.write_all(&vec![b'x'; 300_000]).await });
    assert_eq!(read_to_end(&mut client).await, answer);
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_clients_reset_reaches_the_destination_at_once() {
    let stage = Stage::start(timers(|_| {})).await;
    let (client, mut destination) = stage.talking().await;
    client.get_ref().0.set_zero_linger().unwrap();
    drop(client.into_inner().0);
    assert_eq!(read_to_end(&mut destination).await, b"");
    assert!(matches!(
        stage.ended().await.ending,
        Some(Ending::ClientBroke { .. })
    ));
}

#[tokio::test]
async fn a_destinations_reset_is_an_orderly_end_to_the_client_and_known_to_the_front() {
    let stage = Stage::start(timers(|_| {})).await;
    let (mut client, destination) = stage.talking().await;
    destination.set_zero_linger().unwrap();
    drop(destination);
    assert_eq!(read_to_end(&mut client).await, b"");
    assert!(matches!(
        stage.ended().await.ending,
        Some(Ending::DestinationBroke { .. })
    ));
}

#[tokio::test]
async fn what_is_idle_both_ways_is_ended() {
    let stage = Stage::start(timers(|timers| timers.idle = SHORT)).await;
    let (mut client, _destination) = stage.talking().await;
    assert_eq!(read_to_end(&mut client).await, b"");
    assert_eq!(stage.ended().await.ending, Some(Ending::Idle));
}

#[tokio::test]
async fn who_says_nothing_gets_no_destination() {
    let stage = Stage::start(timers(|timers| timers.handshake = SHORT)).await;
    let mut raw = TcpStream::connect(stage.front.address()).await.unwrap();
    assert_eq!(read_to_end(&mut raw).await, b"");
    let connection = stage.ended().await;
    assert_eq!(
        (connection.ending, connection.dest),
        (Some(Ending::Silent), None)
    );
}

#[tokio::test]
async fn a_claimed_address_goes_on_to_the_destination() {
    let stage = Stage::with(|front| front.accept_proxy(AcceptProxy::Required)).await;
    let claimed = "203.0.113.7:5555".parse().unwrap();
    let header = ProxyVersion::V2.encode(claimed, "203.0.113.1:443".parse().unwrap());
    let mut client = tls(
        &stage.authority,
        stage.front.address(),
        "api.example.org",
        &["h2"],
        &header,
    )
    .await;
    client.write_all(b"PRI * HTTP/2.0\r\n\r\n").await.unwrap();
    let mut destination = stage.accept().await;
    let expected = b"PROXY TCP4 203.0.113.7 203.0.113.1 5555 443\r\nPRI * HTTP/2.0\r\n\r\n";
    assert_eq!(read(&mut destination, expected.len()).await, expected);
    let connection = stage.front.connection_from(claimed).unwrap();
    assert_eq!(connection.alpn.as_deref(), Some("h2"));
    assert_eq!(connection.sni.as_deref(), Some("api.example.org"));
    assert_eq!(connection.outgoing, Some(destination.peer_addr().unwrap()));
}

#[tokio::test]
async fn a_plain_listener_tells_http_2_by_its_preface_however_it_is_cut() {
    let plain = PlainListener {
        listen: "127.0.0.1:0".parse().unwrap(),
        host: "api.example.org".to_owned(),
    };
    let stage = Stage::with(|front| {
        front
            .plain(plain)
            .loopback_clients_as([203, 0, 113, 7].into())
    })
    .await;
    let address = stage.front.plain_address().unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.set_nodelay(true).unwrap();
    client.write_all(b"P").await.unwrap();
    client.write_all(b"RI * HTTP/2.0\r\n\r\n").await.unwrap();
    let mut destination = stage.accept().await;
    let start = b"PROXY TCP4 203.0.113.7 127.0.0.1 ";
    assert_eq!(read(&mut destination, start.len()).await, start);

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut destination = stage.accept().await;
    assert_eq!(read(&mut destination, 4).await, b"POST");
}

#[tokio::test]
async fn a_plain_client_stays_open_after_the_destinations_end() {
    let plain = PlainListener {
        listen: "127.0.0.1:0".parse().unwrap(),
        host: String::new(),
    };
    let short = timers(|timers| timers.uplink_only = SHORT);
    let stage = Stage::with(|front| front.plain(plain).timers(short)).await;
    let mut client = TcpStream::connect(stage.front.plain_address().unwrap())
        .await
        .unwrap();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut destination = stage.accept().await;
    read(&mut destination, 18).await;
    let before = Instant::now();
    drop(destination);
    assert_eq!(read_to_end(&mut client).await, b"");
    assert!(before.elapsed() >= SHORT);
}

#[tokio::test]
async fn an_alias_is_routed_as_the_host_it_stands_for() {
    let stage = Stage::with(|front| front.alias("localhost", "api.example.org")).await;
    let mut client = tls(
        &stage.authority,
        stage.front.address(),
        "localhost",
        &["h2"],
        b"",
    )
    .await;
    client.write_all(b"PRI").await.unwrap();
    let mut destination = stage.accept().await;
    assert_eq!(read(&mut destination, 11).await, b"PROXY TCP4 ");
}

#[tokio::test]
async fn bad_peers_do_not_keep_others_out() {
    let stage = Stage::start(timers(|_| {})).await;
    let address = stage.front.address();
    let mut bad = Vec::new();
    for number in 0..600 {
        let mut peer = within(TcpStream::connect(address)).await.unwrap();
        let bytes: &[u8] = match number % 4 {
            0 => b"",
            1 => b"\x16\x03\x01\x02\x00\x01",
            2 => b"GET / HTTP/1.1\r\n\r\n",
            // A record that never ends, of a handshake that is none.
            _ => &[0x16; 3000],
        };
        // Those that were refused already may be gone.
        let _ = peer.write_all(bytes).await;
        if number % 3 == 0 {
            peer.set_zero_linger().unwrap();
            drop(peer);
        } else {
            bad.push(peer);
        }
    }
    let (mut client, mut destination) = stage.talking().await;
    destination.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut client, 6).await, b"answer");
    let not_tls = |all: &[FrontConnection]| {
        let count = all
            .iter()
            .filter(|one| one.ending == Some(Ending::NotTls))
            .count();
        (count > 0).then_some(())
    };
    stage
        .front
        .until(PATIENCE, not_tls)
        .await
        .expect("the record tells who spoke no TLS");
}

#[tokio::test]
async fn a_stopped_front_leaves_nothing() {
    let stage = Stage::start(timers(|_| {})).await;
    let (mut client, mut destination) = stage.talking().await;
    let address = stage.front.address();
    stage.front.stop().await;
    assert_eq!(read_to_end(&mut client).await, b"");
    assert_eq!(read_to_end(&mut destination).await, b"");
    let refused = timeout(PATIENCE, TcpStream::connect(address))
        .await
        .unwrap();
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
}

/// Timers that are to pass.
const SHORT: Duration = Duration::from_millis(100);
/// Timers that must not matter: longer than the patience of these tests.
const NEVER: Duration = Duration::from_secs(300);
