use std::sync::Arc;

use super::inherited::Inherited;
use super::listen_reader::implied_listen;
use super::owner::Owner;
use super::place::Place;
use super::rewrite::Script;
use super::script_reader::{is_script, read_instruction};
use super::server::{Protocol, Server};
use super::settings::Settings;
use super::site::{Site, SiteError, SiteProblem};
use super::table::{Access, LocationId, Table, TableBuilder, TableError};
use crate::conf::{Body, Found, Tree};
use crate::directive::Context;
use crate::setting::{BlockId, settings_of};
use crate::upstream::Upstream;

/// Reads a [`Site`] out of a tree of files, collecting every error.
pub(crate) struct Reader<'a> {
    pub(super) tree: &'a Tree,
    pub(super) site: Site,
    errors: Vec<SiteError>,
}

/// The blocks around a location under construction.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) parent: Option<LocationId>,
    pub(super) settings: Arc<Settings>,
    pub(super) block: BlockId,
    /// `internal`, which locations inside take over.
    pub(super) access: Access,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self {
            tree,
            site: Site::default(),
            errors: Vec::new(),
        }
    }

    pub(crate) fn read(mut self) -> Result<Site, Vec<SiteError>> {
        let top = self.tree.top();
        let http: Vec<_> = top
            .iter()
            .filter(|found| found.directive.is("http"))
            .copied()
            .collect();
        if http.is_empty() {
            self.http(&top, None);
        } else {
            let main = self.site.blocks.add(None, Context::Main, &top);
            for block in http {
                let children = self.tree.children(block);
                self.http(&children, Some(main));
            }
        }
        if self.site.servers.is_empty() {
            let whole = top.iter().any(|found| found.directive.is("location"));
            match top.first() {
                Some(first) if whole => {
                    let block = self.site.blocks.add(None, Context::Server, &top);
                    self.server(*first, &top, &Inherited::default(), block);
                }
                first => {
                    let place = first.map_or_else(Place::default, |first| place(*first));
                    self.error(place, SiteProblem::NoServer);
                }
            }
        }
        self.errors.sort_by_key(|error| error.place);
        match self.errors.is_empty() {
            true => Ok(self.site),
            false => Err(self.errors),
        }
    }

    pub(super) fn error(&mut self, place: Place, problem: SiteProblem) {
        self.errors.push(SiteError { problem, place });
    }

    fn http(&mut self, directives: &[Found<'a>], main: Option<BlockId>) {
        let inherited = Inherited::default().with(directives);
        let http = self.site.blocks.add(main, Context::Http, directives);
        for found in directives {
            match found.directive.name() {
                b"server" => {
                    if let Some(children) = self.block(*found) {
                        let block = self.block_inside(http, Context::Server, &children);
                        self.server(*found, &children, &inherited, block);
                    }
                }
                b"upstream" => self.upstream(*found),
                b"map" => self.map(*found),
                b"geo" | b"split_clients" => self.choice(*found),
                _ => {}
            }
        }
    }

    pub(super) fn block(&mut self, found: Found<'a>) -> Option<Vec<Found<'a>>> {
        if let Body::Simple(_) = found.directive.body {
            self.error(
                place(found),
                SiteProblem::NoBlock {
                    directive: name(found),
                },
            );
            return None;
        }
        Some(self.tree.children(found))
    }

    fn upstream(&mut self, found: Found<'a>) {
        let Some(children) = self.block(found) else {
            return;
        };
        let Some(first) = found.directive.arguments().first() else {
            return self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
        };
        let settings = settings_of(&children, Context::Upstream);
        let name = first.text().into_owned();
        let upstream = Upstream::new(name, settings, place(found));
        self.site.upstreams.push(upstream);
    }

    /// Keeps what is set in a block, and in the `if` and `limit_except` blocks directly in it.
    pub(super) fn block_inside(
        &mut self,
        parent: BlockId,
        context: Context,
        children: &[Found<'a>],
    ) -> BlockId {
        let block = self.site.blocks.add(Some(parent), context, children);
        for child in children {
            let inner = match (child.directive.name(), context) {
                (b"if", Context::Server) => Context::ServerIf,
                (b"if", _) => Context::If,
                (b"limit_except", _) => Context::LimitExcept,
                _ => continue,
            };
            let inside = self.tree.children(*child);
            self.block_inside(block, inner, &inside);
        }
        block
    }

    fn server(
        &mut self,
        found: Found<'a>,
        children: &[Found<'a>],
        inherited: &Inherited,
        block: BlockId,
    ) {
        let inherited = inherited.clone().with(children);
        let mut table = TableBuilder::new().merge_slashes(inherited.merge_slashes);
        let http2 = inherited.http2;
        let settings = Arc::new(inherited.settings);
        let mut script = Script::default();
        let (mut listens, mut names) = (Vec::new(), Vec::new());
        let surroundings = Surroundings {
            parent: None,
            settings: Arc::clone(&settings),
            block,
            access: Access::Everyone,
        };
        for child in children {
            match child.directive.name() {
                b"location" => self.location(*child, &surroundings, &mut table),
                b"listen" => listens.extend(self.listen(*child)),
                b"server_name" => self.names(*child, &mut names),
                _ => self.instruction(*child, &mut script),
            }
        }
        if http2 {
            listens
                .iter_mut()
                .for_each(|listen| listen.protocol = Protocol::Http2);
        }
        if listens.is_empty() {
            listens.push(implied_listen());
        }
        match table.build() {
            Ok(table) => self.site.servers.push(Server {
                table: Table {
                    always: script
                        .unconditional_return()
                        .map(|answer| Owner::Status(answer.status)),
                    ..table
                },
                listens,
                names,
                place: place(found),
                script,
                settings,
                block,
            }),
            Err(errors) => self.table_errors(errors, place(found)),
        }
    }

    fn table_errors(&mut self, errors: Vec<TableError>, server: Place) {
        for error in errors {
            self.error(error.place().unwrap_or(server), SiteProblem::Table(error));
        }
        // So that "no server" is not reported on top.
        if self.site.servers.is_empty() {
            self.site.servers.push(Server {
                listens: Vec::new(),
                names: Vec::new(),
                table: Table::default(),
                place: server,
                script: Script::default(),
                settings: Arc::default(),
                block: BlockId::default(),
            });
        }
    }

    pub(super) fn instruction(&mut self, found: Found<'a>, script: &mut Script) {
        if is_script(found.directive.name()) {
            match read_instruction(self, found) {
                Ok(instruction) => script.instructions.push(instruction),
                Err(problem) => self.error(place(found), problem),
            }
        }
    }

    pub(super) fn children(&self, found: Found<'a>) -> Vec<Found<'a>> {
        self.tree.children(found)
    }

    pub(super) fn body(&mut self, children: &[Found<'a>], script: &mut Script) {
        for child in children {
            self.instruction(*child, script);
        }
    }
}

pub(super) fn name(found: Found<'_>) -> String {
    String::from_utf8_lossy(found.directive.name()).into_owned()
}

pub(super) fn place(found: Found<'_>) -> Place {
    Place {
        file: found.file,
        span: found.directive.head(),
    }
}
