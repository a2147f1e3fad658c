//! Which sites of a configuration are the deployment's: a server that lives has others besides, which nobody asks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proxyproof_oracle::conf::{Directive, Word};

use super::source::{Group, Source};
use super::{OwnConfiguration, address, is_site};
use crate::deployment::Deployment;

/// What passes requests on to the deployment's programs, and what does not.
#[derive(Debug)]
pub(super) struct Sites<'c> {
    own: &'c OwnConfiguration,
    /// The addresses of the deployment's programs.
    pub(super) programs: Vec<String>,
    /// Every `upstream`.
    pub(super) groups: BTreeSet<String>,
    /// Those with an address of the deployment's.
    ours: BTreeSet<String>,
    /// Arguments of `include` that only other sites have.
    included_elsewhere: BTreeSet<String>,
    /// What variables may hold, by their names.
    values: BTreeMap<String, Vec<String>>,
    /// Some server passes something on to the deployment's programs. Where none does, the addresses are not the
    /// deployment's, and every server may be meant.
    some: bool,
    /// Where requests may go that are not for other sites: an `upstream` that is not named there is theirs.
    said: Vec<String>,
}

impl<'c> Sites<'c> {
    pub(super) fn of(own: &'c OwnConfiguration, deployment: &Deployment) -> Self {
        let upstreams = deployment.upstreams.values();
        let mut sites = Self {
            own,
            programs: upstreams
                .flat_map(|upstream| upstream.addresses().map(str::to_owned))
                .collect(),
            groups: BTreeSet::new(),
            ours: BTreeSet::new(),
            included_elsewhere: BTreeSet::new(),
            values: BTreeMap::new(),
            some: false,
            said: Vec::new(),
        };
        own.walk(&mut |_, above, directive| {
            if let Some((variable, value)) = value_of(above, directive) {
                sites.values.entry(variable).or_default().push(value);
            }
            if let Some(name) = name_of(directive) {
                sites.groups.insert(name);
            }
            let group = above.last().and_then(|parent| name_of(parent));
            let place = directive.arguments().first().map(Word::text);
            if let (true, Some(group), Some(place)) = (directive.is("server"), group, place)
                && sites.is_program(&address(&place))
            {
                sites.ours.insert(group);
            }
        });
        sites.some = sites.any_is_ours();
        sites.find_what_others_include();
        let mut said = Vec::new();
        own.walk(&mut |source, above, directive| {
            if says_where(above, directive) && !sites.is_elsewhere(source, above) {
                let words = directive.arguments().iter().map(Word::text);
                said.extend(words.map(|word| word.into_owned()));
            }
        });
        sites.said = said;
        sites
    }

    /// Whether this is where one of the deployment's programs is; a port that is not written is that of the scheme.
    pub(super) fn is_program(&self, place: &str) -> bool {
        self.complete(place).is_some()
    }

    fn complete(&self, place: &str) -> Option<&String> {
        let mut programs = self.programs.iter();
        programs.find(|program| {
            let port = program.strip_prefix(place);
            port.is_some_and(|port| ["", ":80", ":443"].contains(&port))
        })
    }

    /// Hosts that a `proxy_pass` names without a port, and where they are: each is an `upstream` of the copy, so that NGINX
    /// asks nobody for its address and the requests have the same Host.
    pub(super) fn implied(&self) -> Vec<(String, String)> {
        let mut implied = BTreeMap::new();
        self.own.walk(&mut |_, _, directive| {
            let url = directive.arguments().first().map(Word::text);
            let (true, Some(url)) = (directive.is("proxy_pass"), url) else {
                return;
            };
            for place in self.goes_to(&url, INDIRECT) {
                let is_group = self.groups.contains(&place) || place.starts_with("unix:");
                if let (false, Some(whole)) = (is_group, self.complete(&place))
                    && *whole != place
                {
                    implied.insert(place, whole.clone());
                }
            }
        });
        implied.into_iter().collect()
    }

    /// Destinations whose host is a variable and whose port stands behind it, with the one place that they lead to: only
    /// there the stage's own address can stand.
    pub(super) fn literal(&self) -> Vec<(String, String)> {
        let mut literal = Vec::new();
        self.own.walk(&mut |_, _, directive| {
            let url = directive.arguments().first().map(Word::text);
            if let (true, Some(url)) = (directive.is("proxy_pass"), url)
                && let Some(place) = self.one_place(&url)
            {
                literal.push((url.into_owned(), place));
            }
        });
        literal
    }

    fn one_place(&self, url: &str) -> Option<String> {
        let (scheme, after) = url.split_once("://")?;
        let ends = ["/", "$request_uri", "$uri"];
        let end = ends.iter().filter_map(|end| after.find(end)).min();
        let (authority, rest) = after.split_at(end.unwrap_or(after.len()));
        // A path without variables is put in the place of the location's, but only where the whole has none.
        if !authority.contains('$') || !rest.is_empty() && !rest.contains('$') {
            return None;
        }
        let scheme = match scheme.strip_prefix('$') {
            Some(name) => self.values.get(name)?.first()?,
            None => scheme,
        };
        let places = self.goes_to(&format!("http://{authority}"), INDIRECT);
        let [place] = places.as_slice() else {
            return None;
        };
        let has_port = place.contains(':') && self.is_program(place);
        has_port.then(|| format!("{scheme}://{place}{rest}"))
    }

    /// Whether a server with locations is the deployment's.
    pub(super) fn is_site(&self, server: &Directive) -> bool {
        is_site(server) && self.is_ours(server)
    }

    /// Whether a server passes something on to the deployment's programs.
    fn is_ours(&self, server: &Directive) -> bool {
        !self.some || self.passes(std::slice::from_ref(server), DEEPEST)
    }

    /// Whether what stands here is for another site alone.
    pub(super) fn is_elsewhere(&self, source: &Source, above: &[&Directive]) -> bool {
        if let Some(group) = above.iter().find_map(|parent| name_of(parent)) {
            let named = || self.said.iter().any(|word| names(word, &group));
            return self.some && !self.ours.contains(&group) && !named();
        }
        match above.iter().find(|parent| parent.is("server")) {
            Some(server) => !self.is_ours(server),
            None => self
                .group_with(source)
                .is_some_and(|group| self.included_elsewhere.contains(&group.written)),
        }
    }

    /// Where in a file other sites have their servers.
    pub(super) fn others(&self, source: &Source) -> Vec<Range<usize>> {
        let mut others = Vec::new();
        source.parsed.walk(&mut |_, directive| {
            if is_site(directive) && !self.is_ours(directive) {
                let span = directive.span();
                others.push(span.start as usize..span.end as usize);
            }
        });
        others
    }

    /// Whether a server passes requests on to the deployment's programs, besides what it does here.
    pub(super) fn is_beside_programs(&self, above: &[&Directive]) -> bool {
        let server = above.iter().find(|parent| parent.is("server"));
        self.some && server.is_some_and(|server| self.is_ours(server))
    }

    fn any_is_ours(&self) -> bool {
        let mut any = false;
        self.own.walk(&mut |_, above, directive| {
            any = any
                || (directive.is("server")
                    && !above.iter().any(|parent| parent.is("upstream"))
                    && self.passes(std::slice::from_ref(directive), DEEPEST));
        });
        any
    }

    fn passes(&self, directives: &[Directive], depth: usize) -> bool {
        directives.iter().any(|directive| {
            let first = directive.arguments().first().map(Word::text);
            match (directive.name(), first) {
                (b"proxy_pass", Some(url)) => {
                    let mut places = self.goes_to(&url, INDIRECT).into_iter();
                    places.any(|place| self.ours.contains(&place) || self.is_program(&place))
                }
                (b"include", Some(written)) if depth > 0 => {
                    let group = self.own.included.iter().find(|one| one.written == *written);
                    group.is_some_and(|group| {
                        let mut sources = group.sources.iter();
                        sources.any(|source| self.passes(source.parsed.directives(), depth - 1))
                    })
                }
                _ => self.passes(directive.children(), depth),
            }
        })
    }

    /// Where a URL may lead, with every value of the variables in it: hosts and ports, or names of an `upstream`.
    ///
    /// Where nothing says what a variable holds, it stays.
    pub(super) fn goes_to(&self, url: &str, depth: usize) -> Vec<String> {
        let Some((before, after)) = url.split_once('$') else {
            return vec![authority(url).to_owned()];
        };
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or((braced, "")),
            None => after.split_at(
                after
                    .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                    .unwrap_or(after.len()),
            ),
        };
        let in_the_path = before
            .split_once("://")
            .is_some_and(|(_, rest)| rest.contains('/'));
        if in_the_path || PATHS.contains(&name) {
            return vec![authority(before).to_owned()];
        }
        match self.values.get(name) {
            Some(values) if depth > 0 => values
                .iter()
                .flat_map(|value| self.goes_to(&format!("{before}{value}{after}"), depth - 1))
                .collect(),
            _ => vec![authority(url).to_owned()],
        }
    }

    fn group_with(&self, source: &Source) -> Option<&'c Group> {
        let mut groups = self.own.included.iter();
        groups.find(|group| group.sources.iter().any(|one| std::ptr::eq(one, source)))
    }

    /// At first all included files are, then no more those that something else includes, and so on.
    fn find_what_others_include(&mut self) {
        let written = self.own.included.iter().map(|group| group.written.clone());
        self.included_elsewhere = written.collect();
        loop {
            let mut left = self.included_elsewhere.clone();
            self.own.walk(&mut |source, above, directive| {
                if let (true, Some(file)) = (directive.is("include"), directive.arguments().first())
                    && !self.is_elsewhere(source, above)
                {
                    left.remove(&*file.text());
                }
            });
            if left == self.included_elsewhere {
                return;
            }
            self.included_elsewhere = left;
        }
    }
}

/// The host and port of a URL, or the name of an `upstream` in their place.
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    // A socket's path goes on to the colon before the URI.
    match rest.strip_prefix("unix:") {
        Some(path) => &rest[..UNIX + path.find(':').unwrap_or(path.len())],
        None => rest.split('/').next().unwrap_or_default(),
    }
}

/// A variable and a value that a directive gives to it: `set`, or an entry of a `map` or its like.
fn value_of(above: &[&Directive], directive: &Directive) -> Option<(String, String)> {
    let of_set = directive.is("set").then_some(directive);
    let giver = of_set.or_else(|| above.last().copied().filter(gives_values))?;
    let variables = giver.arguments().iter().map(Word::text);
    let variable = match of_set {
        Some(_) => variables.into_iter().next(),
        None => variables.into_iter().next_back(),
    };
    let variable = variable?.strip_prefix('$')?.to_owned();
    let value = directive.arguments().last()?.text().into_owned();
    Some((variable, value))
}

pub(super) fn gives_values(directive: &&Directive) -> bool {
    ["map", "geo", "split_clients"]
        .iter()
        .any(|name| directive.is(name))
}

/// Whether a directive may say where requests go: it passes them on, or gives a variable its value.
fn says_where(above: &[&Directive], directive: &Directive) -> bool {
    directive.name().ends_with(b"_pass")
        || directive.is("set")
        || above.last().is_some_and(gives_values)
}

fn name_of(directive: &Directive) -> Option<String> {
    let name = directive.arguments().first()?;
    directive.is("upstream").then(|| name.text().into_owned())
}

/// Whether a word has a name in it, whole: `http://blog` and `blog`, and not `blog.example.org`.
fn names(word: &str, name: &str) -> bool {
    let outside = |letter: char| !letter.is_alphanumeric() && !"_.-".contains(letter);
    word.split(outside).any(|part| part == name)
}

/// Variables that begin with a slash.
const PATHS: [&str; 3] = ["request_uri", "uri", "document_uri"];
const UNIX: usize = "unix:".len();
/// Variables that hold variables, so often.
pub(super) const INDIRECT: usize = 4;
/// NGINX itself gives up on includes that include each other.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_url_may_lead() {
        let own = OwnConfiguration::of_text(
            "map $uri $program { default cpa; /x 127.0.0.1:1; } server { set $url http://$program; }",
        );
        let sites = Sites::of(&own, &Deployment::cpa_two_hosts());
        let goes_to = |url| sites.goes_to(url, INDIRECT);
        assert_eq!(goes_to("http://cpa/x$y"), ["cpa"]);
        assert_eq!(goes_to("http://cpa$request_uri"), ["cpa"]);
        assert_eq!(goes_to("http://unix:/run/a.sock:/x"), ["unix:/run/a.sock"]);
        assert_eq!(goes_to("$url/"), ["cpa", "127.0.0.1:1"]);
        assert_eq!(goes_to("http://${program}x"), ["cpax", "127.0.0.1:1x"]);
        assert_eq!(goes_to("http://$host"), ["$host"]);
    }

    #[test]
    fn a_name_is_named_whole() {
        assert!(names("http://blog/x", "blog") && names("blog", "blog"));
        assert!(!names("blog.example.org", "blog") && !names("http://blogs", "blog"));
    }
}
