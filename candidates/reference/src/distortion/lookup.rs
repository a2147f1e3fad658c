//! The router's look-up with bugs: slow and literal. Without one it agrees with the router, which a property holds it to.

use crate::defect::{Defect, Defects};
use crate::location::Location;
use crate::router::{Fit, Route};

/// One path to be found among locations.
pub(crate) struct Lookup<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) defects: Defects,
}

impl Lookup<'_> {
    /// The owner of the path, if any location matches.
    pub(crate) fn route(&self, locations: &[Location]) -> Option<Route> {
        if let Some(route) = self.exact(locations) {
            return Some(route);
        }
        let prefix = self.prefix(locations);
        let is_decided = prefix.is_some_and(|route| {
            route.fit == Fit::Slashless || locations[route.location].is_final()
        });
        match is_decided {
            true => prefix,
            false => self.expression(locations).or(prefix),
        }
    }

    fn expression(&self, locations: &[Location]) -> Option<Route> {
        let number = locations
            .iter()
            .position(|location| location.expresses(self.path))?;
        Some(Route {
            location: number,
            upstream: locations[number].owner.upstream,
            fit: Fit::Whole,
        })
    }

    fn exact(&self, locations: &[Location]) -> Option<Route> {
        if self.defects.has(Defect::IgnoreExact) {
            return None;
        }
        let as_prefix = self.defects.has(Defect::ExactAsPrefix);
        let fits = |name: &[u8]| self.is_same(self.path, name) || as_prefix && self.begins(name);
        let mut exact = (0_usize..).zip(locations);
        let (number, found) =
            exact.find(|(_, location)| location.is_exact() && fits(&location.name))?;
        Some(Route {
            location: number,
            upstream: found.owner.upstream,
            fit: Fit::Whole,
        })
    }

    fn prefix(&self, locations: &[Location]) -> Option<Route> {
        let prefixes = (0_usize..)
            .zip(locations)
            .filter(|(_, location)| location.is_prefix());
        let fitting = prefixes.filter_map(|(number, location)| {
            let fit = self.fit(&location.name)?;
            Some((number, location, fit))
        });
        let (number, location, fit) = if self.defects.has(Defect::FirstPrefixWins) {
            fitting.min_by(|(_, one, _), (_, other, _)| one.name.cmp(&other.name))
        } else {
            fitting.max_by_key(|(_, location, fit)| {
                (location.name.len().min(self.path.len()), *fit == Fit::Whole)
            })
        }?;
        Some(Route {
            location: number,
            upstream: location.owner.upstream,
            fit,
        })
    }

    fn fit(&self, name: &[u8]) -> Option<Fit> {
        let bare = name.strip_suffix(b"/").filter(|bare| !bare.is_empty());
        let looks_alike =
            self.defects.has(Defect::LookAlikePrefix) && bare.is_some_and(|bare| self.begins(bare));
        if self.begins(name) || looks_alike {
            return Some(Fit::Whole);
        }
        let is_slashless = bare.is_some_and(|bare| self.is_same(self.path, bare));
        is_slashless.then_some(Fit::Slashless)
    }

    fn begins(&self, name: &[u8]) -> bool {
        self.path
            .get(..name.len())
            .is_some_and(|start| self.is_same(start, name))
    }

    fn is_same(&self, one: &[u8], other: &[u8]) -> bool {
        match self.defects.has(Defect::IgnorePathCase) {
            true => one.eq_ignore_ascii_case(other),
            false => one == other,
        }
    }
}
