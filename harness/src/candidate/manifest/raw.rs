//! The TOML of a manifest, before it is looked at.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::candidate::launch::{ContainerImage, Insertion, VersionCommand};
use crate::candidate::{Feature, Hint, Remedy, Role, Signals};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) name: Spanned<String>,
    pub(super) about: String,
    #[serde(default)]
    pub(super) features: Vec<Feature>,
    pub(super) launch: RawLaunch,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<RawFile>,
    #[serde(default)]
    pub(super) known: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Known gaps that are races in the proxy.
    #[serde(default)]
    pub(super) sometimes: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default, rename = "hint")]
    pub(super) hints: Vec<Spanned<Hint>>,
    #[serde(default, rename = "remedy")]
    pub(super) remedies: Vec<Remedy>,
    #[serde(default, rename = "variant")]
    pub(super) variants: Vec<RawVariant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaunch {
    #[serde(default)]
    pub(super) kind: RawKind,
    pub(super) binary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) arguments: Vec<Spanned<String>>,
    pub(super) version: Option<VersionCommand>,
    pub(super) validate: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) signals: Signals,
    pub(super) log: Option<String>,
    pub(super) container: Option<ContainerImage>,
    #[serde(default)]
    pub(super) readiness: RawReadiness,
}

/// How a manifest's candidate runs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawKind {
    #[default]
    Process,
    Embedded,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawReadiness {
    pub(super) target: Spanned<String>,
    pub(super) within: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) name: Spanned<String>,
    pub(super) from: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) role: Role,
    #[serde(default, rename = "insert")]
    pub(super) insertions: Vec<Spanned<Insertion>>,
}

/// Another configuration of the same proxy: what it does not say is the manifest's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVariant {
    pub(super) name: Spanned<String>,
    pub(super) about: String,
    pub(super) features: Option<Vec<Feature>>,
    pub(super) arguments: Option<Vec<Spanned<String>>>,
    pub(super) validate: Option<Vec<Spanned<String>>>,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<RawFile>,
    pub(super) known: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    #[serde(default, rename = "hint")]
    pub(super) hints: Vec<Spanned<Hint>>,
}

impl Default for RawReadiness {
    fn default() -> Self {
        Self {
            target: Spanned::new(0..0, "/".to_owned()),
            within: None,
        }
    }
}
