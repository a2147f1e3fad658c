//! What can be typed.

mod bench;
mod certs;
mod completions;
mod explain;
mod how;
mod init;
mod list;
mod matrix;
mod mock;
mod own;
mod routes;
mod run;
mod up;

use std::ffi::OsString;

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

pub(crate) use bench::{BenchArguments, BenchQuestion, CompareArguments, MergeArguments};
pub(crate) use certs::CertsArguments;
pub(crate) use completions::CompletionsArguments;
pub(crate) use explain::ExplainArguments;
pub(crate) use how::HowArguments;
pub(crate) use init::InitArguments;
pub(crate) use list::{ListArguments, Listing};
pub(crate) use matrix::{MatrixArguments, MatrixFormat};
pub(crate) use mock::{CpaArguments, FrontArguments, MockArguments, Part, UsageArguments};
pub(crate) use own::OwnArguments;
pub(crate) use routes::{
    CheckArguments, DiffArguments, DiffFormat, MatchArguments, PropArguments, RoutesArguments,
    RoutesQuestion, ShowArguments,
};
pub(crate) use run::{DEFAULT_DEPLOYMENT, RunArguments};
pub(crate) use up::UpArguments;

use crate::exit::EXIT_CODES;

/// Proves, breaks and measures a reverse proxy in front of an AI gateway
///
/// Stages a whole deployment around a proxy, on loopback and ephemeral ports: the gateway and its usage service behind it,
/// a TLS tunnel server before it. Then it sends, looks at both ends, and says which promise is broken and which line of
/// the proxy's configuration to change.
#[derive(Debug, Parser)]
#[command(name = "proxyproof", version, after_long_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What holds for every command.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Global {
    /// Print nothing but the result
    #[arg(
        short,
        long,
        global = true,
        help_heading = "Output",
        conflicts_with = "verbose"
    )]
    pub(crate) quiet: bool,
    /// Print a line for each scenario and protocol, and timelines
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// When to use colours; `auto` respects NO_COLOR and pipes
    #[arg(
        long,
        global = true,
        help_heading = "Output",
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: ColorChoice,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even into a pipe
    Always,
    /// Not even on a terminal
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Run(RunArguments),
    Matrix(MatrixArguments),
    Bench(BenchArguments),
    Routes(RoutesArguments),
    Up(UpArguments),
    Mock(MockArguments),
    Init(InitArguments),
    List(ListArguments),
    Explain(ExplainArguments),
    /// Show what is installed here, and what each missing thing would add
    Doctor,
    Certs(CertsArguments),
    Completions(CompletionsArguments),
}

impl Arguments {
    /// Reads the command line; clap's own words are coloured as `--color` says, too.
    pub(crate) fn parse(words: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = Self::command().color(early_colour(words));
        let program = std::env::args_os().next();
        let typed = program.iter().chain(words);
        let matches = command.try_get_matches_from_mut(typed)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// `--color` before the rest is understood: an error is told in it.
fn early_colour(typed: &[OsString]) -> clap::ColorChoice {
    let mut words = typed.iter().filter_map(|word| word.to_str()).peekable();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color=") {
            Some(value) => Some(value),
            None if word == "--color" => words.peek().copied(),
            None => None,
        };
        match value {
            Some("always") => return clap::ColorChoice::Always,
            Some("never") => return clap::ColorChoice::Never,
            _ => {}
        }
    }
    clap::ColorChoice::Auto
}

/// Takes the name of one of these, and lists the names where none is meant.
fn one_of<T, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let named = move |typed: String| all.into_iter().find(|one| name(*one) == typed);
    PossibleValuesParser::new(all.map(name))
        .map(move |typed| named(typed).expect("every possible value names one of them"))
}
