//! Reading a configuration, finding a location, comparing two tables: 10, 1 000 and 100 000 locations.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proxyproof_oracle::conf::Document;
use proxyproof_oracle::decision::compare;
use proxyproof_oracle::location::{Notation, Owner, Table, TableBuilder};

const SIZES: [usize; 3] = [10, 1_000, 100_000];

fn name(number: usize) -> String {
    format!("/service-{}/resource-{number}/", number % 97)
}

fn text(locations: usize) -> Vec<u8> {
    let location = |number| {
        format!(
            "    location {} {{ proxy_pass http://u{}; }}\n",
            name(number),
            number % 7
        )
    };
    let inside: String = (0..locations).map(location).collect();
    format!("server {{\n    listen 80;\n{inside}}}\n").into_bytes()
}

fn table(locations: usize) -> Table {
    let add = |builder: TableBuilder, number: usize| {
        let notation = Notation::from_words(&[name(number).as_bytes()]).expect("a path");
        builder.route(notation, &format!("u{}", number % 7))
    };
    let builder = (0..locations).fold(TableBuilder::new(), add);
    builder.build().expect("no duplicates")
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for size in SIZES {
        let text = text(size);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| Document::parse(black_box(text.as_slice())).expect("is configuration"));
        });
    }
}

fn find(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find");
    for size in SIZES {
        let table = table(size);
        let path = format!("{}x", name(size / 2)).into_bytes();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| table.find(black_box(&path)).expect("no expressions"));
        });
    }
}

fn compare_tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compare");
    group.sample_size(10);
    for size in [10, 1_000, 10_000, 100_000] {
        let (left, right) = (table(size), table(size));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| compare(&left, &right, &Owner::does_the_same_as));
        });
    }
}

criterion_group!(benches, parse, find, compare_tables);
criterion_main!(benches);
