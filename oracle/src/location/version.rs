use std::fmt;
use std::str::FromStr;

/// A release of NGINX whose rules are meant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NginxVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

/// A text that is no version of three numbers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is no NGINX version: three numbers with dots, such as 1.22.1")]
pub struct NginxVersionError {
    text: String,
}

impl NginxVersion {
    /// Debian 12's, one of the two whose behaviour was recorded.
    pub const V1_22_1: Self = Self::new(1, 22, 1);
    /// A recent one, the other whose behaviour was recorded.
    pub const V1_31_3: Self = Self::new(1, 31, 3);

    /// The first with `http2 on`; on listeners without TLS it tells HTTP/1.1 and HTTP/2 apart, as the parameter
    /// `http2` of `listen` does since.
    pub const HTTP2_DIRECTIVE: Self = Self::new(1, 25, 1);

    /// The release `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Whether `CONNECT` takes an authority, as in RFC 9112 section 3.2.3, so that any other target is a 400.
    ///
    /// It does in 1.31.3 and does not in 1.22.1. For the releases between, the older behaviour is assumed.
    pub(crate) fn reads_connect_authority(self) -> bool {
        self >= Self::V1_31_3
    }

    /// Whether the script engine forgets, after a `rewrite` with a query, that it was in a query (CVE-2026-42945).
    pub(crate) fn resets_script_state(self) -> bool {
        self >= Self::new(1, 30, 1)
    }

    /// Whether a port above 65535 in an absolute-form target is a 400. As above.
    pub(crate) fn checks_ports(self) -> bool {
        self >= Self::V1_31_3
    }

    /// The longest location that is compared as written. In 1.22.1 a length is kept in one byte of the tree, and
    /// 1.31.3 keeps two; as above.
    pub(crate) fn longest_location(self) -> usize {
        match self >= Self::V1_31_3 {
            true => usize::from(u16::MAX),
            false => usize::from(u8::MAX),
        }
    }
}

impl Default for NginxVersion {
    /// 1.22.1: what the published configuration was recorded with first.
    fn default() -> Self {
        Self::V1_22_1
    }
}

impl fmt::Display for NginxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for NginxVersion {
    type Err = NginxVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u16>> = text.split('.').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self::new(major, minor, patch)),
            _ => Err(NginxVersionError { text: text.into() }),
        }
    }
}
