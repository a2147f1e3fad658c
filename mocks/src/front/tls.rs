//! The TLS side: protocol negotiation as Go does it, and a rustls configuration for each connection.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use super::certificates::Certificates;
use super::client_hello::{Alert, ClientHello};
use crate::certificate::Leaf;

/// What happens to a client whose server name no certificate is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownNames {
    /// It gets the first certificate.
    #[default]
    Answer,
    /// Its handshake ends with the alert `unrecognized_name` (`rejectUnknownSni`).
    Reject,
}

/// The lowest version of TLS that is spoken. rustls has none below 1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinimumTls {
    /// TLS 1.2 and 1.3.
    #[default]
    V12,
    /// TLS 1.3 only.
    V13,
}

/// The TLS settings of a front, ready for use.
#[derive(Debug)]
pub(super) struct Tls {
    certificates: Certificates,
    unknown_names: UnknownNames,
    protocols: Vec<String>,
    base: ServerConfig,
}

impl Tls {
    /// # Errors
    /// If a key does not belong to its certificate.
    pub(super) fn new(
        leaves: &[Leaf],
        protocols: Vec<String>,
        minimum: MinimumTls,
        unknown_names: UnknownNames,
    ) -> io::Result<Self> {
        let versions = match minimum {
            MinimumTls::V12 => vec![&TLS13, &TLS12],
            MinimumTls::V13 => vec![&TLS13],
        };
        let certificates = Certificates::new(leaves)?;
        let first = certificates.choose("", UnknownNames::Answer);
        let first =
            first.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no certificate"))?;
        let base = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)
            .expect("ring speaks these versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(first));
        Ok(Self {
            certificates,
            unknown_names,
            protocols,
            base,
        })
    }

    /// The configuration for one client.
    pub(super) fn configure(&self, hello: &ClientHello) -> Result<Arc<ServerConfig>, Alert> {
        let certificate = self
            .certificates
            .choose(&hello.server_name, self.unknown_names);
        let certificate = certificate.ok_or(Alert::UnrecognizedName)?;
        let mut config = self.base.clone();
        config.cert_resolver = Arc::new(certificate);
        config.alpn_protocols = match negotiate(&self.protocols, &hello.protocols) {
            Negotiated::Protocol(name) => vec![name.into()],
            Negotiated::Nothing => Vec::new(),
            // Offering what the client does not want makes rustls send the alert `no_application_protocol`.
            Negotiated::Impossible => self
                .protocols
                .iter()
                .map(|name| name.clone().into())
                .collect(),
        };
        Ok(Arc::new(config))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Negotiated<'a> {
    Protocol(&'a str),
    Nothing,
    Impossible,
}

/// Go's `negotiateALPN`: the server's order decides, and an HTTP/1.1 client may talk to a server of HTTP/2 alone as if
/// neither knew ALPN.
fn negotiate<'a>(server: &'a [String], client: &[String]) -> Negotiated<'a> {
    let offered = |name: &str| client.iter().any(|own| own == name);
    if server.is_empty() || client.is_empty() {
        return Negotiated::Nothing;
    }
    if let Some(common) = server.iter().find(|name| offered(name)) {
        return Negotiated::Protocol(common);
    }
    let speaks_h2 = server.iter().any(|name| name == "h2");
    if speaks_h2 && offered("http/1.1") {
        Negotiated::Nothing
    } else {
        Negotiated::Impossible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_servers_order_decides() {
        let server = list(&["h2", "http/1.1"]);
        assert_eq!(
            negotiate(&server, &list(&["http/1.1", "h2"])),
            Negotiated::Protocol("h2")
        );
        assert_eq!(negotiate(&server, &list(&["spdy"])), Negotiated::Impossible);
        assert_eq!(negotiate(&server, &[]), Negotiated::Nothing);
        assert_eq!(
            negotiate(&list(&["h2"]), &list(&["http/1.1"])),
            Negotiated::Nothing
        );
        assert_eq!(
            negotiate(&list(&["http/1.1"]), &list(&["h2"])),
            Negotiated::Impossible
        );
    }
}
