//! `proxyproof list`.

use clap::{Args, ValueEnum};

/// List scenarios, candidates, deployments or kinds of upstreams
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to list
    #[arg(value_enum, default_value = "scenarios")]
    pub(crate) what: Listing,
    /// Only scenarios that this means, as in `run`
    #[arg(short, long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// What is asked, with level and protocols
    Scenarios,
    /// The proxies of the gallery
    Candidates,
    /// The embedded deployments
    Deployments,
    /// What programs upstreams can be, with the requests that they are asked by
    Kinds,
}
