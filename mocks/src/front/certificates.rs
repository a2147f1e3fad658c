//! Which certificate a server name gets, by the rules of Xray-core's TLS settings.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::tls::UnknownNames;
use crate::certificate::Leaf;

/// The certificates of a front, in order.
#[derive(Debug)]
pub(super) struct Certificates(Vec<Certificate>);

#[derive(Debug)]
struct Certificate {
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

impl Certificates {
    /// # Errors
    /// If a key does not belong to its certificate, or is of a kind that cannot sign.
    pub(super) fn new(leaves: &[Leaf]) -> io::Result<Self> {
        let provider = ring::default_provider();
        let certified = leaves.iter().map(|leaf| {
            let (chain, key) = (leaf.chain().to_vec(), leaf.key().clone_key());
            let key = CertifiedKey::from_der(chain, key, &provider)
                .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
            Ok(Certificate {
                names: leaf.names().to_vec(),
                key: Arc::new(key),
            })
        });
        certified.collect::<io::Result<_>>().map(Self)
    }

    /// The certificate for a server name, empty for none; `None` if the connection is to be refused.
    pub(super) fn choose(&self, name: &str, unknown: UnknownNames) -> Option<Chosen> {
        let name = name.to_ascii_lowercase();
        let found = self
            .0
            .iter()
            .find(|certificate| !name.is_empty() && certificate.is_for(&name));
        let chosen = match unknown {
            // With a single certificate the program does not look at the name; the result is the same.
            UnknownNames::Answer => found.or_else(|| self.0.first()),
            UnknownNames::Reject => found,
        };
        chosen.map(|certificate| Chosen(Arc::clone(&certificate.key)))
    }
}

impl Certificate {
    /// Names are compared as strings, after the one label that a star may stand for; the certificate's case counts.
    fn is_for(&self, name: &str) -> bool {
        let parent = name.find('.').map_or("", |dot| &name[dot..]);
        let wildcard = format!("*{parent}");
        self.names.iter().any(|own| own == name || *own == wildcard)
    }
}

/// One certificate, for rustls to use whatever the client asks for.
#[derive(Debug)]
pub(super) struct Chosen(Arc<CertifiedKey>);

impl ResolvesServerCert for Chosen {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Authority;

    fn choice(name: &str, unknown: UnknownNames) -> Option<usize> {
        let authority = Authority::generate();
        let leaves = [
            authority.leaf(&["first.org"]).unwrap(),
            authority.wildcard("example.org").unwrap(),
            authority.leaf(&["UPPER.org", "127.0.0.1"]).unwrap(),
        ];
        let certificates = Certificates::new(&leaves).unwrap();
        let chosen = certificates.choose(name, unknown)?;
        certificates
            .0
            .iter()
            .position(|own| Arc::ptr_eq(&own.key, &chosen.0))
    }

    #[test]
    fn names_are_compared_as_strings_and_one_label_may_be_a_star() {
        assert_eq!(choice("API.example.org", UnknownNames::Answer), Some(1));
        assert_eq!(choice("a.b.example.org", UnknownNames::Answer), Some(0));
        assert_eq!(choice("a.b.example.org", UnknownNames::Reject), None);
        assert_eq!(choice("upper.org", UnknownNames::Reject), None);
        assert_eq!(choice("127.0.0.1", UnknownNames::Reject), None);
        assert_eq!(choice("", UnknownNames::Answer), Some(0));
        assert_eq!(choice("", UnknownNames::Reject), None);
    }
}
