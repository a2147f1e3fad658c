use super::error::EditError;
use super::site_edits::{SiteEdits, line};
use crate::location::Place;
use crate::setting::Scope;

/// Directives of one name that a block gains, written when all changes are known: a second one must see the first.
#[derive(Clone, Debug)]
pub(super) struct Addition {
    pub(super) scope: Scope,
    pub(super) name: String,
    /// The directive they are written after; `None`: where the block has its simple ones.
    pub(super) after: Option<Place>,
    /// Each with its own name: `allow` and `deny` are one list.
    pub(super) directives: Vec<AddedDirective>,
}

#[derive(Clone, Debug)]
pub(super) struct AddedDirective {
    pub(super) name: String,
    pub(super) arguments: Vec<Vec<u8>>,
}

impl Addition {
    /// Adds a directive, in place of one with the same first argument, letter case aside.
    pub(super) fn put(&mut self, arguments: &[&[u8]]) {
        let added = AddedDirective::new(&self.name, arguments);
        let key = |directive: &AddedDirective| {
            let first = directive.arguments.first();
            first.map(|first| first.to_ascii_lowercase())
        };
        let is_same =
            |known: &&mut AddedDirective| known.name == added.name && key(known) == key(&added);
        match self.directives.iter_mut().find(is_same) {
            Some(known) => *known = added,
            None => self.directives.push(added),
        }
    }

    fn text(&self) -> String {
        let lines = self.directives.iter().map(|directive| {
            let arguments: Vec<&[u8]> = directive.arguments.iter().map(Vec::as_slice).collect();
            line(&directive.name, &arguments)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl AddedDirective {
    pub(super) fn new(name: &str, arguments: &[&[u8]]) -> Self {
        Self {
            name: name.to_owned(),
            arguments: arguments.iter().map(|argument| argument.to_vec()).collect(),
        }
    }
}

impl SiteEdits<'_> {
    /// What a block gains of a name so far.
    pub(super) fn addition(&mut self, scope: Scope, name: &str) -> Option<&mut Addition> {
        let mut additions = self.additions.iter_mut();
        additions.find(|addition| addition.scope == scope && addition.name == name)
    }

    /// The same changes with the additions written.
    pub(super) fn with_additions(&self) -> Result<Self, EditError> {
        let mut edits = self.clone();
        for addition in std::mem::take(&mut edits.additions) {
            let text = addition.text();
            match addition.after {
                None => edits.insert(addition.scope, &text)?,
                Some(place) => {
                    let directive = edits.directive(place)?;
                    edits.file(place.file).insert_after(directive, &text);
                }
            }
        }
        Ok(edits)
    }
}
