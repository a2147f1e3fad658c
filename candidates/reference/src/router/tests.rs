use proptest::prelude::*;

use super::{Fit, Route, Router};
use crate::defect::{Defect, Defects};
use crate::location::Owner;

fn owner(upstream: usize) -> Owner {
    Owner {
        answer: None,
        upstream,
        replace: None,
    }
}

fn router(locations: &[&str]) -> Router {
    let mut router = Router::default();
    for (index, notation) in locations.iter().enumerate() {
        router.add(notation, owner(index)).unwrap();
    }
    router.ready()
}

#[test]
fn the_most_specific_location_wins() {
    let router = router(&[
        "/",
        "= /health",
        "^~ /a/",
        "/a/b",
        "/a-a",
        "= /a",
        "/a/b/c/",
        "/b/",
    ]);
    let cases = [
        ("/", 0),
        ("/x", 0),
        ("/health", 1),
        ("/health/", 0),
        ("/healthz", 0),
        ("/a/", 2),
        ("/a/x", 2),
        ("/a/b", 3),
        ("/a/bc", 3),
        ("/a-a", 4),
        ("/a-ax", 4),
        ("/a", 5),
        ("/a/b/c/d", 6),
        ("/a/b/c", 6),
        ("/b", 7),
        ("/b-", 0),
        ("/A/", 0),
    ];
    for (path, upstream) in cases {
        assert_eq!(
            router
                .route(path.as_bytes(), Defects::default())
                .map(|route| route.upstream),
            Some(upstream),
            "{path}"
        );
    }
    assert_eq!(
        router.route(b"/b", Defects::default()),
        Some(Route {
            location: 7,
            upstream: 7,
            fit: Fit::Slashless
        })
    );
}

#[test]
fn expressions_are_tried_between_final_and_other_prefixes() {
    let router = router(&[
        "/",
        "= /exact.png",
        "^~ /static/",
        "/api/",
        r"~ \.png$",
        r"~* \.(PNG|css)$",
        "~ ^/(api|llm|exact)",
        "/static/deep/",
        "^~ /final",
        "/llm/",
    ]);
    let cases = [
        ("/", 0),
        ("/exact.png", 1),
        ("/exact.pngx", 6),
        ("/static/a.png", 2),
        ("/static/deep/a.png", 4),
        ("/static/deep/a.PNG", 5),
        ("/static/deep/a", 7),
        ("/a.css", 5),
        ("/api/x.png", 4),
        ("/api/x", 6),
        ("/finale.png", 8),
        ("/static.png", 4),
        ("/llm/x", 6),
        ("/llmx", 6),
        // NGINX redirects before it looks at expressions.
        ("/llm", 9),
        ("/api", 3),
    ];
    for (path, upstream) in cases {
        let route = router.route(path.as_bytes(), Defects::default());
        assert_eq!(route.map(|route| route.upstream), Some(upstream), "{path}");
    }
}

#[test]
fn an_expression_needs_no_prefix() {
    let router = router(&["~ ^/a", "~ ^/a"]);
    let route = |path| router.route(path, Defects::default());
    assert_eq!(route(b"/ab").map(|route| route.upstream), Some(0));
    assert_eq!(route(b"/b"), None);
}

#[test]
fn what_is_not_a_location_is_refused() {
    for notation in [
        "", "x", "= x", "~", "~ (", "~* a++", "@name", "= /a b", "!= /a",
    ] {
        assert!(
            Router::default().add(notation, owner(0)).is_err(),
            "{notation}"
        );
    }
    let mut twice = Router::default();
    twice.add("/a", owner(0)).unwrap();
    assert!(
        twice.add("^~ /a", owner(1)).is_err(),
        "NGINX calls that a duplicate location"
    );
}

proptest! {
    /// The search over sorted names agrees with the literal one over the file's order.
    #[test]
    fn fast_and_literal_look_up_agree(names in proptest::collection::btree_set("(= |\\^~ )?/[ab/-]{0,5}|~\\*? [ab/-]{1,2}\\$?", 1..12), path in "/[ab/-]{0,7}") {
        let mut names: Vec<String> = names.into_iter().collect();
        // A prefix and a final one of the same name are duplicates.
        let bare = |name: &str| name.trim_start_matches("^~ ").to_owned();
        names.sort_by_key(|name| bare(name));
        names.dedup_by_key(|name| bare(name));
        let router = router(&names.iter().map(String::as_str).collect::<Vec<_>>());
        // A defect that has no part in the look-up selects the literal one.
        let mut literal = Defects::default();
        literal.insert(Defect::HoldHead);
        prop_assert_eq!(router.route(path.as_bytes(), Defects::default()), router.route(path.as_bytes(), literal));
    }
}
