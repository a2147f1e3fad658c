use super::place::Place;
use super::regex::Regex;
use super::template::Template;

/// One `map` block: a variable computed from another text.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) variable: String,
    pub(crate) source: Template,
    pub(crate) entries: Vec<MapEntry>,
    pub(crate) default: Template,
    pub(crate) form: MapForm,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct MapEntry {
    pub(crate) key: MapKey,
    pub(crate) value: Template,
}

#[derive(Clone, Debug)]
pub(crate) enum MapKey {
    /// Compared without regard to letter case, as `map` does.
    Text(Vec<u8>),
    Regex(Regex),
}

/// Whether the entries are what this oracle reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MapForm {
    Plain,
    /// `hostnames`, or an `include` inside.
    Other,
}
