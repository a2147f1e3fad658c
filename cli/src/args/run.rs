//! `proxyproof run`.

use std::path::PathBuf;

use clap::Args;
use proxyproof_harness::{Deployment, Level, suite::Plan};

use super::{HowArguments, OwnArguments, one_of};
use crate::exit::EXIT_CODES;

/// The deployment of the published configuration.
pub(crate) const DEFAULT_DEPLOYMENT: &str = Deployment::EMBEDDED[0];

/// Ask a proxy everything, and say what is wrong and what to change
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct RunArguments {
    /// The proxy: a name of the gallery, or a folder with a candidate.toml
    ///
    /// `proxyproof list candidates` shows the gallery. `reference`, which is asked without any, is part of this program and
    /// needs nothing installed.
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: Option<String>,
    #[command(flatten)]
    pub(crate) own: OwnArguments,
    #[command(flatten)]
    pub(crate) how: HowArguments,
    /// Ask only this: an id, a topic, a part of an id or a glob
    ///
    /// `@h1`, `@h2`, `@chain-h1` or `@chain-h2` behind it asks on that protocol only; `@chain-*` is a glob, too. Several
    /// filters add up.
    #[arg(short, long, value_name = "FILTER", help_heading = "What is asked")]
    pub(crate) filter: Vec<String>,
    /// Leave out what matters less than this level
    #[arg(long, value_name = "LEVEL", help_heading = "What is asked", default_value = "observed",
        value_parser = one_of([Level::Required, Level::Recommended, Level::Observed], Level::name))]
    pub(crate) level: Level,
    /// What the site wants: an embedded deployment, or a TOML file
    ///
    /// Without it that is the published site, or, with an NGINX file in `--config`, what that file itself says.
    #[arg(long, value_name = "FILE", help_heading = "What is asked")]
    pub(crate) deployment: Option<String>,
    /// How often everything is asked; a verdict that changes is a failure
    #[arg(long, value_name = "N", help_heading = "How", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// How many scenarios run at once; they mostly wait
    #[arg(short, long, value_name = "N", help_heading = "How", default_value_t = Plan::DEFAULT_JOBS as u16,
        value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
    /// Fail from this level on
    #[arg(long, value_name = "LEVEL", help_heading = "How", default_value = "required",
        value_parser = one_of([Level::Required, Level::Recommended], Level::name))]
    pub(crate) fail_on: Level,
    /// Keep the private directories, with configuration and logs
    #[arg(long, help_heading = "How")]
    pub(crate) keep: bool,
    /// Stay in the machine's own network and file system
    ///
    /// Where the program `unshare` works, candidates run in network and mount namespaces otherwise: they reach loopback alone, and
    /// can write nothing but their private directory. `proxyproof doctor` says whether it works here.
    #[arg(long, help_heading = "How")]
    pub(crate) no_isolation: bool,
    /// Write the whole result as JSON; the schema is docs/report.schema.json
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
}

impl RunArguments {
    /// A container and what runs already are not this program's children, so that namespaces of its own would shut them out.
    pub(crate) fn is_isolated(&self) -> bool {
        !self.no_isolation && self.how.container.is_none() && self.how.attach.is_empty()
    }
}
