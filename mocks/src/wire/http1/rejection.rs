//! What Go's server answers to a head it does not hand to a handler.

/// Why a head is refused before a handler sees it; the connection is closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// `400 Bad Request` without a reason: not HTTP, or a head Go's reader takes for broken.
    BadRequest,
    /// `400 Bad Request` with a reason in the status line and in the body.
    BadRequestFor(&'static str),
    /// `501 Not Implemented`: a transfer coding other than `chunked` alone.
    UnsupportedTransferEncoding,
    /// `505 HTTP Version Not Supported`.
    UnsupportedVersion,
    /// `431 Request Header Fields Too Large`; the connection is closed half a second after the FIN.
    TooLarge,
}

impl Rejection {
    /// The whole answer, byte for byte.
    #[must_use]
    pub fn answer(self) -> String {
        let (status, body) = match self {
            Self::BadRequest => ("400 Bad Request".to_owned(), None),
            Self::BadRequestFor(reason) => (format!("400 Bad Request: {reason}"), None),
            Self::UnsupportedTransferEncoding => (
                "501 Not Implemented".to_owned(),
                Some("Unsupported transfer encoding"),
            ),
            Self::UnsupportedVersion => (
                "505 HTTP Version Not Supported: unsupported protocol version".to_owned(),
                None,
            ),
            Self::TooLarge => ("431 Request Header Fields Too Large".to_owned(), None),
        };
        let body = body.unwrap_or(&status);
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{body}"
        )
    }
}
