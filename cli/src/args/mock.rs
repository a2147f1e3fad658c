//! `proxyproof mock`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

use crate::exit::EXIT_CODES;

/// Serve one of the mocks alone, until Ctrl-C
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true, after_long_help = EXIT_CODES)]
pub(crate) struct MockArguments {
    #[command(subcommand)]
    pub(crate) part: Part,
}

/// What can be served alone.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    Cpa(CpaArguments),
    Usage(UsageArguments),
    Front(FrontArguments),
}

/// Serve the AI gateway, with a scripted provider behind it
///
/// Its models are those of the recordings: `m-fast`, `m-slow`, `m-tool`, `m-cut`, `m-429`, `gpt-5-codex`, `claude-mock` and
/// others; `GET /v1/models` lists them.
#[derive(Debug, Args)]
pub(crate) struct CpaArguments {
    #[command(flatten)]
    pub(crate) door: DoorArguments,
    /// Let in with this key; may be given several times
    #[arg(long, value_name = "K", required = true)]
    pub(crate) api_key: Vec<String>,
    /// Manage with this key; without one, management is off
    #[arg(long, value_name = "K")]
    pub(crate) management_key: Option<String>,
    /// Let clients that are not local manage
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Write a comment into streams every so many seconds; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) keepalive_seconds: u64,
    /// Write a line end every so many seconds before whole answers; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) nonstream_keepalive: u64,
    /// Pass on fields of the provider's answers
    #[arg(long)]
    pub(crate) passthrough_headers: bool,
}

/// Serve the usage service, with a collector that takes records from CPA
///
/// Without `--cpa` it is freshly installed: `POST /setup` sets it up.
#[derive(Debug, Args)]
pub(crate) struct UsageArguments {
    #[command(flatten)]
    pub(crate) door: DoorArguments,
    /// Is set up with this CPA
    #[arg(long, value_name = "URL", requires = "management_key", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) cpa: Option<String>,
    /// CPA's management key
    #[arg(long, value_name = "K", requires = "cpa", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) management_key: Option<String>,
    /// Let pages of this origin read answers; `*`, that is all, without one
    #[arg(long, value_name = "O")]
    pub(crate) cors_origin: Vec<String>,
}

/// Serve the tunnel server's fallbacks: TLS, server name, ALPN, path, PROXY protocol
///
/// What is read of the configuration: protocol, decryption, clients, fallbacks, the TLS settings alpn, minVersion and
/// rejectUnknownSni, and acceptProxyProtocol. A table that the real program refuses is refused with its reason.
#[derive(Debug, Args)]
pub(crate) struct FrontArguments {
    #[command(flatten)]
    pub(crate) door: DoorArguments,
    /// The JSON of a tunnel server, whole or one inbound
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The certificate with its chain, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: PathBuf,
    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Where a mock is reached, and how others learn of it.
#[derive(Debug, Args)]
pub(crate) struct DoorArguments {
    /// Where to listen; port 0 for any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Write address and keys to this file, as JSON, once it answers
    #[arg(long, value_name = "FILE")]
    pub(crate) ready: Option<PathBuf>,
}
