use std::sync::Arc;

use super::action::{Action, Handler, ProxyPass, is_handler};
use super::listener::Transport;
use super::map::{Map, MapEntry, MapForm, MapKey};
use super::normalise::MergeSlashes;
use super::notation::{Modifier, Notation};
use super::owner::Owner;
use super::place::Place;
use super::regex::{Regex, RegexCase};
use super::rewrite::Script;
use super::script_reader::{is_script, read_instruction};
use super::server::{DefaultServer, Listen, Protocol, ProxyProtocol, Server, ServerName};
use super::settings::{GATES, Settings};
use super::site::{Site, SiteError, SiteProblem};
use super::table::{Access, Location, LocationId, Table, TableBuilder};
use super::template::Template;
use super::try_files::TryFiles;
use crate::conf::{Body, Found, Tree, quoted};
use crate::directive::{self, Context};
use crate::setting::{BlockId, settings_of};
use crate::upstream::Upstream;

/// Reads a [`Site`] out of a tree of files, collecting every error.
pub(crate) struct Reader<'a> {
    tree: &'a Tree,
    site: Site,
    errors: Vec<SiteError>,
}

/// The blocks around a location under construction.
#[derive(Clone)]
struct Surroundings {
    parent: Option<LocationId>,
    settings: Arc<Settings>,
    block: BlockId,
    /// `internal`, which locations inside take over.
    access: Access,
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

    fn block(&mut self, found: Found<'a>) -> Option<Vec<Found<'a>>> {
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
    fn block_inside(
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

    fn map(&mut self, found: Found<'a>) {
        let Some(children) = self.block(found) else {
            return;
        };
        let [source, variable] = found.directive.arguments() else {
            return self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
        };
        let mut map = Map {
            variable: variable.text().trim_start_matches('$').to_owned(),
            source: Template::parse(source.value()),
            entries: Vec::new(),
            default: Template::default(),
            form: MapForm::Plain,
            place: place(found),
        };
        for child in children {
            self.map_entry(&mut map, child);
        }
        self.site.maps.push(map);
    }

    /// `geo` or `split_clients`: which value is chosen is not modelled, but there are no others.
    fn choice(&mut self, found: Found<'a>) {
        let variable = found.directive.arguments().last();
        let variable =
            variable.map(|word| word.text().trim_start_matches('$').to_ascii_lowercase());
        let is_setting = |child: &&Found<'a>| {
            let names = ["ranges", "proxy", "proxy_recursive", "delete", "include"];
            names.iter().any(|name| child.directive.is(name))
        };
        let children = self.tree.children(found);
        let values = children.iter().filter(|child| !is_setting(child));
        let values = values.filter_map(|child| child.directive.argument(0));
        let values: Vec<Vec<u8>> = values.map(<[u8]>::to_vec).collect();
        self.site
            .choices
            .extend(variable.map(|variable| (variable, values)));
    }

    fn map_entry(&mut self, map: &mut Map, found: Found<'a>) {
        let directive = found.directive;
        let value = directive.argument(0).map(Template::parse);
        match (directive.name(), value) {
            (b"hostnames", None) => map.form = MapForm::Other,
            (b"volatile", None) => {}
            (b"default", Some(value)) => map.default = value,
            ([b'~', b'*', pattern @ ..], Some(value)) => {
                self.map_regex(map, found, pattern, RegexCase::Ignored, value);
            }
            ([b'~', pattern @ ..], Some(value)) => {
                self.map_regex(map, found, pattern, RegexCase::Exact, value)
            }
            (key, Some(value)) => {
                let key = match key {
                    [b'\\', rest @ ..] => rest,
                    key => key,
                };
                let key = MapKey::Text(key.to_ascii_lowercase());
                map.entries.push(MapEntry { key, value });
            }
            (_, None) => self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            ),
        }
    }

    fn map_regex(
        &mut self,
        map: &mut Map,
        found: Found<'a>,
        pattern: &[u8],
        letter_case: RegexCase,
        value: Template,
    ) {
        match Regex::new(pattern, letter_case) {
            Ok(regex) => map.entries.push(MapEntry {
                key: MapKey::Regex(regex),
                value,
            }),
            Err(error) => self.error(place(found), error.into()),
        }
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

    fn table_errors(&mut self, errors: Vec<super::table::TableError>, server: Place) {
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

    fn listen(&mut self, found: Found<'a>) -> Option<Listen> {
        let Some((first, parameters)) = found.directive.arguments().split_first() else {
            self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
            return None;
        };
        let says = |word: &[u8]| parameters.iter().any(|parameter| parameter.value() == word);
        if let Some(strange) = parameters
            .iter()
            .find(|word| !is_listen_parameter(word.value()))
        {
            let problem = SiteProblem::Word {
                what: "parameter",
                word: strange.text().into_owned(),
                directive: "listen".into(),
            };
            self.error(place(found), problem);
        }
        Some(Listen {
            address: Listen::address(&first.text()),
            default: match says(b"default_server") || says(b"default") {
                true => DefaultServer::Said,
                false => DefaultServer::Unsaid,
            },
            protocol: if says(b"http2") {
                Protocol::Http2
            } else {
                Protocol::Http1
            },
            tls: says(b"ssl"),
            http2_parameter: says(b"http2"),
            transport: match says(b"quic") {
                true => Transport::Quic,
                false => Transport::Stream,
            },
            proxy_protocol: match says(b"proxy_protocol") {
                true => ProxyProtocol::Required,
                false => ProxyProtocol::Off,
            },
            place: Some(place(found)),
        })
    }

    fn names(&mut self, found: Found<'a>, names: &mut Vec<ServerName>) {
        for word in found.directive.arguments() {
            let text = word.text();
            let lower = text.to_ascii_lowercase();
            names.push(match lower.as_str() {
                _ if text.starts_with('~') => {
                    match Regex::new(&word.value()[1..], RegexCase::Ignored) {
                        Ok(regex) => ServerName::Regex(regex),
                        Err(error) => {
                            self.error(place(found), error.into());
                            continue;
                        }
                    }
                }
                any if any.starts_with("*.") => ServerName::EndsWith(any[1..].to_owned()),
                domain if domain.starts_with('.') => ServerName::Domain(domain.to_owned()),
                begin if begin.ends_with(".*") => {
                    ServerName::BeginsWith(begin[..begin.len() - 1].to_owned())
                }
                _ => ServerName::Exact(lower),
            });
        }
    }

    fn location(
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

    fn instruction(&mut self, found: Found<'a>, script: &mut Script) {
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

/// What a block gives to those inside it.
#[derive(Clone, Default)]
struct Inherited {
    settings: Settings,
    merge_slashes: MergeSlashes,
    /// `http2 on`.
    http2: bool,
}

impl Inherited {
    fn with(mut self, directives: &[Found<'_>]) -> Self {
        let says = |name: &str| directives.iter().any(|found| found.directive.is(name));
        if says("error_page") {
            self.settings.error_pages.clear();
        }
        if says("allow") || says("deny") {
            self.settings.gates.remove("allow");
            self.settings.gates.remove("deny");
        }
        let mut line = None;
        for found in directives {
            let directive = found.directive;
            match directive.name() {
                b"merge_slashes" => {
                    self.merge_slashes = match directive.argument(0) {
                        Some(b"off") => MergeSlashes::Off,
                        _ => MergeSlashes::On,
                    };
                }
                b"http2" => self.http2 = directive.argument(0) == Some(b"on"),
                b"large_client_header_buffers" => {
                    line = line.max(directive.argument(1).and_then(length))
                }
                b"client_header_buffer_size" => {
                    line = line.max(directive.argument(0).and_then(length))
                }
                b"error_page" => self.error_page(*found),
                gate if GATES.iter().any(|known| known.as_bytes() == gate) => self.gate(*found),
                _ => {}
            }
        }
        self.settings.line_limit = line.unwrap_or(self.settings.line_limit);
        self
    }

    fn error_page(&mut self, found: Found<'_>) {
        let codes = found
            .directive
            .arguments()
            .iter()
            .filter_map(|word| word.text().parse::<u16>().ok());
        self.settings
            .error_pages
            .extend(codes.map(|code| (code, place(found))));
    }

    fn gate(&mut self, found: Found<'_>) {
        let gate = name(found);
        match found.directive.argument(0) {
            Some(b"off") => self.settings.gates.remove(&gate),
            _ => self.settings.gates.insert(gate, place(found)),
        };
    }
}

fn length(text: &[u8]) -> Option<usize> {
    usize::try_from(directive::bytes(text)?).ok()
}

fn changes_settings(directives: &[Found<'_>]) -> bool {
    let mut names = directives.iter().map(|found| found.directive.name());
    names.any(|name| name == b"error_page" || GATES.iter().any(|gate| gate.as_bytes() == name))
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

/// What NGINX 1.22.1 and 1.31.3 take after the address of a `listen`.
fn is_listen_parameter(word: &[u8]) -> bool {
    const FLAGS: [&str; 12] = [
        "default",
        "default_server",
        "ssl",
        "http2",
        "quic",
        "spdy",
        "proxy_protocol",
        "bind",
        "deferred",
        "reuseport",
        "multipath",
        "http3",
    ];
    const VALUES: [&str; 8] = [
        "backlog=",
        "rcvbuf=",
        "sndbuf=",
        "accept_filter=",
        "setfib=",
        "fastopen=",
        "ipv6only=",
        "so_keepalive=",
    ];
    let is_value = VALUES
        .iter()
        .any(|value| word.starts_with(value.as_bytes()));
    is_value || FLAGS.iter().any(|flag| flag.as_bytes() == word)
}

/// `*:80`, what a server without `listen` gets when NGINX is started by root.
fn implied_listen() -> Listen {
    Listen {
        address: "*:80".to_owned(),
        default: DefaultServer::Unsaid,
        protocol: Protocol::Http1,
        tls: false,
        http2_parameter: false,
        transport: Transport::Stream,
        proxy_protocol: ProxyProtocol::Off,
        place: None,
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
