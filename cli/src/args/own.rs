//! A configuration of one's own in the place of a candidate's.

use std::path::PathBuf;

use clap::Args;
use proxyproof_harness::deployment::Front;

use super::one_of;

/// Which file it is, and what it says where.
#[derive(Debug, Args)]
pub(crate) struct OwnArguments {
    /// Take this configuration in the place of the candidate's own
    ///
    /// A private copy runs, on the stage's own addresses; the file is only read. Of NGINX's a whole tree will do, a fragment with
    /// server blocks, what `nginx -T` prints, a `*.template` of NGINX's image with its variables in the environment, and `-`
    /// for standard input; includes are followed, and the site is read from it: which programs, which paths, what it
    /// promises. Of a Caddyfile the host is that of the site that leads to the
    /// deployment's upstreams, and so are the listeners where the file does not have the deployment's; what runs is Caddy's JSON.
    #[arg(long, value_name = "FILE", help_heading = "One's own configuration")]
    pub(crate) config: Option<PathBuf>,
    /// Go on as if the variables that published copies use without defining them were defined
    #[arg(long, requires = "config", help_heading = "One's own configuration")]
    pub(crate) assume_maps: bool,
    /// The public host name, where the configuration's own is not the one to ask for
    #[arg(
        long,
        value_name = "NAME",
        requires = "config",
        help_heading = "One's own configuration"
    )]
    pub(crate) host: Option<String>,
    /// What stands in front of the proxy: a tunnel server (SNI, ALPN, PROXY protocol), a server that only ends TLS, or nothing
    ///
    /// With `none` clients connect to the proxy itself, over TLS where it ends that; of an NGINX configuration the first
    /// server with locations says where, and whether, of a Caddyfile the sites that lead to the deployment's upstreams. The deployment says it otherwise: `tunnel` without a word.
    #[arg(long, value_name = "KIND", help_heading = "One's own configuration", value_parser = one_of(Front::ALL, Front::name))]
    pub(crate) front: Option<Front>,
    /// Where the configuration listens, as written in it: `h1=127.0.0.1:8003`, `h2=127.0.0.1:8004`
    #[arg(long, value_name = "PROTOCOL=ADDRESS", requires = "config", value_parser = named_address,
        help_heading = "One's own configuration")]
    pub(crate) listen: Vec<(String, String)>,
    /// What an upstream is, by its address as written: `litellm=10.0.0.1:4000`, `chat=127.0.0.1:3000,kind=open-webui`
    #[arg(long, value_name = "NAME=ADDRESS[,kind=KIND]", requires = "config", value_parser = named_address,
        help_heading = "One's own configuration")]
    pub(crate) upstream: Vec<(String, String)>,
}

pub(super) fn named_address(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => {
            Ok((name.to_owned(), address.to_owned()))
        }
        _ => Err("a name, `=` and an address, as in `cpa=127.0.0.1:8317`".to_owned()),
    }
}
