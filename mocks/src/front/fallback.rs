//! One entry of a fallback table in the published JSON shape, and why a table is refused.

use std::fmt;

use serde_json::Value;

use super::Destination;
use crate::wire::proxy_protocol::ProxyVersion;

/// One entry: which connections, by what they negotiated and first ask for, go where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The server name, or part of one; compared with the lower-cased SNI as written. Empty: any.
    pub name: String,
    /// The negotiated protocol; not a list. Empty: any.
    pub alpn: String,
    /// The exact path of the first request line. Empty: any.
    pub path: String,
    /// Where to.
    pub dest: Destination,
    /// The PROXY header to open with.
    pub xver: Option<ProxyVersion>,
}

/// The kind of inbound a table belongs to: both match alike, and name themselves when they refuse one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inbound {
    /// A VLESS inbound.
    #[default]
    Vless,
    /// A Trojan inbound.
    Trojan,
}

/// Why a table is refused, in the words of the real program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The text is no JSON.
    #[error("the fallback table is not JSON")]
    Json {
        /// Where and why, with line and column.
        #[source]
        reason: serde_json::Error,
    },
    /// The table is no array of objects.
    #[error("the fallback table is not an array of objects")]
    Shape,
    /// A field has a type that the program cannot read.
    #[error("the `{field}` of fallback {entry} is not {expected}")]
    Field {
        /// The entry, counted from 0.
        entry: usize,
        /// The field's name.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A path that does not start with a slash.
    #[error(r#"infra/conf: {inbound} fallbacks: "path" must be empty or start with "/""#)]
    Path {
        /// The kind of inbound.
        inbound: Inbound,
        /// The entry, counted from 0.
        entry: usize,
    },
    /// A destination that is missing or of no known form.
    #[error(r#"infra/conf: {inbound} fallbacks: please fill in a valid value for every "dest""#)]
    Dest {
        /// The kind of inbound.
        inbound: Inbound,
        /// The entry, counted from 0.
        entry: usize,
    },
    /// A PROXY protocol version that does not exist.
    #[error(
        r#"infra/conf: {inbound} fallbacks: invalid PROXY protocol version, "xver" only accepts 0, 1, 2"#
    )]
    Xver {
        /// The kind of inbound.
        inbound: Inbound,
        /// The entry, counted from 0.
        entry: usize,
    },
}

impl TableError {
    /// The entry at fault, counted from 0, if it is one entry's fault.
    #[must_use]
    pub fn entry(&self) -> Option<usize> {
        match *self {
            Self::Json { .. } | Self::Shape => None,
            Self::Field { entry, .. }
            | Self::Path { entry, .. }
            | Self::Dest { entry, .. }
            | Self::Xver { entry, .. } => Some(entry),
        }
    }
}

impl Fallback {
    /// Reads entry number `entry` of a table.
    ///
    /// # Errors
    /// If the program would refuse it.
    pub(super) fn read(value: &Value, entry: usize, inbound: Inbound) -> Result<Self, TableError> {
        if !value.is_object() {
            return Err(TableError::Shape);
        }
        let fields = Fields { value, entry };
        let path = fields.text("path")?;
        if !path.is_empty() && !path.starts_with('/') {
            return Err(TableError::Path { inbound, entry });
        }
        let dest = Destination::read(fields.named("dest"), &fields.text("type")?)
            .ok_or(TableError::Dest { inbound, entry })?;
        let xver = match fields.number("xver")? {
            0 => None,
            1 => Some(ProxyVersion::V1),
            2 => Some(ProxyVersion::V2),
            _ => return Err(TableError::Xver { inbound, entry }),
        };
        let (name, alpn) = (fields.text("name")?, fields.text("alpn")?);
        Ok(Self {
            name,
            alpn,
            path,
            dest,
            xver,
        })
    }
}

impl fmt::Display for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vless => "VLESS",
            Self::Trojan => "Trojan",
        })
    }
}

/// The fields of one entry, as Go's `encoding/json` finds them.
struct Fields<'a> {
    value: &'a Value,
    entry: usize,
}

impl<'a> Fields<'a> {
    /// The last field of this name, case not regarded, as Go decodes into a struct.
    fn named(&self, name: &str) -> Option<&'a Value> {
        let fields = self.value.as_object()?;
        let same = fields
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value).next_back()
    }

    fn text(&self, field: &'static str) -> Result<String, TableError> {
        match self.named(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(TableError::Field {
                entry: self.entry,
                field,
                expected: "a string",
            }),
        }
    }

    fn number(&self, field: &'static str) -> Result<u64, TableError> {
        let expected = "a number of 0, 1 or 2";
        match self.named(field) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => value.as_u64().ok_or(TableError::Field {
                entry: self.entry,
                field,
                expected,
            }),
        }
    }
}
