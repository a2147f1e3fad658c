//! A response to be written by the rules of Go's HTTP server.

use std::borrow::Cow;

use bytes::Bytes;

/// Whether a response's fields are written sorted or in the order they were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOrder {
    /// By name, as Go writes a `Header` map; equal names in the order given.
    Sorted,
    /// As given.
    AsGiven,
}

/// Status, fields and body of an answer.
///
/// What is not among the fields is added behind them as Go's server adds it: `Date`, then `Content-Length`, a
/// sniffed `Content-Type`, `Connection`, `Transfer-Encoding`.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code, 200 to 999.
    pub status: u16,
    /// Names in the case they are to be written in, and values.
    pub fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// How the fields are ordered.
    pub order: FieldOrder,
    /// The body, or the first part of it.
    pub body: Bytes,
}

impl Response {
    /// An answer without fields and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            fields: Vec::with_capacity(USUAL_FIELDS),
            order: FieldOrder::Sorted,
            body: Bytes::new(),
        }
    }

    /// Adds a field; the name is written as given, so give it in Go's canonical case.
    #[must_use]
    pub fn field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds fields that are always the same.
    #[must_use]
    pub fn fields(mut self, fields: &[(&'static str, &'static str)]) -> Self {
        let fields = fields
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        self.fields.extend(fields);
        self
    }

    /// Writes the fields in the order they were given.
    #[must_use]
    pub fn as_given(mut self) -> Self {
        self.order = FieldOrder::AsGiven;
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// What most answers have, so that adding them does not move the list.
const USUAL_FIELDS: usize = 8;
