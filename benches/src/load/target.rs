//! What is asked of whom, and what the answer has to be.

use std::net::SocketAddr;

use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;

/// One request, made ready, and the answer that counts as right.
#[derive(Clone, Debug)]
pub struct Target {
    /// Who is connected to.
    pub address: SocketAddr,
    /// Begins each connection, where the listener wants a PROXY header.
    pub proxy_protocol: Option<ProxyVersion>,
    /// The request's head and body, without its probe id.
    pub request: Vec<u8>,
    /// What the answer has to be.
    pub expected: Expected,
}

/// What an answer has to be; any other counts as an error, and gives no latency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This status and this body, byte for byte.
    Whole {
        /// The status code.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// A 200 whose body is a stream of so many server-sent events.
    Events(u32),
}

impl Target {
    /// A `GET` whose answer is a 200 with this body.
    #[must_use]
    pub fn get(address: SocketAddr, host: &str, target: &str, body: &[u8]) -> Self {
        Self {
            address,
            proxy_protocol: None,
            request: format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
            expected: Expected::Whole {
                status: 200,
                body: body.to_vec(),
            },
        }
    }

    /// A request with a body, and the answer it has to get.
    #[must_use]
    pub fn post(
        address: SocketAddr,
        host: &str,
        target: &str,
        fields: &str,
        body: &[u8],
        expected: Expected,
    ) -> Self {
        let length = body.len();
        let mut request = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        Self {
            address,
            proxy_protocol: None,
            request,
            expected,
        }
    }
}
