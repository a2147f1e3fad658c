//! What the model does not read, and what a release lacks.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proxyproof_oracle::conf::{Sources, Tree};
use proxyproof_oracle::location::NginxVersion;
use proxyproof_oracle::unread::{Missing, UnreadKind, lacking, unread};

fn tree(text: &str) -> Tree {
    Tree::load("nginx.conf", text, &mut Sources::new()).unwrap()
}

fn listed(text: &str) -> Vec<(UnreadKind, String, usize)> {
    let found = unread(&tree(text)).into_iter();
    found
        .map(|one| (one.kind, one.name, one.around.len()))
        .collect()
}

#[test]
fn what_is_known_is_not_listed() {
    let text = "map $http_upgrade $up { default $close; '' x; } map $uri $close { default ''; } geo $net { default 0; } \
                types { text/html html; } \
                server { server_name ~^(?<tenant>.+)\\.org$; set $a $tenant$1; \
                if ($http_cookie ~ \"id=(?<id>\\w+)\") { return 200 $id$up$net; } \
                location ~ ^/(?<rest>.*)$ { proxy_pass http://$a/$rest$is_args$args; proxy_set_header X $upstream_http_y; } } \
                stream { anything on; }";
    assert_eq!(listed(text), []);
}

#[test]
fn directives_code_and_variables_are_listed_with_the_blocks_around() {
    let text = "server { location / { content_by_lua_block { ngx.say('x; }') } some_module on; add_header X $some_variable; } } ";
    assert_eq!(
        listed(text),
        [
            (UnreadKind::Code, "content_by_lua_block".to_owned(), 2),
            (UnreadKind::Directive, "some_module".to_owned(), 2),
            (UnreadKind::Variable, "some_variable".to_owned(), 2),
        ]
    );
}

#[test]
fn a_block_of_an_unknown_directive_is_listed_once() {
    assert_eq!(listed("vhost_traffic { a b; c { d e; } }").len(), 1);
}

#[test]
fn what_a_release_lacks_is_named_with_the_first_that_has_it() {
    let text = "upstream g { server a resolve; } server { listen 443 ssl; http2 on; more_set_headers 'A: b'; }";
    let needs = |version| {
        let found = lacking(&tree(text), version).into_iter();
        let shown = found.map(|one| match one.missing {
            Missing::Release(first) => format!("{} {first}", one.what),
            Missing::EarlierRelease(gone) => format!("{} before {gone}", one.what),
            Missing::Module(module) => format!("{} {module}", one.what),
        });
        shown.collect::<Vec<_>>()
    };
    assert_eq!(
        needs(NginxVersion::V1_22_1),
        [
            "server … resolve 1.27.3",
            "http2 1.25.1",
            "more_set_headers headers-more",
        ]
    );
    assert_eq!(
        needs(NginxVersion::V1_31_3),
        ["http2 http_v2_module", "more_set_headers headers-more"]
    );
    let gone = lacking(&tree("server { ssl on; }"), NginxVersion::V1_31_3);
    assert!(
        gone.iter()
            .any(|one| matches!(one.missing, Missing::EarlierRelease(_)))
    );
}
