use std::collections::BTreeMap;

use super::action::{Action, ProxyPass, split_uri};
use super::notation::Modifier;
use super::regex::Regex;
use super::rewrite::{Script, Step};
use super::server::Server;
use super::table::Location;
use super::template::{Part, Template};
use super::witness::{self, Captured};

/// Targets of clients that may become the one an upstream is to see.
pub(super) struct Candidates<'a> {
    path: &'a [u8],
    /// With its `?`.
    query: &'a [u8],
    pub(super) targets: Vec<Vec<u8>>,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(server: &'a Server, target: &'a [u8]) -> Self {
        let end = target
            .iter()
            .position(|byte| *byte == b'?')
            .unwrap_or(target.len());
        let (path, query) = target.split_at(end);
        let mut candidates = Self {
            path,
            query,
            targets: vec![target.to_vec()],
        };
        for (_, location) in server.table.locations() {
            candidates.location(location);
        }
        candidates.script(&server.script, None);
        candidates
    }

    fn location(&mut self, location: &Location) {
        let mut passes = Vec::new();
        own_passes(&location.action, &location.script, &mut passes);
        for pass in passes {
            self.pass(pass, location);
        }
        self.script(&location.script, Some(location));
        if location.notation.modifier == Modifier::Named {
            return;
        }
        if let Some(regex) = &location.regex {
            let texts = witness::texts(regex, &Captured::new());
            texts.into_iter().for_each(|text| self.below(&text));
        } else {
            self.below(&location.notation.text);
        }
    }

    /// The text of a location in place of the URI part that replaces it.
    fn pass(&mut self, pass: &ProxyPass, location: &Location) {
        let Some(uri) = &pass.uri else {
            return;
        };
        if pass.template.is_none() {
            if let Some(rest) = self.path.strip_prefix(uri.as_slice()) {
                let text = &location.notation.text;
                self.add(&[text, rest].concat());
            }
            return;
        }
        if let Some(regex) = &location.regex {
            let scheme_end = pass.url.windows(3).position(|window| window == b"://");
            let authority = scheme_end.map_or(&pass.url[..], |at| &pass.url[at + 3..]);
            let (_, uri) = split_uri(authority);
            if !uri.is_empty() {
                self.inverted(regex, &Template::parse(uri));
            }
        }
    }

    /// The texts that a `rewrite` makes the path of.
    fn script(&mut self, script: &Script, location: Option<&Location>) {
        for instruction in &script.instructions {
            match &instruction.step {
                Step::Rewrite(rewrite) => {
                    self.inverted(&rewrite.regex, &rewrite.path);
                    if let Some(regex) = location.and_then(|location| location.regex.as_ref()) {
                        self.inverted(regex, &rewrite.path);
                    }
                }
                Step::If(block) => self.script(&block.body, location),
                _ => {}
            }
        }
    }

    /// Texts that an expression matches so that a template comes to the path.
    fn inverted(&mut self, regex: &Regex, template: &Template) {
        let Some(captured) = unified(template, self.path, regex) else {
            return;
        };
        for text in witness::texts(regex, &captured) {
            self.add(&text);
        }
    }

    /// The path below a prefix, as clients ask a gateway that a site has there.
    fn below(&mut self, prefix: &[u8]) {
        let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
        if !prefix.is_empty() {
            self.add(&[prefix, self.path].concat());
            self.add(prefix);
            self.add(&[prefix, b"/"].concat());
        }
    }

    fn add(&mut self, path: &[u8]) {
        let target = [path, self.query].concat();
        if path.starts_with(b"/") && !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}

fn own_passes<'a>(action: &'a Action, script: &'a Script, passes: &mut Vec<&'a ProxyPass>) {
    if let Action::Proxy(pass) = action {
        passes.push(pass);
    }
    for (action, body) in script.conditional() {
        if let Some(action) = action {
            own_passes(action, body, passes);
        }
    }
}

/// What the captures of a template must hold so that it comes to a path; `None` where it cannot, or where a variable
/// stands in it that is no capture.
fn unified(template: &Template, path: &[u8], regex: &Regex) -> Option<Captured> {
    let number = |part: &Part| match part {
        Part::Capture(number) => u32::try_from(*number).ok(),
        Part::Variable(name) => {
            let mut names = regex.names().iter();
            let at = names.position(|own| own.as_deref() == Some(name))?;
            u32::try_from(at).ok()
        }
        Part::Text(_) => None,
    };
    let is_query =
        |part: &&Part| matches!(part, Part::Variable(name) if name == "is_args" || name == "args");
    let parts: Vec<&Part> = template
        .parts
        .iter()
        .filter(|part| !is_query(part))
        .collect();
    let mut captured = BTreeMap::new();
    let mut rest = path;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        if let Part::Text(text) = part {
            rest = rest.strip_prefix(text.as_slice())?;
            continue;
        }
        let taken = match parts.peek() {
            None => rest.len(),
            Some(Part::Text(text)) => rest
                .windows(text.len())
                .position(|window| window == text.as_slice())?,
            // Where the one ends and the other begins is anybody's guess.
            Some(_) => 0,
        };
        captured.insert(number(part)?, rest[..taken].to_vec());
        rest = &rest[taken..];
    }
    rest.is_empty().then_some(captured)
}
