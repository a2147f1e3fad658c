//! Whom the upstreams are told the client is, and what clients cannot say.

use crate::rig::{OK, Proxy, Wire, values};

const SPOOFED: &str = "GET /v0/management/config HTTP/1.1\r\nHost: api.example.org\r\nX-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n\
    Forwarded: for=127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n\
    True-Client-IP: 127.0.0.1\r\nCF-Connecting-IP: 127.0.0.1\r\nX-Client-IP: 127.0.0.1\r\nX-Original-URL: /x\r\nX-Rewrite-URL: /x\r\n\
    X-HTTP-Method-Override: DELETE\r\nProxy: http://evil\r\nX_Forwarded_For: 127.0.0.1\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n\
    Proxy-Authorization: Basic x\r\nTE: gzip\r\nX-Listed: 1\r\nAuthorization: Bearer k\r\nX-Api-Key: k\r\nanthropic-version: 1\r\n\
    Cookie: a=1\r\nConnection: keep-alive, X-Listed, Authorization, X-Forwarded-For\r\n\r\n";

async fn arrival(proxy: &Proxy, opening: &str, request: &str) -> String {
    let mut client = Wire::connect(proxy.h1).await;
    client.send(opening).await;
    client.send(request).await;
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    cpa.send(OK).await;
    client.head().await;
    head
}

#[tokio::test]
async fn the_tunnels_word_counts_and_the_clients_does_not() {
    let proxy = Proxy::plain().await;
    let head = arrival(&proxy, crate::rig::CLIENT, SPOOFED).await;
    for (name, expected) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        (
            "forwarded",
            "for=203.0.113.7;host=api.example.org;proto=https",
        ),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.example.org"),
        ("x-forwarded-port", "443"),
        ("authorization", "Bearer k"),
        ("x-api-key", "k"),
        ("anthropic-version", "1"),
        ("cookie", "a=1"),
    ] {
        assert_eq!(values(&head, name), [expected], "{name} in {head}");
    }
    let gone = "X-Forwarded-Prefix True-Client-IP CF-Connecting-IP X-Client-IP X-Original-URL X-Rewrite-URL X-HTTP-Method-Override Proxy \
        X_Forwarded_For Keep-Alive Proxy-Connection Proxy-Authorization TE X-Listed Connection";
    for name in gone.split_whitespace() {
        assert_eq!(values(&head, name), [""; 0], "{name} in {head}");
    }
}

#[tokio::test]
async fn the_site_says_how_clients_reach_it() {
    let proxy = Proxy::start("[identity]\nscheme = 'http'\nport = 8080\n").await;
    let head = arrival(&proxy, crate::rig::CLIENT, crate::rig::GET).await;
    for (name, expected) in [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "8080"),
        ("x-forwarded-host", "api.example.org"),
        (
            "forwarded",
            "for=203.0.113.7;host=api.example.org;proto=http",
        ),
    ] {
        assert_eq!(values(&head, name), [expected], "{name} in {head}");
    }
}

#[tokio::test]
async fn an_ipv6_address_is_quoted_where_that_is_due() {
    let proxy = Proxy::plain().await;
    let head = arrival(
        &proxy,
        "PROXY TCP6 2001:db8::7 ::1 5555 443\r\n",
        crate::rig::GET,
    )
    .await;
    assert_eq!(values(&head, "x-forwarded-for"), ["2001:db8::7"]);
    assert_eq!(
        values(&head, "forwarded"),
        ["for=\"[2001:db8::7]\";host=api.example.org;proto=https"]
    );
}

#[tokio::test]
async fn every_request_of_a_connection_and_of_a_pool_names_its_client() {
    let proxy = Proxy::plain().await;
    let mut cpa = None;
    for round in 0..3 {
        for address in ["203.0.113.7", "203.0.113.8"] {
            let mut client = Wire::connect(proxy.h1).await;
            client
                .send(format!("PROXY TCP4 {address} 127.0.0.1 5555 443\r\n"))
                .await;
            for _ in 0..2 {
                client.send(crate::rig::GET).await;
                let mut upstream = match cpa.take() {
                    Some(upstream) => upstream,
                    None => proxy.cpa().await,
                };
                assert_eq!(
                    values(&upstream.head().await, "x-real-ip"),
                    [address],
                    "round {round}"
                );
                upstream.send(OK).await;
                client.head().await;
                client.take(2).await;
                cpa = Some(upstream);
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_would_look_local_is_refused() {
    let proxy = Proxy::plain().await;
    for opening in [
        "PROXY UNKNOWN\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 5555 443\r\n",
        "PROXY TCP6 ::ffff:127.0.0.1 ::1 5555 443\r\n",
    ] {
        let mut client = Wire::connect(proxy.h1).await;
        client.send(opening).await;
        client.send(crate::rig::GET).await;
        assert!(
            client.head().await.starts_with("HTTP/1.1 403 "),
            "{opening}"
        );
    }
    let mut bare = Wire::connect(proxy.h1).await;
    bare.send(crate::rig::GET).await;
    assert_eq!(bare.rest().await, "");
}

#[tokio::test]
async fn defects_change_the_identity() {
    for (defect, opening, name, expected) in [
        (
            "append_forwarded_for",
            crate::rig::CLIENT,
            "x-forwarded-for",
            vec!["127.0.0.1, 203.0.113.7"],
        ),
        (
            "keep_real_ip",
            crate::rig::CLIENT,
            "x-real-ip",
            vec!["127.0.0.1"],
        ),
        (
            "keep_forwarded",
            crate::rig::CLIENT,
            "forwarded",
            vec!["for=127.0.0.1, for=203.0.113.7;host=api.example.org;proto=https"],
        ),
        (
            "no_forwarded_proto",
            crate::rig::CLIENT,
            "x-forwarded-proto",
            vec![],
        ),
        (
            "keep_spoofable_fields",
            crate::rig::CLIENT,
            "cf-connecting-ip",
            vec!["127.0.0.1"],
        ),
        (
            "pass_underscore_fields",
            crate::rig::CLIENT,
            "x_forwarded_for",
            vec!["127.0.0.1"],
        ),
        (
            "hop_by_hop_forwarded",
            crate::rig::CLIENT,
            "keep-alive",
            vec!["5"],
        ),
        (
            "listed_fields_forwarded",
            crate::rig::CLIENT,
            "x-listed",
            vec!["1"],
        ),
        (
            "connection_strips_identity",
            crate::rig::CLIENT,
            "x-forwarded-for",
            vec![],
        ),
        (
            "drop_authorization",
            crate::rig::CLIENT,
            "authorization",
            vec![],
        ),
        ("drop_api_key", crate::rig::CLIENT, "x-api-key", vec![]),
        (
            "drop_custom_fields",
            crate::rig::CLIENT,
            "anthropic-version",
            vec![],
        ),
        (
            "pass_proxy_field",
            crate::rig::CLIENT,
            "proxy",
            vec!["http://evil"],
        ),
        ("upstream_host", crate::rig::CLIENT, "host", vec!["cpa"]),
        (
            "trust_unknown",
            "PROXY UNKNOWN\r\n",
            "x-real-ip",
            vec!["127.0.0.1"],
        ),
        (
            "accept_loopback_claim",
            "PROXY TCP4 127.0.0.9 127.0.0.1 5555 443\r\n",
            "x-real-ip",
            vec!["127.0.0.9"],
        ),
        (
            "ignore_proxy_address",
            crate::rig::CLIENT,
            "x-real-ip",
            vec!["127.0.0.1"],
        ),
        ("optional_proxy_header", "", "x-real-ip", vec!["127.0.0.1"]),
        (
            "lenient_proxy_header",
            "PROXY TCP5 nonsense\r\n",
            "x-real-ip",
            vec!["127.0.0.1"],
        ),
        (
            "send_connection_close",
            crate::rig::CLIENT,
            "connection",
            vec!["close"],
        ),
        (
            "upgrade_always",
            crate::rig::CLIENT,
            "upgrade",
            vec!["websocket"],
        ),
    ] {
        let proxy = Proxy::with_defect(defect).await;
        let head = arrival(&proxy, opening, SPOOFED).await;
        assert_eq!(values(&head, name), expected, "{defect}");
    }
}
