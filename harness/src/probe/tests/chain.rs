//! Through the front: PROXY header, TLS, then HTTP.

use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::front::{AcceptProxy, Fallback, FallbackTable, Front, RunningFront};
use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;

use super::peer::{OK, Peer};
use crate::probe::{Client, Entrance, OTHER_ADDRESS, ProbeError, ProxyHeader, Request, Trust};
use crate::protocol::Protocol;

struct Chain {
    front: RunningFront,
    authority: Authority,
}

impl Chain {
    async fn to(peer: &Peer) -> Self {
        let authority = Authority::generate();
        let table = FallbackTable::new(vec![Fallback {
            name: String::new(),
            alpn: String::new(),
            path: String::new(),
            dest: peer.address().into(),
            xver: Some(ProxyVersion::V1),
        }]);
        let leaf = authority.wildcard("example.org").unwrap();
        let front = Front::new(table, leaf).accept_proxy(AcceptProxy::Required);
        let front = front.start().await.unwrap();
        Self { front, authority }
    }

    fn client(&self, protocol: Protocol, authority: &Authority) -> Client {
        let trust = Trust::authority(authority.certificate_der()).unwrap();
        Client::new(Entrance {
            protocol,
            address: self.front.address(),
            host: "api.example.org".to_owned(),
            trust: Some(trust),
        })
    }
}

#[tokio::test]
async fn the_claimed_address_arrives_behind_the_front() {
    let peer = Peer::listen().await;
    let chain = Chain::to(&peer).await;
    let client = chain.client(Protocol::ChainH1, &chain.authority);
    let connection = client
        .from(OTHER_ADDRESS)
        .header(ProxyHeader::V2)
        .connect()
        .await
        .unwrap();
    let request = Request::new("GET", "/", "api.example.org");
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    let head = accepted.read_head().await;
    let claimed = format!(
        "PROXY TCP4 198.51.100.23 192.0.2.1 {} 443\r\n",
        connection.client().port()
    );
    assert!(head.starts_with(&claimed), "{head}");
    accepted.write(OK).await;
    assert!(exchange.whole().await.unwrap().is_exactly(b"ok"));
}

#[tokio::test]
async fn http_2_is_chosen_by_alpn() {
    let peer = Peer::listen().await;
    let chain = Chain::to(&peer).await;
    let client = chain.client(Protocol::ChainH2, &chain.authority);
    let connection = client.connect().await.unwrap();
    let mut exchange = connection
        .open(&Request::new("GET", "/", "api.example.org"))
        .await
        .unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_until(b"\r\n").await;
    let mut server = h2::server::handshake(accepted.stream).await.unwrap();
    let (_, mut answer) = server.accept().await.unwrap().unwrap();
    answer.send_response(http::Response::new(()), true).unwrap();
    tokio::spawn(async move { while let Some(Ok(_)) = server.accept().await {} });
    assert_eq!(exchange.whole().await.unwrap().status, 200);
}

#[tokio::test]
async fn what_tls_refuses_is_said() {
    let peer = Peer::listen().await;
    let chain = Chain::to(&peer).await;
    let stranger = chain.client(Protocol::ChainH1, &Authority::generate());
    let error = stranger.connect().await.unwrap_err();
    assert!(matches!(error, ProbeError::Tls { .. }), "{error:?}");
    let other = chain.client(Protocol::ChainH1, &chain.authority);
    let error = other.sni("api.example.com").connect().await.unwrap_err();
    assert!(matches!(error, ProbeError::Tls { .. }), "{error:?}");
    let mixed = chain.client(Protocol::ChainH2, &chain.authority);
    let error = mixed.alpn(&["http/1.1"]).connect().await.unwrap_err();
    assert!(matches!(error, ProbeError::Alpn { .. }), "{error:?}");
}
