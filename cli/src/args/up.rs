//! `proxyproof up`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

use super::DEFAULT_DEPLOYMENT;
use crate::exit::EXIT_CODES;

/// Serve a whole stage for real clients, until Ctrl-C
///
/// Front, proxy, AI gateway and usage service, on loopback. It prints the URLs, what a client's settings need, and a line for
/// each request once it is answered.
///
/// The front takes the server name `localhost`, and none, for the API host, and its certificate is for the hosts, localhost,
/// 127.0.0.1 and ::1; a second listener routes alike without TLS. A proxy that is configured by the deployment serves the
/// hosts `localhost` and `127.0.0.1`, too; one with a configuration of its own may refuse them: give clients the API host then.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct UpArguments {
    /// The proxy: a name of the gallery, or a folder with a candidate.toml
    #[arg(default_value = "reference")]
    pub(crate) candidate: String,
    /// What the site wants: an embedded deployment, or a TOML file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DEPLOYMENT)]
    pub(crate) deployment: String,
    /// The front's port for TLS; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
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
