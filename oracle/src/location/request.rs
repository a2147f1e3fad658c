use std::net::{IpAddr, Ipv4Addr};

use super::server::Protocol;
use super::version::NginxVersion;

/// One request, as far as routing sees it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Request {
    /// The method as sent.
    pub method: Vec<u8>,
    /// The request target as sent, byte for byte.
    pub target: Vec<u8>,
    /// The value of `Host`; an absolute-form target has precedence over it.
    pub host: Option<String>,
    /// Its other fields, names and values: it carries no more than these.
    pub fields: Vec<(String, String)>,
    /// What `try_files` finds.
    pub files: Files,
    /// What the listener speaks.
    pub protocol: Protocol,
    /// Address of the listener, as `Listen::address`; the first that speaks the protocol if
    /// not given.
    pub listener: Option<String>,
    /// The client, as the PROXY header names it or, on a listener without, as the connection has it.
    pub client: IpAddr,
    /// Whose rules hold.
    pub version: NginxVersion,
}

impl Request {
    /// GET on the HTTP/1.1 listener, by the rules of nginx 1.22.1.
    pub fn get(target: impl Into<Vec<u8>>) -> Self {
        Self {
            method: b"GET".to_vec(),
            target: target.into(),
            host: None,
            fields: Vec::new(),
            files: Files::Unknown,
            protocol: Protocol::Http1,
            listener: None,
            client: CLIENT,
            version: NginxVersion::default(),
        }
    }
}

/// What is known about the files of a site.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Files {
    /// Nothing: what `try_files` does is not modelled.
    #[default]
    Unknown,
    /// There are none: `try_files` comes to its last argument.
    None,
}

/// A client somewhere on the net: an address for documentation (RFC 5737).
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
