//! Where an upstream's servers are: `host:port`, `unix:/path`, `http://host` or `https://host`, or a list of these.

use std::ops::Range;

use schemars::JsonSchema;
use toml::{Spanned, Value};

use super::PublishedServer;
use super::upstream::UNIX;
use crate::document::{Document, DocumentError};

/// The servers of an upstream.
pub(super) struct Addresses {
    pub(super) servers: Vec<PublishedServer>,
    pub(super) tls: bool,
    /// What a URL names its host: such a program knows itself by that name.
    pub(super) host: Option<String>,
}

/// How addresses are written.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "a shape for schemas; what is read keeps its place in the text"
)]
pub(super) enum OneOrMore {
    One(String),
    Several(Vec<String>),
}

/// Reads the addresses of an upstream, and of its backups.
pub(super) fn read(
    document: &Document,
    address: &Spanned<Value>,
    backup: Option<&Spanned<Value>>,
) -> Result<Addresses, DocumentError> {
    let mut addresses = Addresses {
        servers: Vec::new(),
        tls: false,
        host: None,
    };
    for (value, is_backup) in std::iter::once((address, false)).chain(backup.map(|one| (one, true)))
    {
        let at = |message: String| document.error(value.span(), "here", message);
        let texts = texts(value.get_ref())
            .ok_or_else(|| at("an address is a text, or a list of texts".to_owned()))?;
        for text in texts {
            let read = address_of(text).ok_or_else(|| not_one(document, value.span(), text))?;
            let first = addresses.servers.is_empty();
            if !first && read.tls != addresses.tls {
                let message = "some servers of it speak TLS, and some do not";
                return Err(at(message.to_owned()).help("one upstream for each of the two"));
            }
            if first {
                addresses.tls = read.tls;
                addresses.host = read.host;
            }
            if addresses
                .servers
                .iter()
                .any(|one| one.address == read.address)
            {
                return Err(at(format!("`{text}` is there twice")));
            }
            addresses.servers.push(PublishedServer {
                address: read.address,
                backup: is_backup,
            });
        }
    }
    match addresses.servers.first() {
        Some(server) if !server.backup => Ok(addresses),
        _ => Err(document
            .error(address.span(), "here", "no server that is no backup")
            .help("host and port, as in `127.0.0.1:8317`")),
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        one => one.as_str().map(|text| vec![text]),
    }
}

pub(super) fn not_one(document: &Document, span: Range<usize>, written: &str) -> DocumentError {
    document
        .error(span, "no address", format!("`{written}` is no address"))
        .help("host and port, as in `127.0.0.1:8317`")
}

struct Read {
    address: String,
    tls: bool,
    host: Option<String>,
}

fn address_of(written: &str) -> Option<Read> {
    let plain = |address: String| Read {
        address,
        tls: false,
        host: None,
    };
    if let Some(path) = written.strip_prefix(UNIX) {
        return path.starts_with('/').then(|| plain(written.to_owned()));
    }
    let schemes = [("https://", true, 443), ("http://", false, 80)];
    for (scheme, tls, port) in schemes {
        if let Some(authority) = written.strip_prefix(scheme) {
            let authority = authority.strip_suffix('/').unwrap_or(authority);
            let address = match is_address(authority) {
                true => authority.to_owned(),
                false => format!("{authority}:{port}"),
            };
            let name = authority.bytes().any(|byte| byte.is_ascii_alphabetic());
            return is_address(&address).then(|| Read {
                address,
                tls,
                host: name.then(|| authority.to_owned()),
            });
        }
    }
    is_address(written).then(|| plain(written.to_owned()))
}

/// `host:port`.
pub(super) fn is_address(written: &str) -> bool {
    let port = written.rsplit_once(':').and_then(|(host, port)| {
        let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let is_host = !host.is_empty() && !host.contains(['/', ' ']);
        (is_host && is_port).then(|| port.parse::<u16>().ok())?
    });
    matches!(port, Some(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_whether_tls_is_spoken_and_under_which_name() {
        for (written, address, tls, host) in [
            ("127.0.0.1:4000", "127.0.0.1:4000", false, None),
            ("unix:/run/x.sock", "unix:/run/x.sock", false, None),
            (
                "https://api.example.net",
                "api.example.net:443",
                true,
                Some("api.example.net"),
            ),
            (
                "http://gateway:81/",
                "gateway:81",
                false,
                Some("gateway:81"),
            ),
            ("https://10.0.0.1", "10.0.0.1:443", true, None),
        ] {
            let read = address_of(written).unwrap();
            assert_eq!(
                (&*read.address, read.tls, read.host.as_deref()),
                (address, tls, host),
                "{written}"
            );
        }
        for wrong in ["", "x", "unix:x", "https://", "https://a/b", "a:0", "a b:1"] {
            assert!(address_of(wrong).is_none(), "{wrong}");
        }
    }
}
