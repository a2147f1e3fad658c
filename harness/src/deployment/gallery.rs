//! The deployments that this crate has with it.

use super::Deployment;
use crate::error::HarnessError;

macro_rules! deployments {
    ($($name:literal),+ $(,)?) => {
        /// Their names, in the order of the documentation.
        pub(super) const NAMES: [&str; [$($name),+].len()] = [$($name),+];
        const TEXTS: [&str; NAMES.len()] =
            [$(include_str!(concat!("../../../scenarios/deployments/", $name, ".toml"))),+];
    };
}

deployments![
    "cpa-two-hosts",
    "cpa-one-host",
    "litellm-tls",
    "below-a-path",
    "pages-and-api",
    "ollama",
    "balanced",
];

/// The text of the deployment with this name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let index = NAMES.iter().position(|known| *known == name)?;
    Some(TEXTS[index])
}

/// The deployment of this name.
pub(super) fn embedded(name: &str) -> Option<Result<Deployment, HarnessError>> {
    let text = text(name)?;
    Some(Deployment::parse(&format!("{name}.toml"), text))
}
