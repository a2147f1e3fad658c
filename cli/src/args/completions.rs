//! `proxyproof completions`.

use clap::Args;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
