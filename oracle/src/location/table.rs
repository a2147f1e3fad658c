use std::sync::Arc;

use super::action::{Action, Handler};
use super::index::{Entrance, EntranceKind, StaticIndex};
use super::normalise::MergeSlashes;
use super::notation::{Modifier, Notation};
use super::owner::Owner;
use super::place::Place;
use super::regex::{Regex, RegexCase, RegexError};
use super::rewrite::Script;
use super::settings::Settings;
use super::try_files::TryFiles;
use crate::setting::BlockId;

/// A location of a [`Table`]: its number in the order of the configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LocationId(pub(crate) u32);

impl LocationId {
    pub(crate) fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its place among the locations, counted from 0 in the order they were written or added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The locations of one server, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(crate) locations: Vec<Location>,
    pub(crate) root: Level,
    pub(crate) merge_slashes: MergeSlashes,
    /// Who answers every request before a location is looked for: a `return` of the server itself.
    pub(crate) always: Option<Owner>,
}

/// One location with what it does.
#[derive(Clone, Debug)]
pub struct Location {
    /// How it is written.
    pub notation: Notation,
    /// What answers in it.
    pub action: Action,
    /// Where it is written; a deployment's routes have no place here.
    pub place: Option<Place>,
    /// Whether only internal redirects reach it.
    pub access: Access,
    pub(crate) parent: Option<LocationId>,
    pub(crate) regex: Option<Regex>,
    pub(crate) script: Script,
    /// The directives of the script and `try_files` as written, to compare them with others.
    pub(crate) script_text: String,
    /// `try_files`, which asks the file system.
    pub(crate) try_files: Option<TryFiles>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) block: BlockId,
    pub(crate) level: Level,
}

/// Who reaches a location.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Access {
    /// Every request.
    #[default]
    Everyone,
    /// Only internal redirects (`internal`): a request gets 404.
    Internal,
}

/// The locations directly in a server or in a location.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub(crate) statics: StaticIndex,
    /// In the order of the file.
    pub(crate) regexes: Vec<LocationId>,
    pub(crate) named: Vec<LocationId>,
}

/// Why locations do not make a table.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Two exact or two prefix locations (`^~` or not) with one text.
    #[error("duplicate location `{location}`")]
    Duplicate {
        /// The later of the two.
        location: Notation,
        /// Where it is.
        place: Option<Place>,
    },
    /// An expression PCRE2 refuses.
    #[error("{error}")]
    Regex {
        /// The reason.
        error: RegexError,
        /// Where it is.
        place: Option<Place>,
    },
}

impl TableError {
    /// Where it is; a deployment's routes have no place here.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Duplicate { place, .. } | Self::Regex { place, .. } => *place,
        }
    }
}

/// A table under construction: locations in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct TableBuilder {
    locations: Vec<Location>,
    errors: Vec<TableError>,
    merge_slashes: MergeSlashes,
}

impl TableBuilder {
    /// Without locations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether slashes are merged before locations are compared.
    pub fn merge_slashes(mut self, merge_slashes: MergeSlashes) -> Self {
        self.merge_slashes = merge_slashes;
        self
    }

    /// Adds a location at the top whose requests an upstream gets.
    pub fn route(mut self, notation: Notation, upstream: &str) -> Self {
        self.push(Location::new(notation, Action::to_upstream(upstream)));
        self
    }

    /// Adds a location whose requests go to no upstream.
    pub fn answer(mut self, notation: Notation) -> Self {
        self.push(Location::new(notation, Action::Files));
        self
    }

    /// Adds a location inside another, and says its number.
    #[cfg(feature = "strategy")]
    pub(crate) fn route_inside(
        mut self,
        parent: Option<LocationId>,
        notation: Notation,
        upstream: &str,
    ) -> (Self, LocationId) {
        let mut location = Location::new(notation, Action::to_upstream(upstream));
        location.parent = parent;
        let id = self.push(location);
        (self, id)
    }

    pub(crate) fn push(&mut self, mut location: Location) -> LocationId {
        let letter_case = match location.notation.modifier {
            Modifier::Regex => Some(RegexCase::Exact),
            Modifier::RegexAnyCase => Some(RegexCase::Ignored),
            _ => None,
        };
        if let Some(letter_case) = letter_case {
            match Regex::new(&location.notation.text, letter_case) {
                Ok(regex) => location.regex = Some(regex),
                Err(error) => self.errors.push(TableError::Regex {
                    error,
                    place: location.place,
                }),
            }
        }
        let id = LocationId(
            u32::try_from(self.locations.len()).expect("fewer than four billion locations"),
        );
        self.locations.push(location);
        id
    }

    pub(crate) fn location_mut(&mut self, id: LocationId) -> &mut Location {
        &mut self.locations[id.0 as usize]
    }

    /// Sorts the locations.
    ///
    /// # Errors
    ///
    /// Every duplicate and every bad expression.
    pub fn build(self) -> Result<Table, Vec<TableError>> {
        let Self {
            mut locations,
            mut errors,
            merge_slashes,
        } = self;
        let mut levels: Vec<(Option<LocationId>, Members)> = vec![(None, Members::default())];
        let mut level_of: Vec<Option<usize>> = vec![None; locations.len()];
        for (number, location) in (0_u32..).zip(&locations) {
            let level = match location.parent {
                None => 0,
                Some(parent) => *level_of[parent.0 as usize].get_or_insert_with(|| {
                    levels.push((Some(parent), Members::default()));
                    levels.len() - 1
                }),
            };
            levels[level].1.add(LocationId(number), location);
        }
        let mut root = Level::default();
        for (owner, members) in levels {
            let level = members.level(&locations, &mut errors);
            match owner {
                None => root = level,
                Some(parent) => locations[parent.0 as usize].level = level,
            }
        }
        match errors.is_empty() {
            true => Ok(Table {
                locations,
                root,
                merge_slashes,
                always: None,
            }),
            false => Err(errors),
        }
    }
}

/// The locations of one level, by kind.
#[derive(Default)]
struct Members {
    statics: Vec<(LocationId, EntranceKind)>,
    regexes: Vec<LocationId>,
    named: Vec<LocationId>,
}

impl Members {
    fn add(&mut self, id: LocationId, location: &Location) {
        match location.notation.modifier {
            Modifier::Exact => self.statics.push((id, EntranceKind::Exact)),
            Modifier::Prefix | Modifier::PrefixFinal => {
                self.statics.push((id, EntranceKind::Prefix))
            }
            Modifier::Regex | Modifier::RegexAnyCase => self.regexes.push(id),
            Modifier::Named => self.named.push(id),
        }
    }

    fn level(self, locations: &[Location], errors: &mut Vec<TableError>) -> Level {
        let entrances = self.statics.iter().map(|(id, kind)| {
            let location = &locations[id.0 as usize];
            Entrance {
                name: &location.notation.text,
                id: *id,
                kind: *kind,
                slash_redirect: location.redirects_to_slash(),
            }
        });
        let statics = StaticIndex::build(entrances.collect()).unwrap_or_else(|duplicates| {
            errors.extend(duplicates.into_iter().map(|id| {
                let location = &locations[id.0 as usize];
                TableError::Duplicate {
                    location: location.notation.clone(),
                    place: location.place,
                }
            }));
            StaticIndex::default()
        });
        Level {
            statics,
            regexes: self.regexes,
            named: self.named,
        }
    }
}

impl Location {
    pub(crate) fn new(notation: Notation, action: Action) -> Self {
        Self {
            notation,
            action,
            place: None,
            access: Access::Everyone,
            parent: None,
            regex: None,
            script: Script::default(),
            script_text: String::new(),
            try_files: None,
            settings: Arc::default(),
            block: BlockId::default(),
            level: Level::default(),
        }
    }

    /// Whether a request for its path without the final slash gets a 301 (`auto_redirect`): its name ends in a slash
    /// and it hands requests on.
    pub fn redirects_to_slash(&self) -> bool {
        self.notation.text.last() == Some(&b'/') && self.action.redirects_to_slash()
    }
}

impl Table {
    /// The locations in the order of the configuration, nested ones after their parent.
    pub fn locations(&self) -> impl ExactSizeIterator<Item = (LocationId, &Location)> {
        let numbered = self.locations.iter().enumerate();
        numbered.map(|(number, location)| {
            (
                LocationId(u32::try_from(number).expect("counted in 32 bits")),
                location,
            )
        })
    }

    /// The same locations, each owned by its own number, so that owners tell which location won.
    pub(crate) fn numbered(&self) -> Self {
        let mut table = self.clone();
        for (number, location) in table.locations.iter_mut().enumerate() {
            location.action = match location.action.redirects_to_slash() {
                true => Action::to_upstream(&number.to_string()),
                false => Action::Handler(Handler {
                    directive: number.to_string(),
                    arguments: String::new(),
                }),
            };
            location.access = Access::Everyone;
            location.script = Script::default();
            location.try_files = None;
        }
        table
    }

    /// The expression of a location.
    pub(crate) fn regex(&self, id: LocationId) -> Option<&Regex> {
        self.location(id).regex.as_ref()
    }

    /// The prefix locations of its level that the text of a location begins with, longest first.
    pub(crate) fn prefixes_around(&self, id: LocationId) -> impl Iterator<Item = LocationId> {
        let location = self.location(id);
        let level = location
            .parent
            .map_or(&self.root, |parent| &self.location(parent).level);
        level.statics.prefixes(&location.notation.text)
    }

    /// All texts that bound a class of paths, at all levels.
    pub(crate) fn points(&self) -> impl Iterator<Item = &[u8]> {
        let nested = self.locations.iter().map(|location| &location.level);
        std::iter::once(&self.root)
            .chain(nested)
            .flat_map(|level| level.statics.points())
    }

    pub(crate) fn root(&self) -> &Level {
        &self.root
    }

    /// A location by its number.
    ///
    /// # Panics
    ///
    /// If the number is another table's.
    pub fn location(&self, id: LocationId) -> &Location {
        &self.locations[id.0 as usize]
    }

    /// Whether `//` becomes `/` before locations are compared.
    pub fn merge_slashes(&self) -> MergeSlashes {
        self.merge_slashes
    }

    /// The location of that name (`@fallback`).
    pub fn named(&self, name: &[u8]) -> Option<LocationId> {
        let named = self.root.named.iter();
        named
            .copied()
            .find(|id| self.location(*id).notation.text == name)
    }
}
