//! What a site wants, and who says so: [`Promise`], [`Source`].

use std::fmt;

use serde::Serialize;

use crate::level::Level;

/// Something that a site wants of its proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise<T> {
    /// What is wanted.
    pub value: T,
    /// Who says so.
    pub source: Source,
}

/// Who wants something of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The deployment says it.
    Deployment,
    /// The user's own configuration says it, at this place (`site.conf:9`).
    File(String),
    /// A program of this kind loses answers without it.
    Kind(String),
    /// Nobody says it; sites like this one are better with it.
    GoodPractice,
}

impl<T> Promise<T> {
    /// Of a deployment.
    pub(crate) fn of_deployment(value: T) -> Self {
        Self {
            value,
            source: Source::Deployment,
        }
    }
}

impl Source {
    /// How much a claim matters at most that rests on this.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Deployment | Self::File(_) | Self::Kind(_) => Level::Required,
            Self::GoodPractice => Level::Recommended,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployment => formatter.write_str("the deployment"),
            Self::File(place) => formatter.write_str(place),
            Self::Kind(name) => write!(formatter, "what {name} needs"),
            Self::GoodPractice => formatter.write_str("good practice"),
        }
    }
}
