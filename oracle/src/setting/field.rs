use super::effective::Scope;
use crate::location::{NginxVersion, Place, Site};

/// A field of the requests that NGINX sends to an upstream, besides those it passes on from the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxiedField {
    /// Its name, as written.
    pub name: String,
    /// Its value with the variables in it; empty: the field is not sent, the client's own neither.
    pub value: Vec<u8>,
    /// The `proxy_set_header`; `None` for one of NGINX's defaults.
    pub place: Option<Place>,
}

impl Site {
    /// The fields that requests of a location carry to the upstream: every `proxy_set_header` in force, and NGINX's
    /// defaults (`Host $proxy_host`, `Connection close`) for the names that none of them has.
    pub fn proxied_fields(&self, scope: Scope, version: NginxVersion) -> Vec<ProxiedField> {
        let effective = self.effective(scope, "proxy_set_header");
        let mut fields: Vec<ProxiedField> = effective
            .settings
            .iter()
            .filter_map(|setting| {
                Some(ProxiedField {
                    name: setting.argument(0)?,
                    value: setting.arguments.get(1)?.clone(),
                    place: Some(setting.place),
                })
            })
            .collect();
        let default = effective
            .definition
            .and_then(|definition| definition.default_value(version))
            .unwrap_or_default();
        for (name, value) in default
            .split("; ")
            .filter_map(|field| field.split_once(' '))
        {
            if !fields
                .iter()
                .any(|field| field.name.eq_ignore_ascii_case(name))
            {
                fields.push(ProxiedField {
                    name: name.to_owned(),
                    value: value.as_bytes().to_vec(),
                    place: None,
                });
            }
        }
        fields
    }
}
