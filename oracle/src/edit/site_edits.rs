use std::collections::BTreeMap;

use super::addition::{AddedDirective, Addition};
use super::error::EditError;
use crate::conf::{Block, Body, Directive, Edits, Found, Span, Tree, quoted};
use crate::location::{Place, Site};
use crate::setting::Scope;

/// Changes to the files of a configuration that leave every byte they do not name alone.
///
/// A file that is included in several places is changed for all of them.
#[derive(Clone, Debug)]
pub struct SiteEdits<'a> {
    pub(super) tree: &'a Tree,
    pub(super) site: &'a Site,
    files: BTreeMap<usize, Edits<'a>>,
    pub(super) additions: Vec<Addition>,
}

/// A file with its changes made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EditedFile {
    /// Index of the file in the tree.
    pub file: usize,
    /// Its name in the tree.
    pub name: String,
    /// The new text.
    pub text: Vec<u8>,
}

impl<'a> SiteEdits<'a> {
    /// No changes yet, to a site that was read from this tree.
    pub fn new(tree: &'a Tree, site: &'a Site) -> Self {
        Self {
            tree,
            site,
            files: BTreeMap::new(),
            additions: Vec::new(),
        }
    }

    /// Gives a directive other arguments where it stands in a server or location itself, or writes it there.
    ///
    /// For directives whose inner value replaces the outer one; for those that make a list see
    /// [`Self::add_to_list`].
    ///
    /// # Errors
    ///
    /// A scope that is none.
    pub fn set(
        &mut self,
        scope: Scope,
        name: &str,
        arguments: &[&[u8]],
    ) -> Result<&mut Self, EditError> {
        let own = self.site.settings_in(scope).iter().rev();
        match own.into_iter().find(|setting| setting.name == name) {
            Some(setting) => self.set_arguments(setting.place, arguments)?,
            None => {
                self.block(scope)?;
                match self.addition(scope, name) {
                    Some(addition) => {
                        addition.directives = vec![AddedDirective::new(name, arguments)]
                    }
                    None => self.additions.push(Addition {
                        scope,
                        name: name.to_owned(),
                        after: None,
                        directives: vec![AddedDirective::new(name, arguments)],
                    }),
                }
            }
        }
        Ok(self)
    }

    /// Takes every directive of that name out of a server or location itself: what is around it holds then.
    ///
    /// # Errors
    ///
    /// A scope that is none.
    pub fn remove(&mut self, scope: Scope, name: &str) -> Result<&mut Self, EditError> {
        self.block(scope)?;
        self.additions
            .retain(|addition| addition.scope != scope || addition.name != name);
        let own = self.site.settings_in(scope).iter();
        for setting in own.filter(|setting| setting.name == name) {
            let directive = self.directive(setting.place)?;
            self.file(setting.place.file).remove(directive);
        }
        Ok(self)
    }

    /// Writes a directive of an `upstream` block, or gives it other arguments (`keepalive 16`).
    ///
    /// # Errors
    ///
    /// A group that is none.
    pub fn set_in_upstream(
        &mut self,
        upstream: usize,
        name: &str,
        arguments: &[&[u8]],
    ) -> Result<&mut Self, EditError> {
        let no_such = EditError::NoSuch { what: "upstream" };
        let group = self.site.upstreams.get(upstream).ok_or(no_such)?;
        match group.setting(name) {
            Some(setting) => self.set_arguments(setting.place, arguments)?,
            None => {
                let Body::Block(block) = &self.directive(group.place)?.body else {
                    return Err(EditError::NoSuch { what: "upstream" });
                };
                // A method of balancing must stand before `keepalive`, and that after the servers.
                let text = line(name, arguments);
                match block.directives.last() {
                    Some(last) => self.file(group.place.file).insert_after(last, &text),
                    None => self.file(group.place.file).insert_into(block, &text),
                };
            }
        }
        Ok(self)
    }

    /// Adds a parameter to a directive (`max_fails=0` to a `server` of a group, `proxy_protocol` to a `listen`), in
    /// place of one with the same name before the `=`.
    ///
    /// # Errors
    ///
    /// A place without a directive.
    pub fn add_parameter(&mut self, place: Place, parameter: &str) -> Result<&mut Self, EditError> {
        let directive = self.directive(place)?;
        let key = |text: &[u8]| text.split(|byte| *byte == b'=').next().map(<[u8]>::to_vec);
        let parameters = directive.arguments().iter().skip(1);
        let same = parameters
            .into_iter()
            .find(|word| key(word.value()) == key(parameter.as_bytes()));
        let written = quoted(parameter.as_bytes());
        match same {
            Some(word) => self.file(place.file).replace(word.span, written),
            None => {
                let at = Span::at(place.span.end as usize);
                self.file(place.file)
                    .replace(at, [b" ".as_slice(), &written].concat())
            }
        };
        Ok(self)
    }

    /// Adds a `map` in `http`, before its servers. Nothing is done if a `map` already gives that variable its value.
    ///
    /// # Errors
    ///
    /// Files that have no `server` and no `http`.
    pub fn add_map(
        &mut self,
        source: &str,
        variable: &str,
        entries: &[(&str, &str)],
    ) -> Result<&mut Self, EditError> {
        let name = variable.trim_start_matches('$').to_ascii_lowercase();
        if !self.site.map_values(&name).is_empty() {
            return Ok(self);
        }
        let word = |text: &str| String::from_utf8_lossy(&quoted(text.as_bytes())).into_owned();
        let mut text = format!("map {} ${name} {{\n", word(source));
        for (key, value) in entries {
            text.push_str(&format!("\t{} {};\n", word(key), word(value)));
        }
        text.push('}');
        self.insert_in_http(&text)?;
        Ok(self)
    }

    /// The files that change, with their new text, in the order of the tree.
    pub fn apply(&self) -> Vec<EditedFile> {
        // Each scope and place was looked up when its change was made.
        let edits = self.with_additions().unwrap_or_else(|_| self.clone());
        let changed = edits.files.iter().filter(|(_, edits)| !edits.is_empty());
        changed
            .map(|(file, edits)| EditedFile {
                file: *file,
                name: self.tree.name(*file).to_owned(),
                text: edits.apply(),
            })
            .collect()
    }

    pub(super) fn file(&mut self, file: usize) -> &mut Edits<'a> {
        let document = self.tree.document(file);
        self.files
            .entry(file)
            .or_insert_with(|| Edits::new(document))
    }

    pub(super) fn directive(&self, place: Place) -> Result<&'a Directive, EditError> {
        let found = self.tree.directive_at(place.file, place.span);
        found.ok_or(EditError::NoSuch { what: "directive" })
    }

    pub(super) fn set_arguments(
        &mut self,
        place: Place,
        arguments: &[&[u8]],
    ) -> Result<(), EditError> {
        let directive = self.directive(place)?;
        let text = words(arguments);
        let name_end = directive
            .words
            .first()
            .map_or(place.span.start, |name| name.span.end);
        match directive.arguments().first() {
            Some(first) => {
                let span = first.span.to(place.span);
                let span = Span::new(first.span.start as usize, span.end as usize);
                self.file(place.file).replace(span, text)
            }
            None => {
                let at = Span::at(name_end as usize);
                self.file(place.file).replace(at, format!(" {text}"))
            }
        };
        Ok(())
    }

    /// Writes a line into the block of a server or location.
    pub(super) fn insert(&mut self, scope: Scope, text: &str) -> Result<(), EditError> {
        match self.block(scope)? {
            (file, Some(block)) => self.file(file).insert_into(block, text),
            // A server that is a file's own text, without a block around it.
            (file, None) => {
                let document = self.tree.document(file);
                let first = document.directives().first();
                let first = first.ok_or(EditError::NoSuch { what: "server" })?;
                self.file(file).insert_before(first, text)
            }
        };
        Ok(())
    }

    pub(super) fn block(&self, scope: Scope) -> Result<(usize, Option<&'a Block>), EditError> {
        let no_such = |what| move || EditError::NoSuch { what };
        let server = self.site.servers.get(scope.server);
        let server = server.ok_or_else(no_such("server"))?;
        let place = match scope.location {
            None => server.place,
            Some(id) => {
                let location = server.table.locations().nth(id.index());
                let place = location.and_then(|(_, location)| location.place);
                place.ok_or_else(no_such("location"))?
            }
        };
        let directive = self.directive(place)?;
        let is_block = scope.location.is_some() || directive.is("server");
        match &directive.body {
            Body::Block(block) if is_block => Ok((place.file, Some(block))),
            _ => Ok((place.file, None)),
        }
    }

    fn insert_in_http(&mut self, text: &str) -> Result<(), EditError> {
        let top = self.tree.top();
        let http = top.iter().find(|found| found.directive.is("http"));
        let is_server = |found: &&Found<'a>| found.directive.is("server");
        let inside = http.map_or_else(|| top.clone(), |http| self.tree.children(*http));
        let server = inside.iter().find(is_server).copied();
        match (http, server) {
            // An included file holds one site; what is for all stands in the file of `http`.
            (Some(http), Some(server)) if server.file == http.file => {
                self.insert_block_before(server, text);
            }
            (Some(http), _) => {
                let Body::Block(block) = &http.directive.body else {
                    return Err(EditError::NoSuch { what: "http" });
                };
                self.file(http.file).insert_into(block, text);
            }
            (None, Some(server)) => self.insert_block_before(server, text),
            (None, None) => {
                let what = text.split(' ').next().unwrap_or_default().to_owned();
                return Err(EditError::NoPlace { what });
            }
        }
        Ok(())
    }

    fn insert_block_before(&mut self, found: Found<'a>, text: &str) {
        let directive = found.directive;
        self.file(found.file).insert_before(directive, text);
    }
}

/// A directive as it is written.
pub(super) fn line(name: &str, arguments: &[&[u8]]) -> String {
    match arguments {
        [] => format!("{name};"),
        _ => format!("{name} {};", words(arguments)),
    }
}

fn words(arguments: &[&[u8]]) -> String {
    let words: Vec<_> = arguments.iter().map(|word| quoted(word)).collect();
    String::from_utf8_lossy(&words.join(&b' ')).into_owned()
}
