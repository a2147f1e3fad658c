//! Every row of what NGINX 1.22.1 and 1.31.3 were seen to do with the published configuration.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proxyproof_oracle::Printable;
use proxyproof_oracle::conf::{Document, Tree};
use proxyproof_oracle::location::{Answer, Request, Site};

const PUBLISHED: &str = include_str!("corpus/published.conf");
const ROWS: &str = include_str!("data/routes.tsv");

fn site(text: &str) -> Site {
    let file = Document::parse(text.as_bytes()).unwrap();
    Site::read(&Tree::of("published.conf", file)).unwrap()
}

/// `\xNN` is a byte, `<repeat:a:N>` is N times `a`.
fn raw(cell: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = cell;
    while !rest.is_empty() {
        if let Some(hex) = rest.strip_prefix("\\x")
            && let Ok(byte) = u8::from_str_radix(&hex[..2], 16)
        {
            bytes.push(byte);
            rest = &hex[2..];
        } else if let Some(repeat) = rest.strip_prefix("<repeat:") {
            let (what, after) = repeat.split_once('>').unwrap();
            let (letter, times) = what.split_once(':').unwrap();
            bytes.extend(letter.repeat(times.parse().unwrap()).bytes());
            rest = after;
        } else {
            bytes.push(rest.as_bytes()[0]);
            rest = &rest[1..];
        }
    }
    bytes
}

#[test]
fn every_row_of_the_fixture_agrees() {
    let site = site(PUBLISHED);
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in ROWS.lines().skip(1) {
        let cells: Vec<_> = row.split('\t').collect();
        let [version, method, target, status, backend, upstream_target] = cells[..] else {
            panic!("a row of six cells: {row:?}");
        };
        let request = Request {
            method: method.as_bytes().to_vec(),
            version: version.parse().unwrap(),
            ..Request::get(raw(target))
        };
        let decision = site.decide(&request);
        let expected_status: u16 = status.parse().unwrap();
        let agrees = match &decision.answer {
            Answer::Proxied { upstream, target } => {
                let name = match upstream.as_str() {
                    "cpa_backend" => "cpa",
                    "cpa_usage_backend" => "usage",
                    other => other,
                };
                name == backend && *target == raw(upstream_target) && expected_status == 200
            }
            answer => answer.status() == Some(expected_status) && backend == "-",
        };
        if !agrees {
            wrong.push(format!("{row}\n    {:?}", decision.answer));
        }
        rows += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} rows differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(rows, 824);
}

/// What was recorded of the corrected configuration: the ten slash-less redirects become answers of the right
/// upstream, and the two absolute forms with a foreign host are refused.
#[test]
fn corrected_configuration_differs_where_it_was_seen_to() {
    let old = site(PUBLISHED);
    let new = site(include_str!("corpus/corrected.conf"));
    let mut differing = Vec::new();
    for target in targets_of("1.22.1") {
        let ask = |site: &Site, target: &[u8]| {
            let mut request = Request::get(target);
            request.host = Some("api.example.org".into());
            site.decide(&request).answer
        };
        if ask(&old, &target) != ask(&new, &target) {
            differing.push(format!(
                "{}: {} -> {}",
                Printable(&target),
                ask(&old, &target),
                ask(&new, &target)
            ));
        }
    }
    insta::assert_snapshot!(differing.join("\n"));
}

fn targets_of(version: &str) -> Vec<Vec<u8>> {
    let rows = ROWS
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect::<Vec<_>>());
    rows.filter(|cells| cells[0] == version && cells[1] == "GET")
        .map(|cells| raw(cells[2]))
        .collect()
}
