//! `proxyproof explain`.

use clap::Args;

/// Explain a scenario or a finding: why it matters, how it is asked, how to mend it
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The id of a scenario, or the code of a finding
    #[arg(value_name = "SCENARIO|FINDING")]
    pub(crate) subject: String,
}
