//! Makes certificates.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use proxyproof_mocks::certificate::Authority;

use crate::{args::CertsArguments, error::CommandError, exit::Exit, printer::Printer};

/// What everybody may read.
const PUBLIC: u32 = 0o644;
/// What only the owner may.
const PRIVATE: u32 = 0o600;

pub(crate) fn certs(arguments: &CertsArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let authority = Authority::generate();
    let leaf =
        authority
            .wildcard(&arguments.domain)
            .map_err(|cause| CommandError::Certificate {
                name: arguments.domain.clone(),
                cause,
            })?;
    fs::create_dir_all(&arguments.out).map_err(|cause| CommandError::Output {
        path: arguments.out.clone(),
        cause,
    })?;
    let files = [
        (
            "ca.pem",
            authority.certificate_pem(),
            PUBLIC,
            "the authority that clients have to trust",
        ),
        (
            "certificate.pem",
            leaf.certificate_pem().to_owned(),
            PUBLIC,
            "the certificate",
        ),
        ("key.pem", leaf.key_pem().to_owned(), PRIVATE, "its key"),
    ];
    let path = |name: &str| arguments.out.join(name);
    // All or nothing: what is there is found before anything is written.
    if let Some(path) = files
        .iter()
        .map(|(name, ..)| path(name))
        .find(|path| path.exists())
    {
        return Err(CommandError::Exists { path });
    }
    let mut told = String::new();
    for (name, text, mode, what) in files {
        let path = path(name);
        write_new(&path, &text, mode).map_err(|cause| CommandError::Output {
            path: path.clone(),
            cause,
        })?;
        told.push_str(&format!("{:15}  {what}\n", path.display()));
    }
    printer.result(&format!("{told}for {}\n", leaf.names().join(", ")))?;
    Ok(Exit::PASS)
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?
        .write_all(text.as_bytes())
}
