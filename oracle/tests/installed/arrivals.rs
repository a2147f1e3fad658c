use std::fmt::Write;

use proptest::collection::{btree_map, vec};
use proptest::prelude::Strategy;
use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestRunner};
use proxyproof_oracle::location::{Answer, Arrival, Files, Request};

use super::running::{Running, installation};

/// Where a location stands, and how it passes requests on to one of two upstreams.
type Locations = Vec<(String, String)>;

fn locations() -> impl Strategy<Value = Locations> {
    let way = (
        select(NOTATIONS.to_vec()),
        select(WAYS.to_vec()),
        select(vec!["a", "b"]),
    );
    btree_map(select(NOTATIONS.to_vec()), way, 1..6).prop_map(|drawn| {
        let text = |(notation, (_, way, upstream)): (&str, (&str, &str, &str))| {
            let is_regex = notation.starts_with('~');
            let way = match way {
                way if way.starts_with('/') && is_regex => "",
                way if way.starts_with("$rest") && !notation.contains("<rest>") => "",
                way => way,
            };
            let body = match way.strip_prefix("rewrite") {
                Some(_) => format!("{way} proxy_pass http://{upstream};"),
                None if way == "try" => format!("try_files /none @{upstream};"),
                None if way == "map" => "proxy_pass http://$chosen;".to_owned(),
                None if way.starts_with("$rest") => {
                    format!("proxy_pass http://{upstream}/x/{way};")
                }
                None => format!("proxy_pass http://{upstream}{way};"),
            };
            (notation.to_owned(), body)
        };
        drawn.into_iter().map(text).collect()
    })
}

const NOTATIONS: [&str; 10] = [
    "/",
    "/v1/",
    "^~ /llm/",
    "= /chat",
    "/llm/v1/",
    "/v1/models",
    "~ ^/(?<kind>v1|v2)/(?<rest>.*)$",
    "~* \\.json$",
    "~ ^/t/[a-z]+/(?<rest>.+)$",
    "/api",
];

const WAYS: [&str; 12] = [
    "",
    "",
    "/",
    "/v1/",
    "/openai/v1/",
    "/chat/completions",
    "rewrite ^/llm/(.*)$ /$1 break;",
    "rewrite ^/api(/.*)$ $1 break;",
    "rewrite ^/(\\w+)/(.*)$ /v2/$2/$1 break;",
    "try",
    "map",
    "$rest$is_args$args",
];

const TARGETS: [&str; 9] = [
    "/v1/models",
    "/v1/chat/completions?a=b&c",
    "/chat/completions",
    "/openai/v1/embeddings",
    "/x/models?q",
    "/v2/models/v1",
    "/",
    "/a.json",
    "/v1/%41/b",
];

/// What stands in `http`: the upstreams answer with their names and what they were asked for.
fn text(locations: &Locations) -> String {
    let mut text = String::from(
        "upstream a { server unix:SOCKETS/a; } upstream b { server unix:SOCKETS/b; }\n\
         map $uri $chosen { default a; ~^/(v2|api)/ b; }\n",
    );
    for name in ["a", "b"] {
        let _ = writeln!(
            text,
            "server {{ listen unix:SOCKETS/{name}; return 200 \"{name} $request_uri\"; }}"
        );
    }
    text.push_str("server { listen unix:SOCKETS/front; server_name ~^(www\\.)?site\\d\\.test$;\n");
    for (notation, body) in locations {
        let mut words = notation.splitn(2, ' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let notation =
            second.map_or_else(|| first.to_owned(), |path| format!("{first} \"{path}\""));
        let _ = writeln!(text, "location {notation} {{ {body} }}");
    }
    text.push_str("location @a { proxy_pass http://a; } location @b { proxy_pass http://b; } }\n");
    text
}

/// What the inverse finds arrives so, and what it denies is at least not reached by the target itself.
pub(crate) fn requests_arrive_where_the_inverse_says() {
    let version = installation().expect("it is installed").version;
    let cases = Cases {
        cases: 60,
        failure_persistence: None,
        ..Cases::default()
    };
    let targets = vec(select(TARGETS.to_vec()), 4);
    let found = std::cell::Cell::new(0_usize);
    let outcome = TestRunner::new(cases).run(&(locations(), targets), |(locations, targets)| {
        let running = Running::start(&text(&locations));
        let site = &running.config.site;
        let like = Request {
            files: Files::None,
            version,
            ..Request::get("")
        };
        for target in targets {
            for upstream in ["a", "b"] {
                let arrival = Arrival {
                    server: 2,
                    upstreams: &[upstream],
                    target: target.as_bytes(),
                };
                let request = site.request_for(arrival, &like);
                let wanted = format!("{upstream} {target}");
                match request {
                    Some(request) => {
                        found.set(found.get() + 1);
                        let asked = String::from_utf8_lossy(&request.target).into_owned();
                        let host = format!("Host: {}\r\n", request.host.unwrap_or_default());
                        let answer = running.ask("GET", &asked, &host, "");
                        assert_eq!(answer.body, wanted, "asked for {asked} with {host}");
                    }
                    None => {
                        let answer = running.ask("GET", target, "Host: site1.test\r\n", "");
                        let said = site.decide(&Request {
                            host: Some("site1.test".to_owned()),
                            target: target.into(),
                            ..like.clone()
                        });
                        let is_modelled = !matches!(said.answer, Answer::NotModelled(_));
                        assert!(answer.body != wanted || !is_modelled, "{target} arrives");
                    }
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        found.get() > 20,
        "the inverse found {} requests only",
        found.get()
    );
}
