//! `proxyproof certs`.

use std::path::PathBuf;

use clap::Args;

/// Make a certificate authority and a wildcard certificate, as the front uses them
#[derive(Debug, Args)]
pub(crate) struct CertsArguments {
    /// The folder to write to; nothing in it is overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The domain whose hosts the certificate is for
    #[arg(long, value_name = "DOMAIN", default_value = "example.org")]
    pub(crate) domain: String,
}
