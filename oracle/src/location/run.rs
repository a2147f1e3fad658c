use std::collections::HashMap;

use super::action::{Action, ProxyPass, split_uri};
use super::answer::{Answer, NotModelled};
use super::escape::{escaped_path, escaped_query};
use super::matcher::Match;
use super::normalise::{Escapes, Normalised};
use super::place::Place;
use super::regex::{Groups, Regex};
use super::request::Request;
use super::rewrite::{
    Condition, Flag, Instruction, OwnQuery, Return, Rewrite, Script, Step, Turned,
};
use super::server::{ProxyProtocol, Server};
use super::site::Site;
use super::table::{Access, LocationId};
use super::template::{Part, Template};
use super::trace::Trace;
use super::try_files::Tried;

/// How often a path may be rewritten before NGINX gives up (`NGX_HTTP_MAX_URI_CHANGES`).
const URI_CHANGES: usize = 10;

/// One request on its way through a server: what NGINX keeps in `ngx_http_request_t`.
#[derive(Clone)]
pub(super) struct Run<'a> {
    pub(super) site: &'a Site,
    pub(super) server: &'a Server,
    pub(super) request: &'a Request,
    pub(super) host: Option<String>,
    pub(super) address: String,
    pub(super) proxy_protocol: ProxyProtocol,
    pub(super) path: Vec<u8>,
    pub(super) query: Option<Vec<u8>>,
    /// The target as sent, without scheme and authority.
    pub(super) unparsed: Vec<u8>,
    pub(super) variables: HashMap<String, Vec<u8>>,
    captures: (Vec<u8>, Groups),
    escapes: Escapes,
    /// Whether the target as sent still says where the request is: not after a rewrite.
    unparsed_is_valid: Validity,
    /// Whether the location's text is still the beginning of the path: not after `rewrite … break`.
    location_is_valid: Validity,
    is_internal: Internal,
    script_captures: ScriptCaptures,
    pub(super) searches: Vec<Trace>,
    pub(super) location: Option<LocationId>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Validity {
    Valid,
    Gone,
}

#[derive(Clone, Copy, PartialEq)]
enum Internal {
    No,
    Yes,
}

/// What becomes of `$1` in `set` and `if` when the request held an escape or a `+` (`quote` and `is_args` of NGINX's
/// script engine).
#[derive(Clone, Copy, PartialEq)]
enum ScriptCaptures {
    /// Escaped: so it begins in every script.
    Escaped,
    /// As they are: after a rewrite.
    Plain,
    /// After a rewrite with a query, NGINX before 1.30.1 writes beyond its buffer.
    Corrupt,
}

/// How a script ends.
enum Flow {
    /// It ran to its end; the path is as it was, or changed without `last`.
    Done,
    /// `break`: nothing of it is run any more.
    Stop,
    /// It answered.
    Answer(Answer),
}

/// Whether the location that goes on is known, so that none is looked for.
#[derive(Clone, Copy, Default, PartialEq)]
enum Entered {
    #[default]
    No,
    /// By its name.
    Yes,
}

/// Whether the path was changed so that a location must be looked for again.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Unchanged,
    Changed,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        site: &'a Site,
        server: &'a Server,
        request: &'a Request,
        normalised: &Normalised,
        unparsed: (Vec<u8>, Validity),
    ) -> Self {
        Self {
            site,
            server,
            request,
            host: None,
            address: String::new(),
            proxy_protocol: ProxyProtocol::Off,
            path: normalised.path.clone(),
            query: normalised.query.clone(),
            unparsed: unparsed.0,
            variables: HashMap::new(),
            captures: (Vec::new(), Groups::new()),
            escapes: normalised.escapes,
            unparsed_is_valid: unparsed.1,
            location_is_valid: Validity::Valid,
            is_internal: Internal::No,
            script_captures: ScriptCaptures::Escaped,
            searches: Vec::new(),
            location: None,
        }
    }

    /// The phases of `ngx_http_core_module`, as far as they decide where the request goes.
    pub(super) fn run(&mut self) -> Answer {
        let answer = self.phases().unwrap_or_else(Answer::NotModelled);
        self.after_error_pages(answer)
    }

    fn phases(&mut self) -> Result<Answer, NotModelled> {
        let mut change = Change::Unchanged;
        let mut action = None;
        if let Flow::Answer(answer) =
            self.whole_script(&self.server.script, &mut change, &mut action)?
        {
            return Ok(answer);
        }
        let mut entered = Entered::No;
        for _ in 0..=URI_CHANGES {
            if std::mem::take(&mut entered) == Entered::No
                && let Some(answer) = self.find_location()?
            {
                return Ok(answer);
            }
            let Some(id) = self.location else {
                return Ok(self.server_answer());
            };
            let location = self.server.table.location(id);
            let mut action = None;
            change = Change::Unchanged;
            if let Flow::Answer(answer) =
                self.whole_script(&location.script, &mut change, &mut action)?
            {
                return Ok(answer);
            }
            if change == Change::Changed {
                continue;
            }
            let Some(try_files) = &location.try_files else {
                return self.content(&action.unwrap_or_else(|| location.action.clone()), id);
            };
            match self.try_files(try_files)? {
                Tried::Answer(answer) => return Ok(answer),
                Tried::Redirected => {}
                Tried::Named(named) => {
                    self.location = Some(named);
                    self.is_internal = Internal::Yes;
                    entered = Entered::Yes;
                }
            }
        }
        Ok(Answer::Returned { status: 500 })
    }

    /// `ngx_http_internal_redirect`: a location is looked for with another path.
    pub(super) fn redirect_internally(&mut self, path: Vec<u8>, query: Option<Vec<u8>>) {
        self.path = path;
        self.query = query;
        self.is_internal = Internal::Yes;
        self.unparsed_is_valid = Validity::Gone;
    }

    fn server_answer(&self) -> Answer {
        Answer::Handled { by: "files".into() }
    }

    fn find_location(&mut self) -> Result<Option<Answer>, NotModelled> {
        self.location = None;
        self.location_is_valid = Validity::Valid;
        let table = &self.server.table;
        let Ok(trace) = table.trace(&self.path) else {
            return Ok(Some(Answer::Returned { status: 500 }));
        };
        for (id, _) in &trace.steps {
            let location = table.location(*id);
            if location.notation.text.len() > self.request.version.longest_location() {
                let what = format!(
                    "locations longer than {} bytes in nginx {}",
                    self.request.version.longest_location(),
                    self.request.version
                );
                return Err(NotModelled::new(what, location.place));
            }
            if let Some(regex) = &location.regex
                && let Ok(Some(groups)) = regex.captures(&self.path)
            {
                self.captured(regex, &self.path.clone(), groups);
            }
        }
        let winner = trace.winner;
        self.searches.push(trace);
        let (Match::Location(id) | Match::SlashRedirect(id)) = winner else {
            return Ok(None);
        };
        self.location = Some(id);
        let location = table.location(id);
        if location.access == Access::Internal && self.is_internal == Internal::No {
            return Ok(Some(Answer::Returned { status: 404 }));
        }
        if let Match::SlashRedirect(_) = winner {
            let mut to = escaped_path(&location.notation.text);
            if let Some(query) = &self.query {
                to.push(b'?');
                to.extend_from_slice(query);
            }
            return Ok(Some(Answer::Redirected {
                status: 301,
                location: Some(to),
            }));
        }
        Ok(None)
    }

    /// An answer of NGINX itself for whose status the configuration has a page of its own may be anything.
    fn after_error_pages(&self, answer: Answer) -> Answer {
        let settings = self.location.map_or(&self.server.settings, |id| {
            &self.server.table.location(id).settings
        });
        let own = match &answer {
            Answer::Refused(_) | Answer::Redirected { .. } | Answer::Returned { .. } => {
                answer.status()
            }
            _ => None,
        };
        match own.and_then(|status| settings.error_pages.get(&status)) {
            Some(place) => Answer::NotModelled(NotModelled::new("`error_page`", Some(*place))),
            None => answer,
        }
    }

    fn content(&self, action: &Action, id: LocationId) -> Result<Answer, NotModelled> {
        match action {
            Action::Files => Ok(Answer::Handled { by: "files".into() }),
            Action::Handler(handler) => Ok(Answer::Handled {
                by: format!("{} {}", handler.directive, handler.arguments)
                    .trim_end()
                    .to_owned(),
            }),
            Action::Proxy(pass) => self.proxied(pass, id),
        }
    }

    fn proxied(&self, pass: &ProxyPass, id: LocationId) -> Result<Answer, NotModelled> {
        let (upstream, uri, takes_all) = match &pass.template {
            None => (pass.upstream.clone(), pass.uri.clone(), false),
            Some(template) => {
                let url = self.expand(template, pass.place)?;
                let (upstream, uri) = evaluated(&url).ok_or_else(|| {
                    NotModelled::new("a `proxy_pass` that comes to no URL", pass.place)
                })?;
                (upstream, uri, true)
            }
        };
        let target = match uri {
            Some(uri) if takes_all => uri,
            None if self.unparsed_is_valid == Validity::Valid => self.unparsed.clone(),
            uri => self.rewritten_target(uri.as_deref(), id),
        };
        match target.is_empty() {
            true => Ok(Answer::Returned { status: 500 }),
            false => Ok(Answer::Proxied { upstream, target }),
        }
    }

    /// `ngx_http_proxy_create_request`: the URI part in place of the location's text, the rest escaped anew if the
    /// request held an escape.
    fn rewritten_target(&self, uri: Option<&[u8]>, id: LocationId) -> Vec<u8> {
        let is_valid = self.location_is_valid == Validity::Valid;
        let text = &self.server.table.location(id).notation.text;
        let replaced = match uri {
            Some(_) if is_valid => text.len().min(self.path.len()),
            _ => 0,
        };
        let mut target = uri.filter(|_| is_valid).unwrap_or_default().to_vec();
        let rest = &self.path[replaced..];
        match self.escapes.quoted || self.is_internal == Internal::Yes {
            true => target.extend(escaped_path(rest)),
            false => target.extend_from_slice(rest),
        }
        if let Some(query) = &self.query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        target
    }

    fn whole_script(
        &mut self,
        script: &'a Script,
        change: &mut Change,
        action: &mut Option<Action>,
    ) -> Result<Flow, NotModelled> {
        self.script_captures = ScriptCaptures::Escaped;
        self.script(script, change, action)
    }

    fn script(
        &mut self,
        script: &'a Script,
        change: &mut Change,
        action: &mut Option<Action>,
    ) -> Result<Flow, NotModelled> {
        for instruction in &script.instructions {
            match self.step(instruction, change, action)? {
                Flow::Done => {}
                end => return Ok(end),
            }
        }
        Ok(Flow::Done)
    }

    fn step(
        &mut self,
        instruction: &'a Instruction,
        change: &mut Change,
        action: &mut Option<Action>,
    ) -> Result<Flow, NotModelled> {
        let place = instruction.place;
        match &instruction.step {
            Step::Opaque { directive } => Err(NotModelled::new(format!("`{directive}`"), place)),
            Step::Set { name, value } => {
                let value = self.expand_in_script(value, place)?;
                self.variables.insert(name.to_ascii_lowercase(), value);
                Ok(Flow::Done)
            }
            Step::Break => {
                if *change == Change::Changed {
                    self.location_is_valid = Validity::Gone;
                    *change = Change::Unchanged;
                }
                Ok(Flow::Stop)
            }
            Step::Return(answer) => self.returned(answer, place).map(Flow::Answer),
            Step::If(block) => {
                if !self.holds(&block.condition, place)? {
                    return Ok(Flow::Done);
                }
                if let Some(inner) = &block.action {
                    *action = Some(inner.clone());
                } else {
                    *action = None;
                }
                self.script(&block.body, change, action)
            }
            Step::Rewrite(rewrite) => self.rewrite(rewrite, change, place),
        }
    }

    fn returned(&self, answer: &Return, place: Option<Place>) -> Result<Answer, NotModelled> {
        Ok(match answer.status {
            301 | 302 | 303 | 307 | 308 => Answer::Redirected {
                status: answer.status,
                location: answer
                    .text
                    .as_ref()
                    .and_then(|text| self.expand(text, place).ok()),
            },
            status => Answer::Returned { status },
        })
    }

    fn holds(&mut self, condition: &Condition, place: Option<Place>) -> Result<bool, NotModelled> {
        match condition {
            Condition::Truth { variable } => {
                let value = self.variable(variable, place)?;
                Ok(!value.is_empty() && value != b"0")
            }
            Condition::Equals {
                variable,
                text,
                turned,
            } => {
                let is_equal =
                    self.variable(variable, place)? == self.expand_in_script(text, place)?;
                Ok(is_equal != (*turned == Turned::Yes))
            }
            Condition::Matches {
                variable,
                regex,
                turned,
            } => {
                let value = self.variable(variable, place)?;
                let groups = regex
                    .captures(&value)
                    .map_err(|error| NotModelled::new(error.to_string(), place))?;
                let matches = groups.is_some();
                match groups {
                    Some(groups) => self.captured(regex, &value, groups),
                    None => self.captures = (Vec::new(), Groups::new()),
                }
                Ok(matches != (*turned == Turned::Yes))
            }
            Condition::File => Err(NotModelled::new("a condition on the file system", place)),
        }
    }

    /// `ngx_http_script_regex_start_code` to `ngx_http_script_regex_end_code`.
    fn rewrite(
        &mut self,
        rewrite: &Rewrite,
        change: &mut Change,
        place: Option<Place>,
    ) -> Result<Flow, NotModelled> {
        let subject = self.path.clone();
        let Ok(found) = rewrite.regex.captures(&subject) else {
            return Ok(Flow::Answer(Answer::Returned { status: 500 }));
        };
        let Some(groups) = found else {
            self.captures = (Vec::new(), Groups::new());
            return Ok(Flow::Done);
        };
        self.captured(&rewrite.regex, &subject, groups);
        if let Flag::Redirect(status) = rewrite.flag {
            return Ok(Flow::Answer(Answer::Redirected {
                status,
                location: self.redirect_location(rewrite, place),
            }));
        }
        self.script_captures = match (self.script_captures, &rewrite.query) {
            (ScriptCaptures::Corrupt, _) if self.uses_escaped_capture(&rewrite.path) => {
                return Err(corrupt(place));
            }
            (ScriptCaptures::Corrupt, _) | (_, Some(_))
                if !self.request.version.resets_script_state() =>
            {
                ScriptCaptures::Corrupt
            }
            _ => ScriptCaptures::Plain,
        };
        let path = self.expand(&rewrite.path, place)?;
        let query = rewrite
            .query
            .as_ref()
            .map(|query| self.expand_query(query, place))
            .transpose()?;
        let own = self
            .query
            .take()
            .filter(|_| rewrite.own_query == OwnQuery::Added);
        self.query = joined(query, own);
        self.path = path;
        self.is_internal = Internal::Yes;
        self.unparsed_is_valid = Validity::Gone;
        if self.path.is_empty() {
            return Ok(Flow::Answer(Answer::Returned { status: 500 }));
        }
        *change = match rewrite.flag {
            Flag::Break => {
                self.location_is_valid = Validity::Gone;
                Change::Unchanged
            }
            _ => Change::Changed,
        };
        match rewrite.flag {
            Flag::Continue => Ok(Flow::Done),
            _ => Ok(Flow::Stop),
        }
    }

    fn expand_in_script(
        &self,
        template: &Template,
        place: Option<Place>,
    ) -> Result<Vec<u8>, NotModelled> {
        match self.script_captures {
            ScriptCaptures::Escaped => self.expand_query(template, place),
            ScriptCaptures::Corrupt if self.uses_escaped_capture(template) => Err(corrupt(place)),
            _ => self.expand(template, place),
        }
    }

    fn uses_escaped_capture(&self, template: &Template) -> bool {
        let uses = template
            .parts
            .iter()
            .any(|part| matches!(part, Part::Capture(_)));
        uses && (self.escapes.quoted || self.escapes.plus)
    }

    /// Captures are escaped inside a query if the request held an escape or a `+`.
    fn expand_query(
        &self,
        template: &Template,
        place: Option<Place>,
    ) -> Result<Vec<u8>, NotModelled> {
        if !self.uses_escaped_capture(template) {
            return self.expand(template, place);
        }
        let mut text = Vec::new();
        for part in &template.parts {
            match part {
                Part::Capture(number) => text.extend(escaped_query(self.capture(*number))),
                part => {
                    let one = Template {
                        parts: vec![part.clone()],
                    };
                    text.extend(self.expand(&one, place)?);
                }
            }
        }
        Ok(text)
    }

    /// Where `rewrite … redirect` leads, unless escapes would have to be undone and redone for it.
    fn redirect_location(&self, rewrite: &Rewrite, place: Option<Place>) -> Option<Vec<u8>> {
        let mut to = self.expand(&rewrite.path, place).ok()?;
        if self.escapes.quoted || self.escapes.plus || to.contains(&b'%') {
            return None;
        }
        if let Some(query) = self
            .query
            .as_ref()
            .filter(|_| rewrite.own_query == OwnQuery::Added)
        {
            to.push(if to.contains(&b'?') { b'&' } else { b'?' });
            to.extend_from_slice(query);
        }
        Some(to)
    }

    pub(super) fn capture(&self, number: usize) -> &[u8] {
        let (subject, groups) = &self.captures;
        let stretch = groups.get(number).copied().flatten();
        stretch.map_or(b"", |(start, end)| &subject[start..end])
    }

    pub(super) fn captured(&mut self, regex: &Regex, subject: &[u8], groups: Groups) {
        for (name, stretch) in regex.names().iter().zip(&groups) {
            if let (Some(name), Some((start, end))) = (name, stretch) {
                self.variables
                    .insert(name.to_ascii_lowercase(), subject[*start..*end].to_vec());
            }
        }
        self.captures = (subject.to_vec(), groups);
    }

    /// The listener's scheme.
    pub(super) fn scheme(&self) -> &'static str {
        match self.site.ends_tls(&self.address) {
            true => "https",
            false => "http",
        }
    }

    pub(super) fn port(&self) -> Option<&str> {
        self.address
            .rsplit_once(':')
            .map(|(_, port)| port)
            .filter(|port| port.parse::<u16>().is_ok())
    }
}

fn corrupt(place: Option<Place>) -> NotModelled {
    NotModelled::new(
        "captures after a `rewrite` with a query, which overrun a buffer before nginx 1.30.1",
        place,
    )
}

fn joined(query: Option<Vec<u8>>, own: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let joined = match (query, own) {
        (Some(mut query), Some(own)) => {
            query.push(b'&');
            query.extend(own);
            query
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return None,
    };
    (!joined.is_empty()).then_some(joined)
}

/// Upstream and URI part of a `proxy_pass` whose variables are replaced.
fn evaluated(url: &[u8]) -> Option<(String, Option<Vec<u8>>)> {
    let lower = url.to_ascii_lowercase();
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme))?;
    let (upstream, uri) = split_uri(&url[scheme.len()..]);
    let mut uri = uri.to_vec();
    if uri.first() == Some(&b'?') {
        uri.insert(0, b'/');
    }
    let upstream = String::from_utf8_lossy(upstream).into_owned();
    (!upstream.is_empty()).then(|| (upstream, (!uri.is_empty()).then_some(uri)))
}
