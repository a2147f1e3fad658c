//! `proxyproof routes`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use proxyproof_oracle::location::NginxVersion;

use super::{DEFAULT_DEPLOYMENT, OwnArguments};
use crate::exit::EXIT_CODES;

/// Answer questions about a route configuration, without running a proxy
///
/// NGINX's configuration language is read as NGINX reads it: whole trees with their includes, or a server block alone.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct RoutesArguments {
    #[command(subcommand)]
    pub(crate) question: RoutesQuestion,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesQuestion {
    Show(ShowArguments),
    Match(MatchArguments),
    Check(CheckArguments),
    Diff(DiffArguments),
    Prop(PropArguments),
}

/// Show the locations of each server in the order in which NGINX looks at them
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// An NGINX configuration, or a candidate of the gallery that has one
    #[arg(value_name = "FILE|CANDIDATE")]
    pub(crate) config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say which location wins for a request target, and why
///
/// Prints a line for each target: target, status, owner, upstream's target and location, with tabs between; bytes
/// outside printable ASCII as \xNN, `-` for what there is none of. On a terminal, for targets that were typed, and with
/// `--why`, the reasons follow instead.
#[derive(Debug, Args)]
pub(crate) struct MatchArguments {
    /// An NGINX configuration
    #[arg(value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Request targets as sent; `-` reads them from standard input, raw bytes, one a line
    #[arg(value_name = "TARGET", required = true)]
    pub(crate) targets: Vec<OsString>,
    /// The request's method
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// Ask the HTTP/2 listener
    #[arg(long)]
    pub(crate) h2: bool,
    /// The request's host; without one, the default server answers
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The release whose rules hold
    #[arg(long, value_name = "VERSION", default_value_t = NginxVersion::default())]
    pub(crate) nginx_version: NginxVersion,
    /// Print the reasons, too
    #[arg(long, conflicts_with = "json")]
    pub(crate) why: bool,
    /// Print JSON, an object on a line for each target
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prove that every path goes where the deployment wants, or show those that do not
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// An NGINX configuration
    #[arg(value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// What the site wants: an embedded deployment, or a TOML file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DEPLOYMENT)]
    pub(crate) deployment: String,
    /// The host whose server is checked; without one, every server that has a name
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show every class of paths that goes elsewhere in another configuration
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The configuration as it was
    pub(crate) old: PathBuf,
    /// The configuration as it is now
    pub(crate) new: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    pub(crate) format: DiffFormat,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Try whether a real proxy agrees with the rules as this command reads them
///
/// Without a candidate, generated route tables are loaded one after the other by reload, each for a thousand generated
/// request targets; with one, targets around its own configuration. Every target goes to every listener. What disagrees is
/// made small and printed as a configuration to paste and a line for a shell. Ctrl-C prints what was found so far.
#[derive(Debug, Args)]
pub(crate) struct PropArguments {
    /// A candidate of the gallery, or a folder with a candidate.toml, whose own configuration is tried
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: Option<String>,
    #[command(flatten)]
    pub(crate) own: OwnArguments,
    /// How many pairs of a table and a target are tried
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) cases: u64,
    /// Try the same tables and targets again
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a difference is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a terminal
    Text,
    /// A table for a pull request
    Markdown,
}
