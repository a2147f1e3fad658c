/// Why NGINX answers by itself before any location is looked for.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The method is not `A`-`Z`, `_` and `-`.
    #[error("the method is not upper-case letters, `_` and `-`")]
    Method,
    /// The request line is malformed at this byte of the target (or just behind it).
    #[error("the request line is malformed at byte {at} of the target")]
    RequestLine {
        /// Offset from the beginning of the target.
        at: usize,
    },
    /// `CONNECT` or `TRACE`.
    #[error("the method is not allowed")]
    MethodNotAllowed,
    /// A version that is not HTTP/1, in a target with blanks.
    #[error("the target ends in a version that is not HTTP/1")]
    Version,
    /// The `:path` of HTTP/2 does not begin with `/` or holds a control byte or blank.
    #[error("the `:path` is malformed at byte {at}")]
    Path {
        /// Offset from its beginning.
        at: usize,
    },
    /// `%` without two hexadecimal digits.
    #[error("a `%` is not followed by two hexadecimal digits")]
    Escape,
    /// `%00`.
    #[error("the path holds `%00`")]
    Nul,
    /// More `..` than segments before them.
    #[error("the path leaves the root by `..`")]
    AboveRoot,
    /// The host of an absolute-form target is empty or holds `..`.
    #[error("the host in the request line is invalid")]
    Host,
    /// The request line does not fit `large_client_header_buffers`.
    #[error("the request line is {length} bytes, more than {limit}")]
    TooLong {
        /// Length of the whole line with its line end.
        length: usize,
        /// How many bytes fit.
        limit: usize,
    },
}

impl Refusal {
    /// The status NGINX answers with.
    pub fn status(&self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            Self::Version => 505,
            Self::TooLong { .. } => 414,
            _ => 400,
        }
    }
}
