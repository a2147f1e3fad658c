//! What NGINX 1.22.1 and 1.31.3 were seen to do with `rewrite`, `if`, `set`, `return` and variables in `proxy_pass`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proxyproof_oracle::Printable;
use proxyproof_oracle::conf::{Document, Tree};
use proxyproof_oracle::location::{Answer, Request, Site};

const BLOCKS: &str = include_str!("data/rewrites.conf");
const ROWS: &str = include_str!("data/rewrites.tsv");

/// The server the rows were recorded with.
fn site(inside: &str) -> Site {
    let text = format!(
        "upstream u0 {{ server 127.0.0.1:1; }} upstream u1 {{ server 127.0.0.1:2; }} upstream u2 {{ server 127.0.0.1:3; }} \
         upstream u3 {{ server 127.0.0.1:4; }} server {{ listen 127.0.0.1:80; server_name api.example.org; {inside} }}"
    );
    let file = Document::parse(text.into_bytes()).unwrap();
    Site::read(&Tree::of("rewrites.conf", file)).unwrap()
}

fn raw(cell: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = cell;
    while let Some(first) = rest.bytes().next() {
        let hex = rest
            .strip_prefix("\\x")
            .and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        bytes.push(hex.unwrap_or(first));
        rest = &rest[if hex.is_some() { 4 } else { 1 }..];
    }
    bytes
}

#[test]
fn every_recorded_row_agrees() {
    let sites: Vec<Site> = BLOCKS.lines().skip(1).map(site).collect();
    let mut wrong = Vec::new();
    for row in ROWS.lines().skip(1) {
        let cells: Vec<_> = row.split('\t').collect();
        let [version, block, target, status, upstream, received] = cells[..] else {
            panic!("a row of six cells: {row:?}");
        };
        let request = Request {
            version: version.parse().unwrap(),
            ..Request::get(raw(target))
        };
        let answer = sites[block.parse::<usize>().unwrap() - 1]
            .decide(&request)
            .answer;
        let (own_upstream, own_received) = match &answer {
            Answer::Proxied { upstream, target } => {
                (upstream.as_str(), Printable(target).to_string())
            }
            Answer::Redirected {
                location: Some(location),
                ..
            } => ("-", Printable(location).to_string()),
            Answer::Redirected { location: None, .. } => ("-", received.to_owned()),
            _ => ("-", "-".to_owned()),
        };
        let own = (answer.status(), own_upstream, own_received.as_str());
        if own != (status.parse().ok(), upstream, received) {
            wrong.push(format!("{row}\n    {answer}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
