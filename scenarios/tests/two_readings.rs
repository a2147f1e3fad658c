//! The reference's own router against the oracle: two readings of NGINX's rules by different hands.

use proptest::prelude::{Just, Strategy, prop_assert_eq, proptest};
use proptest::test_runner::FileFailurePersistence;
use proxyproof_oracle::location::{
    Match, MergeSlashes, Modifier, Notation, Owner, Table, normalise,
};
use proxyproof_oracle::strategy::{Draft, draft, target};
use proxyproof_reference::{Reading, read};

/// What the oracle says, in the reference's words.
fn said(table: &Table, path: &[u8]) -> Reading {
    let Ok(normalised) = normalise(path, MergeSlashes::On) else {
        return Reading::Refused;
    };
    let found = table
        .find(&normalised.path)
        .expect("the expressions need few steps");
    let number = |owner: &Owner| match owner {
        Owner::Upstream { name, .. } => name[1..].parse().expect("`u` and a number"),
        other => panic!("{other}"),
    };
    match table.owner(found) {
        Owner::SlashRedirect { owner, .. } => Reading::Slashless(number(&owner)),
        owner if found != Match::Server => Reading::Owned(number(&owner)),
        _ => Reading::Unowned,
    }
}

/// What both can read: no exact location that ends in a slash, which NGINX redirects to and the reference does not, and no
/// expression that looks around or back.
fn common(mut draft: Draft) -> Draft {
    draft.merge_slashes = MergeSlashes::On;
    draft.locations.retain(|location| {
        let Notation { modifier, text } = &location.notation;
        let text = String::from_utf8_lossy(text);
        // The reference knows no quotes.
        let is_word = text.is_ascii() && !text.contains([';', ' ']);
        let is_regular = !text.contains("(?!") && !text.contains(r"\1");
        is_word
            && match modifier.is_regex() {
                true => is_regular,
                false => !(*modifier == Modifier::Exact && text.ends_with('/')),
            }
    });
    for location in &mut draft.locations {
        location.nested.clear();
        location.uri = None;
    }
    draft
}

/// A notation without quotes.
fn written(notation: &Notation) -> String {
    let text = String::from_utf8_lossy(&notation.text);
    format!("{} {text}", notation.modifier.symbol())
}

fn tables_and_targets() -> impl Strategy<Value = (Draft, Vec<u8>)> {
    draft().prop_map(common).prop_flat_map(|draft| {
        let texts = draft.texts();
        (Just(draft), target(texts))
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/two_readings.proptest-regressions"
        )))),
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn reference_and_oracle_read_alike((draft, target) in tables_and_targets()) {
        let path = target.split(|byte| b"?#".contains(byte)).next().unwrap_or_default();
        if path.starts_with(b"/") {
            let notations: Vec<(String, usize)> = draft
                .locations
                .iter()
                .map(|location| (written(&location.notation), location.upstream))
                .collect();
            let locations = notations.iter().map(|(notation, upstream)| (notation.as_str(), *upstream));
            let table = draft.table().expect("a draft has no duplicates");
            prop_assert_eq!(read(locations, path), Ok(said(&table, path)));
        }
    }
}
