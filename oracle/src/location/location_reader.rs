use std::sync::Arc;

use super::action::{Action, Handler, ProxyPass, is_handler};
use super::inherited::{Inherited, changes_settings};
use super::normalise::MergeSlashes;
use super::notation::{Modifier, Notation};
use super::reader::{Reader, Surroundings, name, place};
use super::script_reader::is_script;
use super::site::SiteProblem;
use super::table::{Access, Location, TableBuilder};
use super::template::Template;
use super::try_files::TryFiles;
use crate::conf::{Body, Found, quoted};
use crate::directive::Context;

impl<'a> Reader<'a> {
    pub(super) fn location(
        &mut self,
        found: Found<'a>,
        surroundings: &Surroundings,
        table: &mut TableBuilder,
    ) {
        let words: Vec<&[u8]> = found
            .directive
            .arguments()
            .iter()
            .map(|word| word.value())
            .collect();
        let notation = match Notation::from_words(&words) {
            Ok(notation) => notation,
            Err(error) => return self.error(place(found), error.into()),
        };
        let Some(children) = self.block(found) else {
            return;
        };
        if let Some(problem) = misplaced(&notation, surroundings, table) {
            return self.error(place(found), problem);
        }
        let inherited = Inherited {
            settings: (*surroundings.settings).clone(),
            merge_slashes: MergeSlashes::On,
            http2: false,
        };
        let settings = match changes_settings(&children) {
            true => Arc::new(inherited.with(&children).settings),
            false => Arc::clone(&surroundings.settings),
        };
        let mut location = Location::new(notation, Action::Files);
        location.place = Some(place(found));
        location.parent = surroundings.parent;
        location.access = surroundings.access;
        if children.iter().any(|child| child.directive.is("internal")) {
            location.access = Access::Internal;
        }
        let access = location.access;
        location.settings = Arc::clone(&settings);
        let block = self.block_inside(surroundings.block, Context::Location, &children);
        location.block = block;
        let id = table.push(location);
        let inner = Surroundings {
            parent: Some(id),
            settings,
            block,
            access,
        };
        for child in &children {
            match child.directive.name() {
                b"location" => self.location(*child, &inner, table),
                _ => self.location_directive(*child, table.location_mut(id)),
            }
        }
    }

    fn location_directive(&mut self, found: Found<'a>, location: &mut Location) {
        match found.directive.name() {
            b"try_files" => {
                location.try_files = found.directive.arguments().last().map(|last| TryFiles {
                    last: Template::parse(last.value()),
                    place: place(found),
                });
                self.note_script(found, location);
            }
            b"proxy_pass" => {
                let is_second = matches!(location.action, Action::Proxy(_));
                let takes_uri = matches!(
                    location.notation.modifier,
                    Modifier::Exact | Modifier::Prefix | Modifier::PrefixFinal
                );
                if is_second {
                    return self.error(
                        place(found),
                        SiteProblem::Duplicate {
                            directive: name(found),
                        },
                    );
                }
                if let Some(action) = self.proxy_pass(found, takes_uri) {
                    location.action = action;
                }
            }
            handler if is_handler(handler) => location.action = self.handler(found),
            _ => {
                if is_script(found.directive.name()) {
                    self.note_script(found, location);
                }
                self.instruction(found, &mut location.script);
            }
        }
    }

    /// Words as the shortest that mean the same, so that `''` and `""` are no difference.
    fn note_script(&self, found: Found<'a>, location: &mut Location) {
        let text = self.normal_text(found);
        location.script_text.push_str(&text);
        location.script_text.push('\n');
    }

    fn normal_text(&self, found: Found<'a>) -> String {
        let directive = found.directive;
        let words = directive.words.iter().map(|word| quoted(word.value()));
        let words = words.collect::<Vec<_>>().join(&b' ');
        let mut text = String::from_utf8_lossy(&words).into_owned();
        match &directive.body {
            Body::Simple(_) => text.push(';'),
            Body::Raw(raw) => {
                let inside = self.tree.document(found.file).raw(raw.inside);
                text.push_str(&format!(" {{{}}}", String::from_utf8_lossy(inside)));
            }
            Body::Block(_) => {
                let children = self.tree.children(found).into_iter();
                let inside: Vec<_> = children.map(|child| self.normal_text(child)).collect();
                text.push_str(&format!(" {{ {} }}", inside.join(" ")));
            }
        }
        text
    }

    pub(super) fn action(&mut self, found: Found<'a>) -> Option<Action> {
        match found.directive.name() {
            b"proxy_pass" => self.proxy_pass(found, false),
            handler if is_handler(handler) => Some(self.handler(found)),
            _ => None,
        }
    }

    fn proxy_pass(&mut self, found: Found<'a>, takes_uri: bool) -> Option<Action> {
        let [url] = found.directive.arguments() else {
            self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
            return None;
        };
        match ProxyPass::parse(url.value(), Some(place(found))) {
            Ok(pass) if pass.uri.is_some() && pass.template.is_none() && !takes_uri => {
                self.error(place(found), SiteProblem::UriPart);
                None
            }
            Ok(pass) => Some(Action::Proxy(pass)),
            Err(error) => {
                self.error(place(found), error.into());
                None
            }
        }
    }

    fn handler(&self, found: Found<'a>) -> Action {
        let arguments: Vec<_> = found
            .directive
            .arguments()
            .iter()
            .map(|word| word.text())
            .collect();
        Action::Handler(Handler {
            directive: name(found),
            arguments: arguments.join(" "),
        })
    }
}

/// Why a location may not stand where it does: `ngx_http_core_location`.
fn misplaced(
    inner: &Notation,
    surroundings: &Surroundings,
    table: &mut TableBuilder,
) -> Option<SiteProblem> {
    let outer = table.location_mut(surroundings.parent?).notation.clone();
    let is_closed = matches!(outer.modifier, Modifier::Exact | Modifier::Named);
    if is_closed || inner.modifier == Modifier::Named {
        let inner = inner.clone();
        return Some(SiteProblem::Inside { inner, outer });
    }
    if !inner.modifier.is_regex() && !inner.text.starts_with(&outer.text) {
        let inner = inner.clone();
        return Some(SiteProblem::Outside { inner, outer });
    }
    None
}
