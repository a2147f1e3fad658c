//! The TOML of a manifest, before it is looked at.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::candidate::launch::{ContainerImage, Insertion, VersionCommand};
use crate::candidate::{Feature, Hint, Language, ListenerKind, Remedy, Role, Signals};

/// `SCENARIO CODE`, both with `*` for any run of characters, each with a reason.
pub(super) type RawGaps = BTreeMap<Spanned<String>, Spanned<String>>;

/// How a proxy is started, what it can do, and what is known about it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "candidate.toml")]
pub(super) struct Raw {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    pub(super) about: String,
    #[serde(default)]
    pub(super) features: Vec<Feature>,
    pub(super) launch: RawLaunch,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<RawFile>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) known: RawGaps,
    /// Known gaps that are races in the proxy.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) sometimes: RawGaps,
    #[serde(default, rename = "hint")]
    #[schemars(with = "Vec<Hint>")]
    pub(super) hints: Vec<Spanned<Hint>>,
    #[serde(default, rename = "remedy")]
    pub(super) remedies: Vec<Remedy>,
    #[serde(default, rename = "version")]
    #[schemars(with = "Vec<RawEdition>")]
    pub(super) editions: Vec<Spanned<RawEdition>>,
    #[serde(default, rename = "variant")]
    pub(super) variants: Vec<RawVariant>,
}

/// The program.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaunch {
    #[serde(default)]
    pub(super) kind: RawKind,
    #[schemars(with = "Option<String>")]
    pub(super) binary: Option<Spanned<String>>,
    pub(super) language: Option<Language>,
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) arguments: Vec<Spanned<String>>,
    pub(super) version: Option<VersionCommand>,
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) validate: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) signals: Signals,
    pub(super) log: Option<String>,
    pub(super) container: Option<ContainerImage>,
    #[serde(default)]
    pub(super) readiness: RawReadiness,
}

/// How a manifest's candidate runs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawKind {
    #[default]
    Process,
    Embedded,
}

/// When it counts as ready.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawReadiness {
    #[schemars(with = "Option<String>")]
    pub(super) target: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) within: Option<Spanned<String>>,
}

/// A file of its configuration, beside the manifest.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) from: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) role: Role,
    /// The only deployment that a native file is for.
    #[schemars(with = "Option<String>")]
    pub(super) deployment: Option<Spanned<String>>,
    #[serde(default, rename = "insert")]
    #[schemars(with = "Vec<Insertion>")]
    pub(super) insertions: Vec<Spanned<Insertion>>,
}

/// What holds of some versions only.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEdition {
    #[schemars(with = "Option<String>")]
    pub(super) since: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) before: Option<Spanned<String>>,
    /// Its gaps show only on sites with such a listener.
    pub(super) listener: Option<ListenerKind>,
    #[serde(default)]
    pub(super) features: Vec<Feature>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) known: RawGaps,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) sometimes: RawGaps,
}

/// Another configuration of the same proxy: what it does not say is the manifest's own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVariant {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    pub(super) about: String,
    pub(super) features: Option<Vec<Feature>>,
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) arguments: Option<Vec<Spanned<String>>>,
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) validate: Option<Vec<Spanned<String>>>,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<RawFile>,
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) known: Option<RawGaps>,
    /// What holds of some versions of this one only, besides what holds of them all.
    #[serde(default, rename = "version")]
    #[schemars(with = "Vec<RawEdition>")]
    pub(super) editions: Vec<Spanned<RawEdition>>,
    #[serde(default, rename = "hint")]
    #[schemars(with = "Vec<Hint>")]
    pub(super) hints: Vec<Spanned<Hint>>,
}
