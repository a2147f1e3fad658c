use serde::Serialize;

use super::config::Config;
use crate::decision::{Comparison, Difference, Proof, target_of};
use crate::location::{Match, Table};
use crate::printable::Printable;

/// A class of paths for which two tables disagree.
#[derive(Clone, Debug, Serialize)]
pub struct Class {
    /// The shortest target that shows it.
    pub target: String,
    /// What was wanted, or held before.
    pub wanted: String,
    /// What happens, or holds now.
    pub found: String,
    /// The location that decides it, as written; `None` if none does.
    pub location: Option<String>,
    /// `file:line` of that location.
    pub place: Option<String>,
    /// Targets of further classes that go wrong alike.
    pub also: Vec<String>,
    /// How many classes go wrong alike, this one included.
    pub classes: usize,
    /// The host it holds for; `None` for all hosts no server is named for.
    pub host: Option<String>,
}

/// How far a report is a proof.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proved {
    /// Every path was decided.
    Complete {
        /// How many classes of paths there are.
        classes: usize,
    },
    /// Some paths were only tried.
    Sampled {
        /// How many.
        paths: usize,
        /// The expressions that are not regular, with what is not.
        expressions: Vec<String>,
    },
    /// There were too many classes to follow.
    TooLarge {
        /// How many were followed.
        classes: usize,
    },
}

impl Proved {
    pub(super) fn of(comparison: &Comparison) -> Self {
        match &comparison.proof {
            Proof::Complete => Self::Complete {
                classes: comparison.classes,
            },
            Proof::TooLarge { classes } => Self::TooLarge { classes: *classes },
            Proof::Sampled { irregular, paths } => Self::Sampled {
                paths: *paths,
                expressions: irregular
                    .iter()
                    .map(|(pattern, reason)| format!("{pattern} ({reason})"))
                    .collect(),
            },
        }
    }

    /// One line, or none if there is nothing to add.
    pub(super) fn caveat(&self) -> Option<String> {
        match self {
            Self::Complete { .. } => None,
            Self::Sampled { paths, expressions } => Some(format!(
                "only tried, with {paths} paths, where these decide: {}",
                expressions.join(", ")
            )),
            Self::TooLarge { classes } => {
                Some(format!("not proved: more than {classes} classes of paths"))
            }
        }
    }

    /// Whether every path was decided.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }
}

/// Which table of a comparison is the one to point at.
pub(super) struct Side<'a> {
    pub(super) config: &'a Config,
    pub(super) table: &'a Table,
    pub(super) host: Option<&'a str>,
}

/// A difference, taken apart by the locations that decide it.
pub(super) fn classes(
    difference: &Difference,
    wanted: &str,
    found: &str,
    side: &Side<'_>,
) -> Vec<Class> {
    let mut classes: Vec<(Match, Class)> = Vec::new();
    for path in std::iter::once(&difference.path).chain(&difference.also) {
        let Ok(decides) = side.table.find(path) else {
            continue;
        };
        let target = Printable(&target_of(path)).to_string();
        match classes.iter_mut().find(|(known, _)| *known == decides) {
            Some((_, class)) => {
                class.also.push(target);
                class.classes += 1;
            }
            None => classes.push((decides, side.class(decides, target, wanted, found))),
        }
    }
    let counted: usize = classes.iter().map(|(_, class)| class.classes).sum();
    if let Some((_, first)) = classes.first_mut() {
        first.classes += difference.classes.saturating_sub(counted);
    }
    classes.into_iter().map(|(_, class)| class).collect()
}

impl Side<'_> {
    fn class(&self, decides: Match, target: String, wanted: &str, found: &str) -> Class {
        let location = match decides {
            Match::Location(id) | Match::SlashRedirect(id) => Some(self.table.location(id)),
            Match::Server => None,
        };
        Class {
            target,
            wanted: wanted.to_owned(),
            found: found.to_owned(),
            location: location.map(|location| location.notation.to_string()),
            place: location
                .and_then(|location| location.place)
                .map(|place| self.config.line(place)),
            also: Vec::new(),
            classes: 1,
            host: self.host.map(str::to_owned),
        }
    }
}

impl Class {
    pub(super) fn text(&self, verbs: (&str, &str)) -> String {
        let place = match (&self.place, &self.location) {
            (Some(place), Some(location)) => format!("     {place} `location {location}`"),
            _ if self.host.is_none() => "     (hosts no server is named for)".to_owned(),
            _ => String::new(),
        };
        let mut text = format!(
            "  {}     {} {}, {} {}{place}\n",
            self.target, verbs.0, self.wanted, verbs.1, self.found
        );
        if !self.also.is_empty() {
            let more = self.classes.saturating_sub(1 + self.also.len());
            let more = if more > 0 {
                format!(", and {more} more")
            } else {
                String::new()
            };
            text.push_str(&format!("      also: {}{more}\n", self.also.join(", ")));
        }
        text
    }
}

pub(super) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain values are JSON");
    text.push('\n');
    text
}

pub(super) fn json_line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("plain values are JSON");
    text.push('\n');
    text
}
