//! The `[[listen]]` tables: one for each protocol, and one socket for those that share an address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::{Listen, Protocol, Spoken};
use crate::document::Mistake;
use crate::tls::Tls;

/// A table as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenTable {
    address: SocketAddr,
    protocol: Protocol,
    #[serde(default)]
    proxy_protocol: bool,
    #[serde(default)]
    tls: bool,
    /// A PEM file with certificates and key.
    certificate: Option<Spanned<PathBuf>>,
}

/// The listeners that the tables describe.
pub(crate) fn listeners(
    tables: Spanned<Vec<Spanned<ListenTable>>>,
) -> Result<Vec<Arc<Listen>>, Mistake> {
    if tables.as_ref().is_empty() {
        return Err(Mistake::at(&tables, "no listener"));
    }
    let mut shared: Vec<Shared> = Vec::new();
    for table in tables.into_inner() {
        let address = table.as_ref().address;
        let mut known = shared.iter_mut();
        match known.find(|known| known.first.address == address) {
            Some(known) => known.join(&table)?,
            None => shared.push(Shared::new(table)?),
        }
    }
    shared.into_iter().map(Shared::listen).collect()
}

/// Tables of the same address, where ALPN tells their protocols apart.
struct Shared {
    first: ListenTable,
    protocols: Vec<Protocol>,
}

impl Shared {
    fn new(table: Spanned<ListenTable>) -> Result<Self, Mistake> {
        let written = table.as_ref();
        if written.tls != written.certificate.is_some() {
            let message = "`tls = true` and `certificate` go together";
            return Err(Mistake::at(&table, message));
        }
        let first = table.into_inner();
        Ok(Self {
            protocols: vec![first.protocol],
            first,
        })
    }

    fn join(&mut self, table: &Spanned<ListenTable>) -> Result<(), Mistake> {
        let (first, other) = (&self.first, table.as_ref());
        let address = other.address;
        if !(first.tls && other.tls) || self.protocols.contains(&other.protocol) {
            return Err(Mistake::at(table, format!("listener {address} twice")));
        }
        let is_same = first.certificate.as_ref().map(Spanned::as_ref)
            == other.certificate.as_ref().map(Spanned::as_ref)
            && first.proxy_protocol == other.proxy_protocol;
        if !is_same {
            let message =
                format!("{address} has one certificate, and PROXY headers always or never");
            return Err(Mistake::at(table, message));
        }
        self.protocols.push(other.protocol);
        Ok(())
    }

    fn listen(self) -> Result<Arc<Listen>, Mistake> {
        let spoken = match &self.first.certificate {
            None => Spoken::Plain(self.first.protocol),
            Some(certificate) => Spoken::Tls(Arc::new(tls(certificate, self.protocols)?)),
        };
        Ok(Arc::new(Listen {
            address: self.first.address,
            proxy_protocol: self.first.proxy_protocol,
            spoken,
        }))
    }
}

fn tls(certificate: &Spanned<PathBuf>, protocols: Vec<Protocol>) -> Result<Tls, Mistake> {
    let path = certificate.as_ref();
    let pem = std::fs::read(path).map_err(|error| error.to_string());
    pem.and_then(|pem| Tls::new(pem, protocols))
        .map_err(|why| Mistake::at(certificate, format!("`{}`: {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::document::site;

    fn refused(tables: &str) -> String {
        let text = format!("server_names = ['a.test']\nupstream = []\nlocation = []\n{tables}");
        let mistake = site(&text).map(drop).expect_err("wrong on purpose");
        mistake.located(Path::new("x.toml"), &text).to_string()
    }

    #[test]
    fn tables_that_cannot_share_an_address_are_refused() {
        let plain = "[[listen]]\naddress = '127.0.0.1:1'\nprotocol = 'h1'\n";
        let tls = format!("{plain}tls = true\ncertificate = 'a.pem'\n");
        let cases = [
            (
                [plain, plain].concat(),
                "x.toml:7:1: listener 127.0.0.1:1 twice",
            ),
            (
                [&tls, plain].concat(),
                "x.toml:9:1: listener 127.0.0.1:1 twice",
            ),
            (
                [&*tls, &tls].concat(),
                "x.toml:9:1: listener 127.0.0.1:1 twice",
            ),
            (
                [&tls, &*tls.replace("h1", "h2").replace("a.pem", "b.pem")].concat(),
                "x.toml:9:1: 127.0.0.1:1 has one certificate",
            ),
            (
                [&tls, &*tls.replace("h1", "h2"), "proxy_protocol = true"].concat(),
                "x.toml:9:1: 127.0.0.1:1 has one certificate",
            ),
        ];
        for (tables, expected) in cases {
            let message = refused(&tables);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn tls_needs_a_certificate_and_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let table = "[[listen]]\naddress = '127.0.0.1:1'\nprotocol = 'h1'\n";
        let alone = "x.toml:4:1: `tls = true` and `certificate` go together";
        assert_eq!(refused(&format!("{table}tls = true\n")), alone);
        assert_eq!(refused(&format!("{table}certificate = 'x'\n")), alone);
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let [key, other] = [&made, &other].map(|made| made.signing_key.serialize_pem());
        let path = directory.path().join("x.pem");
        for content in ["", &key, &made.cert.pem(), &(made.cert.pem() + &other)] {
            std::fs::write(&path, content).unwrap();
            let lines = format!("tls = true\ncertificate = '{}'\n", path.display());
            let message = refused(&format!("{table}{lines}"));
            assert!(message.starts_with("x.toml:8:15: `/"), "{message}");
        }
        std::fs::remove_file(&path).unwrap();
        let lines = format!("tls = true\ncertificate = '{}'\n", path.display());
        let message = refused(&format!("{table}{lines}"));
        assert!(message.ends_with("(os error 2)"), "{message}");
    }
}
