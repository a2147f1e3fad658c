//! Certificates made for one run: an authority and leaves under it, ECDSA P-256, with real validity dates.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

use self::subject::names_of;

mod subject;

/// A certificate authority that exists for one run only; its key never leaves the process.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server certificate with its private key.
pub struct Leaf {
    certificate_pem: String,
    key_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    names: Vec<String>,
}

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A name that no certificate can carry, such as one outside ASCII.
    #[error("`{name}` cannot stand in a certificate")]
    Name {
        /// The name as it was given.
        name: String,
        /// What rcgen says of it.
        #[source]
        reason: rcgen::Error,
    },
    /// The PEM text holds no certificate, or one that cannot be read.
    #[error("the certificate file holds no readable certificate")]
    Certificate {
        /// What the PEM reader says, when it was the one to refuse.
        #[source]
        reason: Option<rustls::pki_types::pem::Error>,
    },
    /// The PEM text holds no private key, or one that cannot be read.
    #[error("the key file holds no readable private key")]
    Key {
        /// What the PEM reader says.
        #[source]
        reason: rustls::pki_types::pem::Error,
    },
}

impl Authority {
    /// Makes an authority that is valid from yesterday for ninety-one days.
    ///
    /// # Panics
    /// If the system has no randomness to make a key from.
    pub fn generate() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = common_name("proxyproof test authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // One day longer than the leaves, so that no chain outlives its root.
        set_validity(&mut parameters, LEAF_DAYS + 1);
        let issuer = CertifiedIssuer::self_signed(parameters, new_key())
            .expect("fixed parameters can be signed");
        Self { issuer }
    }

    /// Makes a certificate for `*.domain`, as the published deployment has (its tunnel server takes only one).
    ///
    /// # Errors
    /// If `domain` cannot stand in a certificate.
    pub fn wildcard(&self, domain: &str) -> Result<Leaf, CertificateError> {
        self.leaf(&[&format!("*.{domain}")])
    }

    /// Makes a certificate for these host names and IP addresses; the first is the subject's common name too.
    ///
    /// # Errors
    /// If one of the names cannot stand in a certificate.
    pub fn leaf(&self, names: &[&str]) -> Result<Leaf, CertificateError> {
        let listed: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters =
            CertificateParams::new(listed.as_slice()).map_err(|reason| CertificateError::Name {
                name: names.join(", "),
                reason,
            })?;
        parameters.distinguished_name = common_name(names.first().copied().unwrap_or_default());
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        set_validity(&mut parameters, LEAF_DAYS);
        let key = new_key();
        let certificate =
            parameters
                .signed_by(&key, &self.issuer)
                .map_err(|reason| CertificateError::Name {
                    name: names.join(", "),
                    reason,
                })?;
        Leaf::from_pem(&certificate.pem(), &key.serialize_pem())
    }

    /// The authority's own certificate, for clients that are to trust the leaves.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's own certificate in DER.
    pub fn certificate_der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Leaf {
    /// Reads a certificate chain, leaf first, and its private key (PKCS#8, SEC 1 or PKCS#1) from PEM.
    ///
    /// # Errors
    /// If either text holds nothing readable.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| CertificateError::Certificate {
                reason: Some(reason),
            })?;
        let first = chain
            .first()
            .ok_or(CertificateError::Certificate { reason: None })?;
        let names = names_of(first).ok_or(CertificateError::Certificate { reason: None })?;
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|reason| CertificateError::Key { reason })?;
        Ok(Self {
            certificate_pem: certificate.to_owned(),
            key_pem: key.to_owned(),
            names,
            chain,
            key: private,
        })
    }

    /// The certificate (chain) in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key in PEM.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The certificate itself in DER.
    pub fn certificate_der(&self) -> CertificateDer<'static> {
        self.chain[0].clone()
    }

    /// The subject's common name and the DNS names, as written: what a server name is compared with.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The chain to send in a handshake, leaf first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The private key in DER.
    pub(crate) fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Leaf")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .expect("the system has randomness for a P-256 key")
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn set_validity(parameters: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    // A day of grace for clients whose clock is behind.
    parameters.not_before = now - Duration::DAY;
    parameters.not_after = now + Duration::days(days);
}

/// Well under the 398 days at which Apple's clients stop to trust a certificate.
const LEAF_DAYS: i64 = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_leaf_names_its_domain_and_reads_back() {
        let authority = Authority::generate();
        let leaf = authority.wildcard("example.org").unwrap();
        assert_eq!(leaf.names(), ["*.example.org"]);
        let again = Leaf::from_pem(leaf.certificate_pem(), leaf.key_pem()).unwrap();
        assert_eq!(again.certificate_der(), leaf.certificate_der());
    }

    #[test]
    fn addresses_are_no_names() {
        let leaf = Authority::generate()
            .leaf(&["*.example.org", "localhost", "127.0.0.1", "::1"])
            .unwrap();
        assert_eq!(leaf.names(), ["*.example.org", "localhost"]);
    }

    #[test]
    fn what_is_no_pem_is_refused() {
        let leaf = Authority::generate().wildcard("example.org").unwrap();
        assert!(matches!(
            Leaf::from_pem("", leaf.key_pem()),
            Err(CertificateError::Certificate { .. })
        ));
        assert!(matches!(
            Leaf::from_pem(leaf.certificate_pem(), "x"),
            Err(CertificateError::Key { .. })
        ));
    }
}
