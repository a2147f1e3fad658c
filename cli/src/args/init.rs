//! `proxyproof init`.

use std::path::PathBuf;

use clap::Args;

use crate::exit::EXIT_CODES;

/// Write a manifest and a deployment to start from, out of an NGINX configuration
///
/// The folder then runs by itself: `proxyproof run DIR --deployment DIR/deployment.toml`. Routes, hosts, listeners, upstreams
/// and limits are what `run nginx --config FILE` concludes; look at them before you believe them.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct InitArguments {
    /// The configuration: a whole one, or a fragment with server blocks
    #[arg(value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The folder to write to; nothing in it is overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The public host name of the site, where the file has several
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}
