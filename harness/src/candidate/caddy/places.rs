//! Addresses of a deployment.

use super::place::Place;
use crate::deployment::{Deployment, PublishedUpstream};

/// Addresses of a deployment, to be found in any spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places(Vec<(Place, String)>);

impl Places {
    /// Where its candidate listens.
    pub(super) fn listeners(deployment: &Deployment) -> Self {
        let mut places: Vec<(Place, String)> = Vec::new();
        for listener in deployment.listeners.values() {
            let place = Place::listener(&listener.address);
            // Behind TLS both protocols may have the same one.
            if !places.iter().any(|(other, _)| *other == place) {
                places.push((place, listener.address.clone()));
            }
        }
        Self(places)
    }

    /// Where its programs are.
    pub(super) fn upstreams(deployment: &Deployment) -> Self {
        let upstreams = deployment.upstreams.values();
        let place = |written: &str| (Place::destination(written), written.to_owned());
        Self(
            upstreams
                .flat_map(PublishedUpstream::addresses)
                .map(place)
                .collect(),
        )
    }

    /// The deployment's own spelling of a place, where it has that.
    pub(super) fn written_for(&self, place: &Place) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| place.has(other));
        found.map(|(_, written)| &**written)
    }

    /// All that a listener opens, which may be a range of ports.
    pub(super) fn within(&self, place: &Place) -> impl Iterator<Item = &str> {
        let inside = self.0.iter().filter(|(other, _)| place.has(other));
        inside.map(|(_, written)| &**written)
    }
}
