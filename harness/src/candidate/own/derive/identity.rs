//! What the file tells programs about clients and the public connection.

use proxyproof_oracle::location::LocationId;
use proxyproof_oracle::setting::ProxiedField;

use super::listeners::Listening;
use super::reading::{Reading, ways};
use super::upstreams::FoundUpstream;
use crate::deployment::Identity;
use crate::promise::Source;

impl Reading<'_> {
    /// What requests of a location carry to the upstream.
    pub(super) fn fields(&self, location: LocationId) -> Vec<ProxiedField> {
        let scope = self.scope(Some(location));
        self.site().proxied_fields(scope, self.version())
    }

    /// A field that the file sends to the upstream, not as an empty one.
    pub(super) fn field(&self, location: LocationId, name: &str) -> Option<ProxiedField> {
        let fields = self.fields(location).into_iter();
        let mut sent = fields.filter(|field| field.place.is_some() && !field.value.is_empty());
        sent.find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Fields that each of these locations sends with a text of its own.
    pub(super) fn own_fields(&self, locations: &[LocationId]) -> Vec<String> {
        let Some((first, others)) = locations.split_first() else {
            return Vec::new();
        };
        let is_own = |field: &ProxiedField| {
            let is_written = !field.value.is_empty() && !field.value.contains(&b'$');
            field.place.is_some() && is_written
        };
        let own = self.fields(*first).into_iter().filter(is_own);
        let mut own: Vec<String> = own.map(|field| field.name).collect();
        own.retain(|name| {
            let mut others = others.iter();
            others.all(|other| self.field(*other, name).as_ref().is_some_and(is_own))
        });
        own
    }

    /// Whether it tells programs a scheme that it does not speak itself.
    pub(super) fn passes_on_a_scheme_of_others(&self) -> bool {
        let mut ways = ways(self.site(), self.server).into_iter();
        ways.any(|(location, _)| {
            let field = self.field(location, "X-Forwarded-Proto");
            field.is_some_and(|field| {
                let value = field.value.to_ascii_lowercase();
                value == b"https" || value.starts_with(b"$http_x_forwarded")
            })
        })
    }

    /// The scheme and port of the public connection.
    pub(super) fn identity(&self, listening: &Listening) -> Identity {
        let usual = if listening.is_secure { 443 } else { 80 };
        Identity {
            trusted: Vec::new(),
            scheme_told: self.scheme_told(),
            scheme: if listening.is_secure { "https" } else { "http" }.to_owned(),
            port: listening.port.unwrap_or(usual),
        }
    }

    /// Who tells programs the scheme: the file, where it sets the field.
    fn scheme_told(&self) -> Source {
        let ways = ways(self.site(), self.server).into_iter();
        let mut fields = ways.filter_map(|(location, _)| self.field(location, "X-Forwarded-Proto"));
        let place = fields.find_map(|field| field.place);
        place.map_or(Source::GoodPractice, |place| Source::File(self.line(place)))
    }

    /// What the upstreams of a site see of its clients, besides what their kinds believe: fields that the file sets.
    pub(super) fn client_fields(&self, found: &FoundUpstream) -> Vec<String> {
        let mut fields = found.published.client_address.fields.clone();
        for name in CLIENT_FIELDS {
            let mut locations = found.locations.iter();
            let is_set = locations.any(|location| self.field(*location, name).is_some());
            if is_set && !fields.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                fields.push(name.to_owned());
            }
        }
        fields
    }
}

/// Fields that carry a client's address.
const CLIENT_FIELDS: [&str; 2] = ["X-Forwarded-For", "X-Real-IP"];
