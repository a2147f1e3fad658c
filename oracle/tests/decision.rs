//! The decision procedure against the matcher it must agree with.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::{Just, Strategy, proptest};
use proptest::{prop_assert, prop_assert_eq};
use proxyproof_oracle::decision::{Comparison, Proof, compare, target_of};
use proxyproof_oracle::location::{MergeSlashes, Notation, Owner, Table, TableBuilder, normalise};
use proxyproof_oracle::strategy::{Draft, draft, target};

fn owner(table: &Table, path: &[u8]) -> Owner {
    table.owner(table.find(path).unwrap())
}

fn compared(left: &Table, right: &Table) -> Comparison {
    compare(left, right, &|left, right| left == right)
}

/// Two drafts, the second of which is the first with some locations changed.
fn relatives() -> impl Strategy<Value = (Draft, Draft)> {
    (draft(), draft(), 0..4_usize).prop_map(|(first, other, kept)| {
        let mut second = first.clone();
        second
            .locations
            .truncate(kept.max(first.locations.len().saturating_sub(2)));
        for location in other.locations.into_iter().take(2) {
            let is_new = |known: &Notation| known.text != location.notation.text;
            if second.locations.iter().all(|known| is_new(&known.notation)) {
                second.locations.push(location);
            }
        }
        (first, second)
    })
}

fn relatives_and_targets() -> impl Strategy<Value = (Draft, Draft, Vec<Vec<u8>>)> {
    relatives().prop_flat_map(|(first, second)| {
        let texts = [first.texts(), second.texts()].concat();
        (
            Just(first),
            Just(second),
            proptest::collection::vec(target(texts), 40),
        )
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 100, ..Default::default() })]


    #[test]
    fn a_table_equals_itself(draft in draft()) {
        let table = draft.table().unwrap();
        prop_assert!(compared(&table, &table).is_equality());
    }

    #[test]
    fn counterexamples_differ_and_nothing_is_missed((first, second, targets) in relatives_and_targets()) {
        let (left, right) = (first.table().unwrap(), second.table().unwrap());
        let comparison = compared(&left, &right);
        for difference in &comparison.differences {
            for path in difference.also.iter().chain([&difference.path]) {
                prop_assert_eq!(owner(&left, path), difference.left.clone());
                prop_assert_eq!(owner(&right, path), difference.right.clone());
                let merge_slashes = left.merge_slashes();
                prop_assert_eq!(&normalise(&target_of(path), merge_slashes).unwrap().path, path);
            }
            prop_assert!(difference.also.iter().all(|path| path.len() >= difference.path.len()));
        }
        if comparison.proof != Proof::Complete || left.merge_slashes() != right.merge_slashes() {
            return Ok(());
        }
        for target in targets {
            if !target.starts_with(b"/") { continue; }
            let Ok(normalised) = normalise(&target, left.merge_slashes()) else { continue; };
            let owners = (owner(&left, &normalised.path), owner(&right, &normalised.path));
            let is_known = comparison.differences.iter().any(|known| (known.left.clone(), known.right.clone()) == owners);
            prop_assert_eq!(is_known, owners.0 != owners.1, "{:?}", normalised.path.escape_ascii().to_string());
        }
    }

    #[test]
    fn no_shorter_path_shows_a_difference((first, second) in relatives()) {
        let (left, right) = (first.table().unwrap(), second.table().unwrap());
        let comparison = compared(&left, &right);
        if comparison.proof != Proof::Complete || left.merge_slashes() != right.merge_slashes() { return Ok(()); }
        for path in short_paths() {
            let owners = (owner(&left, &path), owner(&right, &path));
            if owners.0 == owners.1 || normalise(&path, left.merge_slashes()).map(|n| n.path) != Ok(path.clone()) { continue; }
            let known = comparison.differences.iter().find(|known| (known.left.clone(), known.right.clone()) == owners);
            prop_assert!(known.is_some_and(|known| known.path.len() <= path.len()), "{:?}", path.escape_ascii().to_string());
        }
    }
}

/// Every path of up to three bytes after the slash, over the bytes that tables of drafts are made of.
fn short_paths() -> Vec<Vec<u8>> {
    let mut paths = vec![b"/".to_vec()];
    let mut longest = paths.clone();
    for _ in 0..3 {
        let longer = longest.iter().flat_map(|path| {
            b"/abA.1 \n"
                .iter()
                .map(|byte| [path.as_slice(), &[*byte]].concat())
        });
        longest = longer.collect();
        paths.extend(longest.clone());
    }
    paths
}

fn table(routes: &[(&str, &str)]) -> Table {
    let add = |builder: TableBuilder, (notation, upstream): &(&str, &str)| {
        builder.route(notation.parse().unwrap(), upstream)
    };
    routes
        .iter()
        .fold(TableBuilder::new(), add)
        .build()
        .unwrap()
}

fn shown(comparison: &Comparison) -> String {
    let line = |difference: &proxyproof_oracle::decision::Difference| {
        let also: Vec<_> = difference
            .also
            .iter()
            .map(|path| path.escape_ascii().to_string())
            .collect();
        format!(
            "{}: {} / {}, also {also:?}\n",
            difference.path.escape_ascii(),
            difference.left,
            difference.right
        )
    };
    let lines: String = comparison.differences.iter().map(line).collect();
    format!("{lines}{:?}", comparison.proof)
}

#[test]
fn expressions_are_compared_by_what_they_match() {
    let old = table(&[("/", "a"), ("~ \\.php$", "b")]);
    let same = table(&[("/", "a"), ("~ [.]ph(?:p)$", "b")]);
    assert!(compared(&old, &same).is_equality());
    let other = table(&[("/", "a"), ("~* \\.php$", "b")]);
    insta::assert_snapshot!(shown(&compared(&old, &other)));
}

#[test]
fn unchanged_irregular_expressions_do_not_spoil_a_proof() {
    let old = table(&[("/", "a"), ("~ ^/(?!x)", "b"), ("^~ /static/", "c")]);
    let new = table(&[
        ("^~ /static/", "c"),
        ("/", "a"),
        ("= /", "a"),
        ("~ ^/(?!x)", "b"),
    ]);
    insta::assert_snapshot!(shown(&compared(&old, &new)));
}

#[test]
fn changed_irregular_expressions_are_tried() {
    let old = table(&[("/", "a"), ("~ ^/(?!x)", "b")]);
    let new = table(&[("/", "a"), ("~ ^/(?!y)", "b")]);
    insta::assert_snapshot!(shown(&compared(&old, &new)));
}

#[test]
fn dead_locations_make_no_difference() {
    let old = table(&[("/", "a")]);
    let new = table(&[
        ("/", "a"),
        ("//x", "b"),
        ("= /./x", "b"),
        ("x", "b"),
        ("/y/../", "b"),
    ]);
    assert!(compared(&old, &new).is_equality());
    let apart = TableBuilder::new()
        .merge_slashes(MergeSlashes::Off)
        .route("//x".parse().unwrap(), "b")
        .build()
        .unwrap();
    let none = TableBuilder::new()
        .merge_slashes(MergeSlashes::Off)
        .build()
        .unwrap();
    insta::assert_snapshot!(shown(&compared(&none, &apart)));
}

/// Ten thousand locations against ten thousand: a debug build on a busy machine gets a minute, a release build needs less
/// than a second (`benches/compare.rs`).
#[test]
fn large_tables_are_compared_in_linear_space() {
    let routes = |shift: usize| {
        let add = |builder: TableBuilder, number: usize| {
            let text = format!("/service-{}/resource-{number}/", number % 97);
            builder.route(
                Notation::from_words(&[text.as_bytes()]).unwrap(),
                &format!("u{}", (number + shift) % 7),
            )
        };
        (0..10_000).fold(TableBuilder::new(), add).build().unwrap()
    };
    let (left, right) = (routes(0), routes(0));
    assert!(compared(&left, &right).is_equality());
    let differing = compare(&left, &routes(1), &Owner::does_the_same_as);
    assert_eq!(differing.differences.len(), 7);
    assert!(differing.classes < 1_000_000, "{}", differing.classes);
}
