//! What the harness starts as the embedded candidate.

use std::path::PathBuf;

use clap::Args;

/// Serve as the embedded candidate
#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}
