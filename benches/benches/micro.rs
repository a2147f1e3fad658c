//! What is done for every request: a PROXY header, a location, a latency.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hdrhistogram::Histogram;
use proxyproof_mocks::wire::proxy_protocol::{ProxyHeader, ProxyVersion};
use proxyproof_oracle::conf::Document;
use proxyproof_oracle::location::{Modifier, Notation, TableBuilder};

fn proxy_protocol(criterion: &mut Criterion) {
    let (client, server) = (
        ([203, 0, 113, 7], 40_000).into(),
        ([127, 0, 0, 1], 8003).into(),
    );
    for (name, version) in [("v1", ProxyVersion::V1), ("v2", ProxyVersion::V2)] {
        let header = version.encode(client, server);
        criterion.bench_function(&format!("PROXY protocol {name}, parse"), |bencher| {
            bencher.iter(|| ProxyHeader::parse(black_box(&header)));
        });
    }
}

fn configuration(criterion: &mut Criterion) {
    let locations = (0..1000).map(|number| format!("location /v1/{number}/ {{ return 200; }}\n"));
    let text = format!("server {{\n{}}}\n", locations.collect::<String>());
    criterion.bench_function("configuration of 1 000 locations, parse", |bencher| {
        bencher.iter(|| Document::parse(black_box(text.as_bytes().to_vec())));
    });
    let mut table = TableBuilder::new();
    for number in 0..1000 {
        let text = format!("/v1/{number}/").into_bytes();
        let notation = Notation {
            modifier: Modifier::Prefix,
            text,
        };
        table = table.route(notation, "cpa");
    }
    let table = table.build().expect("prefixes make a table");
    criterion.bench_function("1 000 locations, match", |bencher| {
        bencher.iter(|| table.find(black_box(b"/v1/777/chat")));
    });
}

fn histogram(criterion: &mut Criterion) {
    let mut histogram: Histogram<u64> =
        Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are constants");
    let mut value = 1;
    criterion.bench_function("latency, record", |bencher| {
        bencher.iter(|| {
            value = (value * 1_103_515_245 + 12_345) % 1_000_000_007;
            histogram.saturating_record(black_box(value));
        });
    });
}

criterion_group!(micro, proxy_protocol, configuration, histogram);
criterion_main!(micro);
