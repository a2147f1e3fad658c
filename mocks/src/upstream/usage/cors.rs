//! The cross-origin fields.

use std::borrow::Cow;

use crate::upstream::Request;

type Field = (Cow<'static, str>, Cow<'static, str>);

/// The origins that may read answers; `*` stands for all.
#[derive(Clone, Debug)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// The fields for an answer to this request. An origin that is not listed gets neither Allow-Origin nor Vary.
    pub(super) fn fields(&self, request: &Request) -> Vec<Field> {
        let Some(first) = self.0.first() else {
            return Vec::new();
        };
        let origin = request.first("Origin").unwrap_or_default();
        let allowed = self
            .0
            .iter()
            .find(|one| *one == "*" || **one == origin)
            .unwrap_or(first);
        let mut fields: Vec<Field> = vec![
            (
                "Access-Control-Allow-Headers".into(),
                "Authorization, Content-Type".into(),
            ),
            (
                "Access-Control-Allow-Methods".into(),
                "GET, POST, PUT, DELETE, OPTIONS".into(),
            ),
        ];
        if allowed == "*" {
            fields.push(("Access-Control-Allow-Origin".into(), "*".into()));
        } else if !origin.is_empty() && *allowed == origin {
            fields.push((
                "Access-Control-Allow-Origin".into(),
                origin.into_owned().into(),
            ));
            fields.push(("Vary".into(), "Origin".into()));
        }
        fields
    }
}
