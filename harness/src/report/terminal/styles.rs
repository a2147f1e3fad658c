//! What is coloured, by role.

use anstyle::Style;

/// One style for each role that a piece of text can have; plain unless somebody colours them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Styles {
    /// Something that holds.
    pub pass: Style,
    /// Something that does not.
    pub fail: Style,
    /// A gap that is listed.
    pub known: Style,
    /// Something that was not asked.
    pub skip: Style,
    /// Something that could not be asked.
    pub broken: Style,
    /// Files and ids.
    pub path: Style,
    /// What to change.
    pub hint: Style,
    /// Numbers that count.
    pub count: Style,
    /// What can be passed over in a first reading.
    pub quiet: Style,
}

/// Text in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
