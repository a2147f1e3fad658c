use std::time::Duration;

use super::block::{Block, BlockId, Setting};
use crate::directive::{self, Context, Definition, Merge};
use crate::location::{LocationId, NginxVersion, Site};

/// A server, or a location of it, to ask about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Scope {
    /// Index of the server in [`Site::servers`].
    pub server: usize,
    /// The location; `None` for what holds in the server outside its locations.
    pub location: Option<LocationId>,
}

/// What is in force of a directive in a [`Scope`].
#[derive(Clone, Debug)]
pub struct Effective<'a> {
    /// What is known about the directive; `None` for one that the table lacks, which is taken to be replaced by inner
    /// blocks.
    pub definition: Option<&'static Definition>,
    /// The directives in force, in the order NGINX reads them. Empty where none is: the default holds.
    ///
    /// Of directives that share a list (`allow`, `deny`), all of the list.
    pub settings: Vec<&'a Setting>,
    /// Directives of outer blocks that have no effect here, since an inner one replaces or drops them.
    pub dropped: Vec<&'a Setting>,
    /// Directives in `if` and `limit_except` blocks here, which may hold instead for some requests.
    pub conditional: Vec<&'a Setting>,
}

impl Scope {
    /// A server outside its locations.
    pub fn server(server: usize) -> Self {
        Self {
            server,
            location: None,
        }
    }

    /// A location of a server.
    pub fn location(server: usize, location: LocationId) -> Self {
        Self {
            server,
            location: Some(location),
        }
    }
}

impl Site {
    /// What is in force of a directive in a server or location.
    ///
    /// Directives that NGINX takes from the default server of an address (`client_header_buffer_size`, …) are
    /// answered for the server that is asked about.
    pub fn effective(&self, scope: Scope, name: &str) -> Effective<'_> {
        let definition = directive::definition(name);
        let Some(id) = self.block_of(scope) else {
            return Effective::unset(definition);
        };
        let chain = self.blocks.around(id);
        let merge = definition.map_or(Merge::Replaced, |definition| definition.merge);
        let is_it = |setting: &Setting| match merge {
            Merge::List { name: list } => is_of_list(&setting.name, list),
            Merge::Replaced | Merge::Own => setting.name == name,
        };
        let mut effective = match merge {
            Merge::Own => Effective::own(chain.last().copied(), &is_it),
            Merge::Replaced => merged(&chain, &is_it, Inheritance::Usual),
            Merge::List { .. } => merged(&chain, &is_it, inheritance(name)),
        };
        let conditional = self.blocks.conditional(id);
        effective.conditional = conditional
            .into_iter()
            .flat_map(|block| &block.settings)
            .filter(|setting| is_it(setting))
            .collect();
        effective.definition = definition;
        effective
    }

    pub(crate) fn block_of(&self, scope: Scope) -> Option<BlockId> {
        let server = self.servers.get(scope.server)?;
        Some(match scope.location {
            Some(id) => server.table.locations().nth(id.index())?.1.block,
            None => server.block,
        })
    }

    /// All directives that stand directly in a server or location, in the order NGINX reads them.
    pub fn settings_in(&self, scope: Scope) -> &[Setting] {
        let block = self.block_of(scope).and_then(|id| self.blocks.get(id));
        block.map_or(&[], |block| &block.settings)
    }
}

/// How a list is taken over from the block around.
#[derive(Clone, Copy)]
enum Inheritance {
    /// Only by a block without any of its own.
    Usual,
    /// As the directive of this name says (`add_header_inherit`, since 1.29.3).
    AsSaidBy(&'static str),
}

fn inheritance(name: &str) -> Inheritance {
    match name {
        "add_header" => Inheritance::AsSaidBy("add_header_inherit"),
        "add_trailer" => Inheritance::AsSaidBy("add_trailer_inherit"),
        _ => Inheritance::Usual,
    }
}

fn is_of_list(name: &str, list: &str) -> bool {
    match directive::definition(name).map(|definition| definition.merge) {
        Some(Merge::List { name: own }) => own == list,
        _ => false,
    }
}

fn merged<'a>(
    chain: &[&'a Block],
    is_it: &dyn Fn(&Setting) -> bool,
    inheritance: Inheritance,
) -> Effective<'a> {
    let mut effective = Effective::unset(None);
    let mut said: Option<&[u8]> = None;
    for block in chain {
        let own: Vec<&Setting> = block.settings.iter().filter(|one| is_it(one)).collect();
        if let Inheritance::AsSaidBy(name) = inheritance {
            let says = block.settings.iter().rev().find(|one| one.name == name);
            said = says
                .and_then(|one| one.arguments.first())
                .map(Vec::as_slice)
                .or(said);
        }
        match said {
            // The inner ones come first.
            Some(b"merge") => effective.settings.splice(0..0, own).for_each(drop),
            Some(b"off") => effective.replace(own),
            _ if own.is_empty() => {}
            _ => effective.replace(own),
        }
    }
    effective
}

impl<'a> Effective<'a> {
    fn unset(definition: Option<&'static Definition>) -> Self {
        Self {
            definition,
            settings: Vec::new(),
            dropped: Vec::new(),
            conditional: Vec::new(),
        }
    }

    fn own(block: Option<&'a Block>, is_it: &dyn Fn(&Setting) -> bool) -> Self {
        let settings = block.into_iter().flat_map(|block| &block.settings);
        Self {
            settings: settings.filter(|setting| is_it(setting)).collect(),
            ..Self::unset(None)
        }
    }

    fn replace(&mut self, own: Vec<&'a Setting>) {
        self.dropped.append(&mut self.settings);
        self.settings = own;
    }

    /// Whether the configuration says it, for this scope or around it.
    pub fn is_set(&self) -> bool {
        !self.settings.is_empty()
    }

    /// Whether every request here meets the same: no `if` or `limit_except` says otherwise.
    pub fn is_certain(&self) -> bool {
        self.conditional.is_empty()
    }

    /// The innermost block that says it; `None` where the default holds.
    pub fn context(&self) -> Option<Context> {
        self.settings.last().map(|setting| setting.context)
    }

    /// The directive in force; of a list the last.
    pub fn setting(&self) -> Option<&'a Setting> {
        self.settings.last().copied()
    }

    /// The arguments in force with blanks between them, or the default of a release; `None` where there is neither.
    ///
    /// Of a list the last directive: ask [`Self::settings`] for all.
    pub fn text(&self, version: NginxVersion) -> Option<String> {
        let default = || self.definition?.default_value(version).map(str::to_owned);
        self.setting().map(Setting::text).or_else(default)
    }

    /// The first argument as a size.
    pub fn bytes(&self, version: NginxVersion) -> Option<u64> {
        directive::bytes(&self.first(version)?)
    }

    /// The first argument as a duration.
    pub fn time(&self, version: NginxVersion) -> Option<Duration> {
        directive::time(&self.first(version)?)
    }

    /// The first argument as a flag.
    pub fn flag(&self, version: NginxVersion) -> Option<bool> {
        directive::flag(&self.first(version)?)
    }

    fn first(&self, version: NginxVersion) -> Option<Vec<u8>> {
        let default = || {
            let default = self.definition?.default_value(version)?;
            Some(default.split(' ').next()?.as_bytes().to_vec())
        };
        match self.setting() {
            Some(setting) => setting.arguments.first().cloned(),
            None => default(),
        }
    }
}
