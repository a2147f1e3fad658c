//! Which upstream owns a path: NGINX's locations.
//!
//! An exact location wins, else the longest prefix if it is a final one, else the first expression that matches, else the
//! longest prefix. A path that lacks only the final slash of a location belongs to that
//! location's upstream, where NGINX would redirect: a redirect loses the body of a POST and names the listener's port.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::defect::Defects;
use crate::distortion::Lookup;
use crate::location::{Kind, Location, Owner};

/// The locations of a site.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// In the order of the file.
    locations: Vec<Location>,
    /// Indices of exact locations, by name.
    exact: HashMap<Box<[u8]>, usize>,
    /// Sorted by name once ready.
    prefixes: Vec<Prefix>,
    /// Indices of expressions, in the order of the file.
    expressions: Vec<usize>,
}

#[derive(Debug)]
struct Prefix {
    name: Box<[u8]>,
    /// Index of its location.
    location: usize,
    /// The longest other prefix that this one begins with.
    parent: Option<usize>,
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

impl Router {
    /// Adds a location in NGINX's notation; the message says what is wrong with it.
    pub(crate) fn add(&mut self, notation: &str, owner: Owner) -> Result<(), String> {
        let location = Location::new(notation, owner)?;
        if self
            .locations
            .iter()
            .any(|known| known.is_twin_of(&location))
        {
            return Err(format!("location `{notation}` twice"));
        }
        let (number, name) = (self.locations.len(), location.name.clone());
        match location.kind {
            Kind::Exact => drop(self.exact.insert(name, number)),
            Kind::Prefix | Kind::FinalPrefix => self.prefixes.push(Prefix {
                name,
                location: number,
                parent: None,
            }),
            Kind::Expression(_) => self.expressions.push(number),
        }
        self.locations.push(location);
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
        if let Some(route) = self.route_exactly(path) {
            return Some(route);
        }
        match self.route_by_prefix(path) {
            Some(route) if self.is_decided(&route) => Some(route),
            prefix => self.route_by_expression(path).or(prefix),
        }
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

    /// Whether no expression is tried: there is none, or NGINX would stop or redirect here.
    fn is_decided(&self, route: &Route) -> bool {
        self.expressions.is_empty()
            || route.fit == Fit::Slashless
            || self.location(route).is_final()
    }

    fn route_by_expression(&self, path: &[u8]) -> Option<Route> {
        let mut expressions = self.expressions.iter();
        let found = expressions.find(|location| self.locations[**location].expresses(path))?;
        Some(self.found(*found, Fit::Whole))
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
        if self.locations[location].owner.answer.is_some() {
            return None;
        }
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
mod tests;
