//! Which upstream gets what, under which target.

use crate::rig::{Proxy, values};

async fn owner(proxy: &Proxy, target: &str) -> (&'static str, String) {
    let mut client = proxy.client().await;
    client
        .send(format!(
            "GET {target} HTTP/1.1\r\nHost: api.example.org\r\nConnection: close\r\n\r\n"
        ))
        .await;
    let (name, mut upstream) = tokio::select! {
        upstream = proxy.cpa() => ("cpa", upstream),
        upstream = proxy.usage() => ("usage", upstream),
    };
    let head = upstream.head().await;
    upstream
        .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.rest().await;
    (name, head.split(' ').nth(1).unwrap().to_owned())
}

#[tokio::test]
async fn targets_go_to_their_owner_byte_for_byte() {
    let proxy = Proxy::plain().await;
    for (target, expected) in [
        ("/health", "usage"),
        ("/health?x=1", "usage"),
        ("/health/", "cpa"),
        ("/healthz", "cpa"),
        ("/HEALTH", "cpa"),
        ("//health", "usage"),
        ("/./health", "usage"),
        ("/x/../health", "usage"),
        ("/x/%2e%2e/health", "usage"),
        ("/x/..%2fhealth", "usage"),
        ("/%68ealth", "usage"),
        ("/v0/management%2fusage", "usage"),
        ("/v0/management/usage/..%2fconfig", "cpa"),
        ("/usage-service/..;/v0/management/config", "usage"),
        ("/v0/management/usage-queue", "cpa"),
        ("/v0/management/usagex", "cpa"),
        ("/v0/management/usage/export", "usage"),
        ("/v0/management", "cpa"),
        ("/usage-service", "usage"),
        ("/usage-service?q=1", "usage"),
        ("/v1/responses?a=1&b=%2F..%2fx", "cpa"),
        ("/?", "cpa"),
        ("/a|b", "cpa"),
        ("/a\"b", "cpa"),
        ("/a{b}", "cpa"),
        ("/a;b+c\\d", "cpa"),
        ("/a%20b?c=%zz", "cpa"),
    ] {
        assert_eq!(owner(&proxy, target).await, (expected, target.to_owned()));
    }
}

#[tokio::test]
async fn an_absolute_target_becomes_a_path() {
    let proxy = Proxy::plain().await;
    assert_eq!(
        owner(&proxy, "http://api.example.org/health?x").await,
        ("usage", "/health?x".to_owned())
    );
    assert_eq!(
        owner(&proxy, "http://api.example.org?x=1").await,
        ("cpa", "/?x=1".to_owned())
    );
}

#[tokio::test]
async fn what_a_location_matched_is_replaced() {
    let proxy = Proxy::start(
        "[[location]]\nmatch = '/llm/'\nupstream = 'usage'\nreplace = '/'\n\
         [[location]]\nmatch = '= /one'\nupstream = 'usage'\nreplace = '/uno'\n",
    )
    .await;
    for (target, expected) in [
        ("/llm/v1/models?a=%20b&c=/llm/", "/v1/models?a=%20b&c=/llm/"),
        ("/llm/", "/"),
        ("/llm", "/"),
        ("/llm?x", "/?x"),
        ("/llm/x?", "/x?"),
        ("/%6clm//x/../y", "/y"),
        ("/llm/a%20b", "/a%20b"),
        ("/llm/a%2fb", "/a/b"),
        ("/llm/a%3Fb?c", "/a%3Fb?c"),
        ("/llm/llm/a%c3%a9", "/llm/a%C3%A9"),
        ("/llm/a|b", "/a|b"),
        ("/one?z=1", "/uno?z=1"),
        ("/%6fne", "/uno"),
    ] {
        let (name, forwarded) = owner(&proxy, target).await;
        assert_eq!((name, &*forwarded), ("usage", expected), "{target}");
    }
    let (name, forwarded) = owner(&proxy, "/llmx").await;
    assert_eq!((name, &*forwarded), ("cpa", "/llmx"));
}

#[tokio::test]
async fn expressions_are_tried_with_the_normalised_path() {
    let proxy = Proxy::start(
        "[[location]]\nmatch = '~ ^/(api|v0)/'\nupstream = 'usage'\n\
         [[location]]\nmatch = '~* \\.PNG$'\nupstream = 'usage'\n",
    )
    .await;
    for (target, expected) in [
        ("/api/x?a=.png", "usage"),
        ("/x/..%2f%61pi//x", "usage"),
        ("/apix", "cpa"),
        ("/a.pNg", "usage"),
        ("/a.png%0A", "usage"),
        ("/a.png%0A%0A", "cpa"),
        ("/x?a=.png", "cpa"),
        ("/v0/management/x.png", "cpa"),
        ("/v0/x", "usage"),
    ] {
        assert_eq!(owner(&proxy, target).await, (expected, target.to_owned()));
    }
}

#[tokio::test]
async fn defects_change_the_route() {
    for (defect, target, expected) in [
        ("ignore_exact", "/health", ("cpa", "/health")),
        (
            "look_alike_prefix",
            "/usage-servicex",
            ("usage", "/usage-servicex"),
        ),
        ("exact_as_prefix", "/healthz", ("usage", "/healthz")),
        ("query_breaks_exact", "/health?x=1", ("cpa", "/health?x=1")),
        (
            "forward_normalised_target",
            "//health",
            ("usage", "/health"),
        ),
        ("strip_query", "/health?x=1", ("usage", "/health")),
        ("swap_upstreams", "/health", ("cpa", "/health")),
    ] {
        let proxy = Proxy::with_defect(defect).await;
        let (name, forwarded) = owner(&proxy, target).await;
        assert_eq!((name, forwarded.as_str()), expected, "{defect}");
    }
}

#[tokio::test]
async fn a_slash_redirect_names_the_listener() {
    let proxy = Proxy::with_defect("slash_redirect_internal").await;
    let mut client = proxy.client().await;
    client
        .send("GET /usage-service?q=1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")
        .await;
    let head = client.head().await;
    let expected = format!(
        "http://api.example.org:{}/usage-service/?q=1",
        proxy.h1.port()
    );
    assert_eq!(values(&head, "location"), [expected.as_str()]);
}
