//! `proxyproof up`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

use super::{DEFAULT_DEPLOYMENT, HowArguments};
use crate::exit::EXIT_CODES;

/// Serve a whole stage for real clients, until Ctrl-C
///
/// Front, proxy, AI gateway and usage service, on loopback. It prints the URLs, what a client's settings need, and a line for
/// each request once it is answered; one that takes longer than a second has a line when it begins, too.
///
/// The front takes the server name `localhost`, and none, for the API host, and its certificate is for the hosts, localhost,
/// 127.0.0.1 and ::1; a second listener routes alike without TLS. The proxies of the gallery serve the hosts `localhost` and
/// `127.0.0.1`, too. One with a configuration of its own may refuse them; what is printed then asks for the API host, and
/// `--domain localhost` puts that name in its place.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct UpArguments {
    /// The proxy: a name of the gallery, or a folder with a candidate.toml
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: Option<String>,
    #[command(flatten)]
    pub(crate) how: HowArguments,
    /// What the site wants: an embedded deployment, or a TOML file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DEPLOYMENT)]
    pub(crate) deployment: String,
    /// The front's port for TLS; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// The API host in place of the deployment's, in the proxy's own configuration too
    #[arg(long, value_name = "HOST", value_parser = host_name)]
    pub(crate) domain: Option<String>,
    /// Report clients on loopback under this address: a right proxy may refuse one that claims to be local
    #[arg(long, value_name = "IP", default_value = "203.0.113.7")]
    pub(crate) client_address: IpAddr,
    /// Let only local clients manage the gateway, which is nobody through a proxy
    #[arg(long)]
    pub(crate) no_allow_remote: bool,
    /// Write URLs, keys and ports to this file, as JSON, once everything answers
    #[arg(long, value_name = "FILE")]
    pub(crate) ready: Option<PathBuf>,
}

/// A name as DNS and certificates have it.
fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let letters = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        letters
            && (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("not a host name".to_owned())
    }
}
