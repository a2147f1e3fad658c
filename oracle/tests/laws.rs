//! Laws that hold for every table and every target.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::sample::Index;
use proptest::{prop_assert, prop_assert_eq, prop_assume};
use proxyproof_oracle::conf::{Document, Edits, Tree, quoted};
use proxyproof_oracle::location::{
    Because, Location, Match, MergeSlashes, Modifier, Notation, Refusal, Request, Site, Table,
    TableBuilder, normalise,
};
use proxyproof_oracle::strategy::{Draft, draft, draft_without_regexes, path, target};

/// A path as locations see it: normalised, so that laws about paths need no targets.
fn normal_path(texts: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    target(texts).prop_filter_map("a target NGINX refuses", |target| {
        let target = target.starts_with(b"/").then_some(target)?;
        normalise(&target, MergeSlashes::On)
            .ok()
            .map(|normalised| normalised.path)
    })
}

fn draft_and_path() -> impl Strategy<Value = (Draft, Vec<u8>)> {
    draft().prop_flat_map(|draft| {
        let texts = draft.texts();
        (Just(draft), normal_path(texts))
    })
}

fn static_draft_and_path() -> impl Strategy<Value = (Draft, Vec<u8>)> {
    draft_without_regexes().prop_flat_map(|draft| {
        let texts = draft.texts();
        (Just(draft), normal_path(texts))
    })
}

fn winner(table: &Table, path: &[u8]) -> Option<Notation> {
    match table.find(path).unwrap() {
        Match::Location(id) | Match::SlashRedirect(id) => Some(table.location(id).notation.clone()),
        Match::Server => None,
    }
}

fn site(draft: &Draft) -> Site {
    let mut text = b"server { listen 127.0.0.1:80; server_name api.example.org; ".to_vec();
    text.extend(draft.render());
    text.push(b'}');
    Site::read(&Tree::of("draft", Document::parse(text).unwrap())).unwrap()
}

proptest! {
    #[test]
    fn an_exact_location_beats_all((mut draft, path) in draft_and_path()) {
        let exact = Notation { modifier: Modifier::Exact, text: path.clone() };
        draft.locations.retain(|location| location.notation != exact);
        let mut with = draft.locations.first().cloned();
        prop_assume!(with.is_some());
        if let Some(location) = &mut with {
            location.notation = exact.clone();
            location.nested.clear();
        }
        draft.locations.extend(with);
        prop_assert_eq!(winner(&draft.table().unwrap(), &path), Some(exact));
    }

    #[test]
    fn the_order_of_exact_and_prefix_locations_is_irrelevant((draft, path) in static_draft_and_path(), turn in any::<Index>()) {
        prop_assume!(!draft.locations.is_empty());
        let mut turned = draft.clone();
        turned.locations.rotate_left(turn.index(draft.locations.len()));
        turned.locations.reverse();
        prop_assert_eq!(winner(&draft.table().unwrap(), &path), winner(&turned.table().unwrap(), &path));
    }

    #[test]
    fn the_first_matching_expression_wins((mut draft, path) in draft_and_path()) {
        // A nested expression may read like one at the top, and then wins in its stead.
        for location in &mut draft.locations {
            location.nested.clear();
        }
        let table = draft.table().unwrap();
        let trace = table.trace(&path).unwrap();
        let Some(Because::FirstRegex) = trace.because() else { return Ok(()); };
        let Some(first) = winner(&table, &path) else { return Ok(()); };
        let expressions = draft.locations.iter().filter(|location| location.notation.modifier.is_regex());
        for location in expressions.take_while(|location| location.notation != first) {
            let alone = Draft { locations: vec![location.clone()], ..draft.clone() };
            prop_assert_eq!(alone.table().unwrap().find(&path).unwrap(), Match::Server);
        }
    }

    #[test]
    fn a_location_disjoint_from_a_path_changes_nothing((draft, path) in draft_and_path(), text in path(), index in any::<Index>()) {
        prop_assume!(!path.starts_with(&text) && [path.as_slice(), b"/"].concat() != text);
        let mut with = draft.clone();
        let notation = Notation { modifier: Modifier::Prefix, text };
        let is_there = |known: &Notation| known.text == notation.text && !known.modifier.is_regex();
        prop_assume!(!draft.locations.iter().any(|location| is_there(&location.notation)));
        let more = proxyproof_oracle::strategy::DraftLocation { notation, upstream: 0, uri: None, nested: Vec::new() };
        with.locations.insert(index.index(draft.locations.len() + 1), more);
        prop_assert_eq!(winner(&draft.table().unwrap(), &path), winner(&with.table().unwrap(), &path));
    }

    #[test]
    fn a_final_prefix_only_ever_silences_expressions((draft, path) in draft_and_path(), which in any::<Index>()) {
        prop_assume!(!draft.locations.is_empty());
        let which = which.index(draft.locations.len());
        prop_assume!(draft.locations[which].notation.modifier == Modifier::Prefix);
        let mut silenced = draft.clone();
        silenced.locations[which].notation.modifier = Modifier::PrefixFinal;
        let before = draft.table().unwrap().trace(&path).unwrap();
        let after = silenced.table().unwrap().find(&path).unwrap();
        if before.because() != Some(Because::FirstRegex) {
            prop_assert_eq!(before.winner, after);
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once(raw in target(vec![b"/a/b/".to_vec()])) {
        prop_assume!(raw.starts_with(b"/"));
        for merge_slashes in [MergeSlashes::On, MergeSlashes::Off] {
            let Ok(once) = normalise(&raw, merge_slashes) else { continue; };
            prop_assert!(once.path.starts_with(b"/"));
            // A decoded `%`, `?` or `#` means something else when read again.
            if once.path.iter().all(|byte| !b"%?#".contains(byte)) {
                let twice = normalise(&once.path, merge_slashes);
                prop_assert_eq!(twice.map(|twice| twice.path), Ok(once.path));
            }
        }
    }

    #[test]
    fn a_normalised_path_has_no_dot_segments(raw in target(vec![b"/a/b/".to_vec()])) {
        prop_assume!(raw.starts_with(b"/"));
        let Ok(once) = normalise(&raw, MergeSlashes::On) else { return Ok(()); };
        for segment in once.path.split(|byte| *byte == b'/') {
            prop_assert!(segment != b"." && segment != b"..");
        }
        prop_assert!(!once.path.windows(2).any(|pair| pair == b"//"));
    }

    #[test]
    fn finding_and_tracing_agree((draft, path) in draft_and_path()) {
        let table = draft.table().unwrap();
        let trace = table.trace(&path).unwrap();
        prop_assert_eq!(trace.winner, table.find(&path).unwrap());
        let beaten: Vec<_> = trace.beaten.iter().map(|(id, _)| *id).collect();
        if let Match::Location(id) | Match::SlashRedirect(id) = trace.winner {
            prop_assert!(!beaten.contains(&id));
        }
    }

    #[test]
    fn a_table_built_and_a_table_read_agree((draft, path) in draft_and_path()) {
        let built = draft.table().unwrap();
        let site = site(&draft);
        let read = &site.servers[0].table;
        let of = |location: &Location| (location.notation.clone(), location.redirects_to_slash());
        let both = |table: &Table| table.locations().map(|(_, location)| of(location)).collect::<Vec<_>>();
        prop_assert_eq!(both(&built), both(read));
        prop_assert_eq!(built.find(&path).unwrap(), read.find(&path).unwrap());
    }

    #[test]
    fn every_target_gets_an_answer((draft, raw) in draft().prop_flat_map(|draft| { let texts = draft.texts(); (Just(draft), target(texts)) })) {
        let decision = site(&draft).decide(&Request::get(raw));
        prop_assert!(decision.answer.status().is_some(), "{}", decision.answer);
    }

    #[test]
    fn printing_gives_back_what_was_read(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (document, _) = Document::recover(text.clone());
        prop_assert_eq!(document.print(), text);
    }

    #[test]
    fn printing_gives_back_broken_configurations(text in "([a-z]{1,3}|[{};#\"'$\\\\ \n]|location|x_by_lua_block \\{|\\]\\]|\\[\\[|--){0,60}") {
        let (document, errors) = Document::recover(text.clone().into_bytes());
        prop_assert_eq!(document.print(), text.as_bytes());
        let leaves = document.leaves();
        let mut at = 0;
        for leaf in leaves {
            prop_assert_eq!(leaf.span.start, at);
            at = leaf.span.end;
        }
        prop_assert_eq!(at as usize, text.len());
        for error in errors.iter().flat_map(|errors| &errors.errors) {
            prop_assert!(error.span.end as usize <= text.len());
            let shown = error.render("x", &document).to_string();
            prop_assert!(shown.contains("expected"));
        }
    }

    #[test]
    fn quoting_is_undone_by_reading(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut text = b"name ".to_vec();
        text.extend(quoted(&value));
        text.push(b';');
        let file = Document::parse(text).unwrap();
        prop_assert_eq!(file.directives()[0].argument(0), Some(value.as_slice()));
    }

    #[test]
    fn an_edit_changes_one_word_only(draft in draft(), which in any::<Index>(), value in "[ -~]{0,9}") {
        let text = draft.render();
        let file = Document::parse(text).unwrap();
        let mut words = Vec::new();
        file.walk(&mut |_, directive| words.extend(directive.arguments().to_vec()));
        prop_assume!(!words.is_empty());
        let at = which.index(words.len());
        let mut edits = Edits::new(&file);
        edits.set(&words[at], value.as_bytes());
        let edited = Document::parse(edits.apply()).unwrap();
        let mut after = Vec::new();
        edited.walk(&mut |_, directive| after.extend(directive.arguments().to_vec()));
        let expected: Vec<_> = words.iter().enumerate().map(|(number, word)| if number == at { value.as_bytes() } else { word.value() }).collect();
        prop_assert_eq!(after.iter().map(|word| word.value()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_order_of_expressions_matters() {
    let build = |first: &str, second: &str| {
        let builder = TableBuilder::new().route(first.parse().unwrap(), "one");
        builder
            .route(second.parse().unwrap(), "two")
            .build()
            .unwrap()
    };
    assert_eq!(
        winner(&build("~ a", "~ b"), b"/ab"),
        Some("~ a".parse().unwrap())
    );
    assert_eq!(
        winner(&build("~ b", "~ a"), b"/ab"),
        Some("~ b".parse().unwrap())
    );
}

#[test]
fn escapes_that_cannot_be_read_are_refused() {
    let refused = |target: &str| normalise(target.as_bytes(), MergeSlashes::On).unwrap_err();
    assert_eq!(refused("/%"), Refusal::Escape);
    assert_eq!(refused("/%4"), Refusal::Escape);
    assert_eq!(refused("/%zz"), Refusal::Escape);
    assert_eq!(refused("/a%00"), Refusal::Nul);
    assert_eq!(refused("/a/../.."), Refusal::AboveRoot);
    assert_eq!(refused("/%2e%2E/x"), Refusal::AboveRoot);
}
