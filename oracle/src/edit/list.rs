use super::addition::{AddedDirective, Addition};
use super::error::EditError;
use super::site_edits::SiteEdits;
use crate::setting::{Scope, Setting};

impl SiteEdits<'_> {
    /// Adds a field to the requests of a location: a `proxy_set_header`, as [`Self::add_to_list`] adds it.
    ///
    /// # Errors
    ///
    /// A scope that is none.
    pub fn add_field(
        &mut self,
        scope: Scope,
        name: &str,
        value: &[u8],
    ) -> Result<&mut Self, EditError> {
        self.add_to_list(scope, "proxy_set_header", &[name.as_bytes(), value])
    }

    /// Adds a directive to the list in force in a server or location (`proxy_set_header`, `add_header`), in place of
    /// one with the same first argument, letter case aside.
    ///
    /// A block that has none of its own takes the list of the blocks around it; with its first directive it would lose
    /// that, so the directives of the outer list are written into it as well: those of the files, without changes that
    /// are made at the same time.
    ///
    /// # Errors
    ///
    /// A scope that is none.
    pub fn add_to_list(
        &mut self,
        scope: Scope,
        name: &str,
        arguments: &[&[u8]],
    ) -> Result<&mut Self, EditError> {
        let key = arguments.first().copied().unwrap_or_default();
        let is_same = |setting: &Setting| {
            let first = setting.arguments.first();
            setting.name == name && first.is_some_and(|first| first.eq_ignore_ascii_case(key))
        };
        let in_force = self.site.effective(scope, name).settings;
        let here = self.site.settings_in(scope);
        let is_own = |setting: &&Setting| here.iter().any(|one| std::ptr::eq(one, *setting));
        let own: Vec<&Setting> = in_force.iter().copied().filter(is_own).collect();
        if let Some(same) = own.iter().find(|setting| is_same(setting)) {
            self.set_arguments(same.place, arguments)?;
            return Ok(self);
        }
        let copy = |setting: &Setting| AddedDirective {
            name: setting.name.clone(),
            arguments: setting.arguments.clone(),
        };
        self.block(scope)?;
        if let Some(addition) = self.addition(scope, name) {
            addition.put(arguments);
            return Ok(self);
        }
        let copied = match own.is_empty() {
            true => in_force,
            false => Vec::new(),
        };
        let mut addition = Addition {
            scope,
            name: name.to_owned(),
            after: own.last().map(|last| last.place),
            directives: copied.into_iter().map(copy).collect(),
        };
        addition.put(arguments);
        self.additions.push(addition);
        Ok(self)
    }
}
