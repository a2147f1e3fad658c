//! `proxyproof matrix`.

use clap::{Args, ValueEnum};

use proxyproof_harness::Level;

use super::{DEFAULT_DEPLOYMENT, one_of};
use crate::exit::EXIT_CODES;

/// Ask several proxies the same, and show them beside each other
///
/// The table has a row for each scenario that somebody does not pass; --verbose shows all of them.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct MatrixArguments {
    /// The proxies: names of the gallery, folders with a candidate.toml, or `NAME=BINARY` for another build of one
    ///
    /// Without any: those of the gallery that are installed. `nginx nginx=/opt/nginx/sbin/nginx` compares two versions.
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidates: Vec<String>,
    /// Ask only this: an id, a topic, a part of an id or a glob, as in `run`
    #[arg(short, long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// What the site wants: an embedded deployment, or a TOML file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DEPLOYMENT)]
    pub(crate) deployment: String,
    /// Fail from this level on
    #[arg(long, value_name = "LEVEL", default_value = "required",
        value_parser = one_of([Level::Required, Level::Recommended], Level::name))]
    pub(crate) fail_on: Level,
    /// Stay in the machine's own network and file system, as in `run`
    #[arg(long)]
    pub(crate) no_isolation: bool,
    /// How the table is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: MatrixFormat,
}

/// How the table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// Columns for a terminal
    Terminal,
    /// A table for a pull request or an issue
    Markdown,
    /// The whole results, one after the other; the schema of each is docs/report.schema.json; one that
    /// could not be asked has its name and the error
    Json,
}
