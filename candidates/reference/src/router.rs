//! Which upstream owns a path: NGINX's locations without regular expressions.
//!
//! An exact location wins, else the longest prefix. A path that lacks only the final slash of a location belongs to that
//! location's upstream, where NGINX would redirect: a redirect loses the body of a POST and names the listener's port.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::defect::Defects;
use crate::distortion::Lookup;
use crate::replacement::{Escapes, Replacement};

/// The locations of a site.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// In the order of the file.
    locations: Vec<Location>,
    /// Indices of exact locations, by name.
    exact: HashMap<Box<[u8]>, usize>,
    /// Sorted by name once ready.
    prefixes: Vec<Prefix>,
}

/// One location.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) kind: Notation,
    pub(crate) name: Box<[u8]>,
    pub(crate) owner: Owner,
}

/// Who gets the paths of a location, and as what.
#[derive(Debug)]
pub(crate) struct Owner {
    /// Index of the upstream.
    pub(crate) upstream: usize,
    /// What the upstream sees in the place of the location's name, where that is something else.
    pub(crate) replace: Option<Replacement>,
}

#[derive(Debug)]
struct Prefix {
    name: Box<[u8]>,
    /// Index of its location.
    location: usize,
    /// The longest other prefix that this one begins with.
    parent: Option<usize>,
}

/// How a location's name is compared with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Exact,
    Prefix,
}

/// What the router found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Index of the location.
    pub(crate) location: usize,
    /// Index of the upstream.
    pub(crate) upstream: usize,
    /// Whether the path names the location.
    pub(crate) fit: Fit,
}

/// How a path fits its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the location's name or begins with it.
    Whole,
    /// It lacks the location's final slash.
    Slashless,
}

impl Location {
    /// A normalised path as the upstream gets it; `None` where that is the path as it came.
    pub(crate) fn replaced(&self, path: &[u8], came: Escapes) -> Option<Vec<u8>> {
        let replacement = self.owner.replace.as_ref()?;
        Some(replacement.of(path, self.name.len(), came))
    }
}

impl Router {
    /// Adds a location in NGINX's notation; the message says what is wrong with it.
    pub(crate) fn add(&mut self, notation: &str, owner: Owner) -> Result<(), String> {
        let words: Vec<&str> = notation.split_whitespace().collect();
        let (kind, name) = match words.as_slice() {
            ["=", name] => (Notation::Exact, *name),
            ["^~", name] => (Notation::Prefix, *name),
            ["~" | "~*", _] => {
                return Err(format!(
                    "`{notation}`: regular expressions are not supported"
                ));
            }
            [name] if name.starts_with('@') => {
                return Err(format!("`{notation}`: named locations are not supported"));
            }
            [name] => (Notation::Prefix, *name),
            _ => {
                return Err(format!(
                    "`{notation}` is not a location: expected `[= | ^~] /path`"
                ));
            }
        };
        if !name.starts_with('/') {
            return Err(format!("`{notation}`: a location begins with a slash"));
        }
        let name: Box<[u8]> = name.as_bytes().into();
        if self
            .locations
            .iter()
            .any(|known| known.kind == kind && known.name == name)
        {
            return Err(format!("location `{notation}` twice"));
        }
        let location = self.locations.len();
        self.locations.push(Location {
            kind,
            name: name.clone(),
            owner,
        });
        match kind {
            Notation::Exact => drop(self.exact.insert(name, location)),
            Notation::Prefix => self.prefixes.push(Prefix {
                name,
                location,
                parent: None,
            }),
        }
        Ok(())
    }

    /// Sorts what was added, for look-ups in logarithmic time.
    pub(crate) fn ready(mut self) -> Self {
        self.prefixes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.prefixes.len() {
            while open.last().is_some_and(|&parent| {
                !self.prefixes[index]
                    .name
                    .starts_with(&self.prefixes[parent].name)
            }) {
                open.pop();
            }
            self.prefixes[index].parent = open.last().copied();
            open.push(index);
        }
        self
    }

    /// The owner of a normalised path, if any location matches.
    pub(crate) fn route(&self, path: &[u8], defects: Defects) -> Option<Route> {
        if defects.any() {
            return Lookup { path, defects }.route(&self.locations);
        }
        self.route_exactly(path)
            .or_else(|| self.route_by_prefix(path))
    }

    /// The location that a route goes through.
    pub(crate) fn location(&self, route: &Route) -> &Location {
        &self.locations[route.location]
    }

    fn found(&self, location: usize, fit: Fit) -> Route {
        Route {
            location,
            upstream: self.locations[location].owner.upstream,
            fit,
        }
    }

    fn route_exactly(&self, path: &[u8]) -> Option<Route> {
        let location = self.exact.get(path)?;
        Some(self.found(*location, Fit::Whole))
    }

    fn route_by_prefix(&self, path: &[u8]) -> Option<Route> {
        let after = self
            .prefixes
            .partition_point(|prefix| *prefix.name <= *path);
        self.slashless(path, after).or_else(|| {
            let mut candidate = after.checked_sub(1);
            while let Some(index) = candidate {
                let prefix = &self.prefixes[index];
                if path.starts_with(&prefix.name) {
                    return Some(self.found(prefix.location, Fit::Whole));
                }
                candidate = prefix.parent;
            }
            None
        })
    }

    /// The location whose name is the path and a slash; a location named by the path itself comes first.
    fn slashless(&self, path: &[u8], after: usize) -> Option<Route> {
        if after
            .checked_sub(1)
            .is_some_and(|last| *self.prefixes[last].name == *path)
        {
            return None;
        }
        let found = self.prefixes[after..]
            .binary_search_by(|prefix| compare_to_directory(&prefix.name, path))
            .ok()?;
        let location = self.prefixes[after + found].location;
        Some(self.found(location, Fit::Slashless))
    }
}

/// How a name sorts against the path with a slash added.
fn compare_to_directory(name: &[u8], path: &[u8]) -> Ordering {
    let shared = name.len().min(path.len());
    name[..shared]
        .cmp(&path[..shared])
        .then_with(|| name[shared..].cmp(if shared == path.len() { b"/" } else { b"/ " }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fit, Owner, Route, Router};
    use crate::defect::{Defect, Defects};

    fn owner(upstream: usize) -> Owner {
        Owner {
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
    fn what_is_not_a_location_is_refused() {
        for notation in ["", "x", "= x", "~ ^/v1", "~* x", "@name", "= /a b", "!= /a"] {
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
        fn fast_and_literal_look_up_agree(names in proptest::collection::btree_set("/[ab/-]{0,5}", 1..12), path in "/[ab/-]{0,7}") {
            let names: Vec<String> = names.into_iter().collect();
            let router = router(&names.iter().map(String::as_str).collect::<Vec<_>>());
            // A defect that has no part in the look-up selects the literal one.
            let mut literal = Defects::default();
            literal.insert(Defect::HoldHead);
            prop_assert_eq!(router.route(path.as_bytes(), Defects::default()), router.route(path.as_bytes(), literal));
        }
    }
}
