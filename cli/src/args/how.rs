//! How a candidate runs, where not as its manifest says.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Another build, a container, or a proxy that runs already.
#[derive(Debug, Args)]
#[group(id = "how_it_runs", multiple = true)]
pub(crate) struct HowArguments {
    /// Run this build of the proxy instead of the one on the PATH
    #[arg(long, value_name = "PATH", help_heading = "How", conflicts_with_all = ["container", "attach"])]
    pub(crate) binary: Option<PathBuf>,
    /// Run the proxy in a container, of this image or of the one that its manifest names
    ///
    /// It needs a container engine (DOCKER_HOST, or /var/run/docker.sock) on Linux: the container is on the host's network,
    /// runs as you, and sees nothing of this machine but the stage's private directory.
    #[arg(long, value_name = "IMAGE", num_args = 0..=1, default_missing_value = "",
        help_heading = "How", conflicts_with = "attach")]
    pub(crate) container: Option<String>,
    /// Ask a proxy that runs already, at these listeners: `h1=127.0.0.1:8003,h2c=127.0.0.1:8004`
    ///
    /// Nothing of it is started, told or stopped. Its upstreams are mocked where it expects them: see --mock. A candidate's
    /// name, or --config, says whose hints are shown.
    #[arg(long, value_name = "PROTOCOL=ADDRESS", value_delimiter = ',', value_parser = socket_address, help_heading = "How")]
    pub(crate) attach: Vec<(String, SocketAddr)>,
    /// Where a proxy that runs already expects an upstream: `cpa=127.0.0.1:8317`; the deployment's addresses otherwise
    #[arg(long, value_name = "NAME=ADDRESS", value_delimiter = ',', value_parser = socket_address, requires = "attach", help_heading = "How")]
    pub(crate) mock: Vec<(String, SocketAddr)>,
}

fn socket_address(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = super::own::named_address(text)?;
    match address.parse() {
        Ok(address) => Ok((name, address)),
        Err(_) => Err(format!(
            "`{address}` is no address with a port, as in `127.0.0.1:8003` or `[::1]:8003`"
        )),
    }
}
