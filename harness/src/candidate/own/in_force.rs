//! What a user's configuration says where a request was served: which line is to blame, and whether a change is made already.

use proxyproof_oracle::conf::{Body, Directive, Document};
use proxyproof_oracle::location::{LocationId, NginxVersion, Place as Written, Request, Site};
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::setting::{Effective, Scope, Setting};
use proxyproof_oracle::upstream::Upstream;

use super::OwnConfiguration;
use crate::candidate::Hint as Advice;
use crate::deployment::Deployment;
use crate::hint::{Hint, Place};

/// A user's configuration, to be asked about requests.
#[derive(Debug)]
pub(crate) struct InForce {
    own: OwnConfiguration,
    config: Config,
    /// The listeners that are asked, as NGINX completes them.
    listeners: Vec<String>,
    host: String,
    version: NginxVersion,
}

/// Where a request was served.
struct Served<'a> {
    config: &'a Config,
    scope: Scope,
    version: NginxVersion,
}

/// What is to be changed, and why there.
struct Fault {
    place: Option<Written>,
    /// The words that are marked in its line.
    marked: String,
    /// What holds instead, where the directive itself does not stand there.
    instead: Option<String>,
}

impl InForce {
    /// `None` where the file is nothing that the oracle reads.
    pub(super) fn of(own: &OwnConfiguration, deployment: &Deployment) -> Option<Self> {
        Some(Self {
            config: own.config().ok()?,
            own: own.clone(),
            listeners: deployment
                .listeners
                .values()
                .map(|listener| listener.address.replace("0.0.0.0:", "*:"))
                .collect(),
            host: deployment.hosts.api.clone(),
            version: NginxVersion::default(),
        })
    }

    /// The first advice that the configuration does not follow already where this request was served, at its place; `None`
    /// where it follows all.
    pub(crate) fn hint<'h>(
        &self,
        advice: impl Iterator<Item = &'h Advice>,
        sent: Option<&str>,
    ) -> Option<Hint> {
        let served = self.served(sent)?;
        advice.into_iter().find_map(|one| self.at(one, &served))
    }

    fn at(&self, advice: &Advice, served: &Served<'_>) -> Option<Hint> {
        let fault = served.fault(advice.directive())?;
        let change = served.lacking(&advice.change)?;
        let (file, place) = match fault.place {
            Some(written) => {
                let (file, place) = self.shown(written, &fault.marked);
                (file, Some(place))
            }
            None => (self.own.main.origin.clone(), None),
        };
        Some(Hint {
            file,
            place,
            within: fault.instead.is_some(),
            because: match fault.instead {
                Some(instead) if advice.unset.is_empty() => {
                    format!("{instead}: {}", advice.because)
                }
                Some(instead) => format!("{instead}: {}", advice.unset),
                None => advice.because.clone(),
            },
            change,
        })
    }

    /// The server and the location that serve what was sent; for a request that cannot be read, the site's own.
    fn served(&self, sent: Option<&str>) -> Option<Served<'_>> {
        let site = &self.config.site;
        let sent = sent.and_then(Sent::read);
        let request = Request {
            host: sent
                .as_ref()
                .map_or(Some(self.host.clone()), |sent| sent.host.clone()),
            listener: self.listener(),
            version: self.version,
            method: sent
                .as_ref()
                .map_or(b"GET".to_vec(), |sent| sent.method.clone().into_bytes()),
            ..Request::get(sent.as_ref().map_or("/", |sent| sent.target.as_str()))
        };
        let decision = site.decide(&request);
        let (server, _) = decision.server?;
        Some(Served {
            config: &self.config,
            scope: Scope {
                server,
                location: decision.location,
            },
            version: self.version,
        })
    }

    /// One that the file has, among those that are asked.
    fn listener(&self) -> Option<String> {
        let servers = self.config.site.servers.iter();
        let mut open = servers.flat_map(|server| &server.listens);
        let asked = open.find(|listen| self.listeners.contains(&listen.address));
        asked.map(|listen| listen.address.clone())
    }

    /// A place as reports show it: its line, and what is marked in it.
    fn shown(&self, written: Written, marked: &str) -> (String, Place) {
        let name = self.config.tree.name(written.file);
        let source = self.own.sources().find(|source| source.origin == name);
        let text = source.unwrap_or(&self.own.main).text.clone();
        let start = (written.span.start as usize).min(text.len());
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let number = text[..start].matches('\n').count();
        let line = text[begin..].lines().next().unwrap_or_default();
        let mut place = Place::of(marked, &text[start..]).filter(|place| place.line == 1);
        if let Some(place) = &mut place {
            place.column += text[begin..start].chars().count();
        }
        let mut place = place.unwrap_or(Place {
            column: text[begin..start].chars().count() + 1,
            width: line[start - begin..]
                .trim_end_matches(['{', ' '])
                .chars()
                .count()
                .max(1),
            ..Place::default()
        });
        place.line = number + 1;
        line.clone_into(&mut place.source);
        (name.to_owned(), place)
    }
}

impl Served<'_> {
    fn site(&self) -> &Site {
        &self.config.site
    }

    /// Where the directive of these first words stands; else where it would have to. `None` for what the file does not have
    /// at all, and needs not.
    fn fault(&self, words: &str) -> Option<Fault> {
        let mut parts = words.split_whitespace();
        let name = parts.next().unwrap_or_default();
        let arguments: Vec<&str> = parts.collect();
        let at = |place: Option<Written>, marked: &str| {
            Some(Fault {
                place,
                marked: marked.to_owned(),
                instead: None,
            })
        };
        let server = &self.site().servers[self.scope.server];
        match name {
            "" => at(None, ""),
            "location" => at(Some(self.place()), name),
            "server_name" | "listen" => {
                let own = self.site().settings_in(Scope::server(self.scope.server));
                let found = own.iter().find(|setting| setting.name == name);
                at(Some(found.map_or(server.place, |one| one.place)), name)
            }
            "upstream" | "keepalive" => self.of_group(name),
            // An entry of a map: advice for files that have one.
            name if name.starts_with(['"', '\'']) => self.map_entry(name, &arguments),
            _ => self.setting(name, &arguments),
        }
    }

    fn setting(&self, name: &str, arguments: &[&str]) -> Option<Fault> {
        let effective = self.site().effective(self.scope, name);
        let marked = std::iter::once(&name).chain(arguments).copied();
        let marked = marked.collect::<Vec<_>>().join(" ");
        if let Some(found) = matching(&effective.settings, name, arguments) {
            return Some(Fault {
                place: Some(found.place),
                marked,
                instead: None,
            });
        }
        let here = match self.scope.location {
            Some(_) => "this location",
            None => "this server",
        };
        let instead = match matching(&effective.dropped, name, arguments) {
            Some(dropped) => {
                let own = effective.settings.first();
                let own = own.map(|own| format!(" ({})", self.config.line(own.place)));
                format!(
                    "{} has no effect in {here}, which has a {name} of its own{}",
                    self.config.line(dropped.place),
                    own.unwrap_or_default()
                )
            }
            None => self.unset(&effective, &marked, here),
        };
        Some(Fault {
            place: Some(self.place()),
            marked: String::new(),
            instead: Some(instead),
        })
    }

    fn unset(&self, effective: &Effective<'_>, words: &str, here: &str) -> String {
        let default = effective
            .definition
            .and_then(|definition| definition.default_value(self.version));
        match default {
            Some(default) if effective.settings.is_empty() => {
                format!("{words} is not set for {here}, and its default is `{default}`")
            }
            _ => format!("{words} is not set for {here}"),
        }
    }

    /// The `upstream` that the request goes to.
    fn group(&self) -> Option<&Upstream> {
        let scope = Scope::location(self.scope.server, self.scope.location?);
        let ways = self.site().destinations(scope).found;
        let group = ways.iter().find_map(|way| way.group)?;
        Some(&self.site().upstreams[group])
    }

    /// The group that the request goes to; for `keepalive`, which stands in one, the destination that has none.
    fn of_group(&self, name: &str) -> Option<Fault> {
        self.scope.location?;
        let Some(group) = self.group() else {
            let pass = self.site().effective(self.scope, "proxy_pass");
            return (name == "keepalive").then(|| Fault {
                place: Some(pass.setting().map_or(self.place(), |pass| pass.place)),
                marked: "proxy_pass".to_owned(),
                instead: Some("the destination is no `upstream` group".to_owned()),
            });
        };
        let own = group.settings.iter().find(|setting| setting.name == name);
        Some(Fault {
            place: Some(own.map_or(group.place, |own| own.place)),
            marked: name.to_owned(),
            instead: (name == "keepalive" && own.is_none())
                .then(|| format!("keepalive is not set for `{}`", group.name)),
        })
    }

    /// An entry of a map whose variable is in the Connection that the upstream gets.
    fn map_entry(&self, key: &str, value: &[&str]) -> Option<Fault> {
        let fields = self.site().effective(self.scope, "proxy_set_header");
        let connection = matching(&fields.settings, "proxy_set_header", &["Connection"])?;
        let variable = connection.argument(1)?;
        let tree = &self.config.tree;
        let mut found = None;
        for number in 0..tree.len() {
            tree.document(number)
                .walk(&mut |above, directive: &Directive| {
                    let map = above.last().filter(|block| block.is("map"));
                    let gives = map.is_some_and(|map| map.argument(1) == Some(variable.as_bytes()));
                    let is_key = directive.name().is_empty() == matches!(key, "\"\"" | "''");
                    let is_value = directive.arguments().len() == value.len()
                        && directive
                            .arguments()
                            .iter()
                            .zip(value)
                            .all(|(word, value)| word.text() == *value);
                    if found.is_none() && gives && is_key && is_value {
                        found = Some(Written {
                            file: number,
                            span: directive.span(),
                        });
                    }
                });
        }
        Some(Fault {
            place: Some(found?),
            marked: format!("{key} {}", value.join(" ")),
            instead: None,
        })
    }

    /// The line of the location, or of the server where none is chosen.
    fn place(&self) -> Written {
        let server = &self.site().servers[self.scope.server];
        let location = |id: LocationId| server.table.location(id).place;
        self.scope
            .location
            .and_then(location)
            .unwrap_or(server.place)
    }

    /// What of a change the configuration does not say already; all of it where it is no list of directives. `None` where
    /// nothing is lacking.
    fn lacking(&self, change: &str) -> Option<String> {
        let document = match Document::parse(change.as_bytes()) {
            Ok(document) if is_plain(&document) => document,
            _ => return Some(change.to_owned()),
        };
        let directives = document.directives().iter();
        let lacking = directives.filter(|directive| !self.says(directive));
        let lacking: Vec<String> = lacking
            .map(|directive| String::from_utf8_lossy(document.raw(directive.span())).into_owned())
            .collect();
        (!lacking.is_empty()).then(|| lacking.join(" "))
    }

    /// Whether a directive holds here as it is written there.
    fn says(&self, directive: &Directive) -> bool {
        let name = String::from_utf8_lossy(directive.name()).into_owned();
        let words = directive
            .arguments()
            .iter()
            .map(|word| word.value().to_vec());
        let words: Vec<Vec<u8>> = words.collect();
        if name == "keepalive" {
            let settings = self.group().map(|group| group.settings.iter());
            return settings.is_some_and(|mut own| own.any(|setting| setting.name == name));
        }
        let effective = self.site().effective(self.scope, &name);
        let settings = &effective.settings;
        let same = |setting: &&Setting| setting.name == name && setting.arguments == words;
        settings.iter().any(same)
            || settings.is_empty()
                && effective
                    .definition
                    .and_then(|definition| definition.default_value(self.version))
                    .is_some_and(|default| vec![default.as_bytes().to_vec()] == words)
    }
}

/// The one in force with these first arguments: field names have no case.
fn matching<'s>(settings: &[&'s Setting], name: &str, arguments: &[&str]) -> Option<&'s Setting> {
    let begins = |setting: &&&Setting| {
        let mut own = setting.arguments.iter();
        setting.name == name
            && arguments.iter().all(|wanted| {
                own.next()
                    .is_some_and(|own| own.eq_ignore_ascii_case(wanted.as_bytes()))
            })
    };
    settings.iter().rev().find(begins).copied()
}

/// Whether a change is nothing but directives without blocks.
fn is_plain(document: &Document) -> bool {
    let directives = document.directives();
    let plain = |directive: &Directive| !matches!(directive.body, Body::Block(_));
    !directives.is_empty() && directives.iter().all(plain)
}

/// A request as a finding shows it.
struct Sent {
    method: String,
    target: String,
    host: Option<String>,
}

impl Sent {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let host = lines.find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_host = name.eq_ignore_ascii_case("host") || name == ":authority";
            is_host.then(|| value.to_owned())
        });
        target.starts_with('/').then_some(Self {
            method,
            target,
            host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Candidate;

    const TEXT: &str = r#"map $http_upgrade $connection_upgrade { default upgrade; "" close; }
upstream pool { server 127.0.0.1:8317; }
server {
    listen 80;
    server_name api.example.org;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_buffering off;
    location / {
        proxy_pass http://pool;
        proxy_set_header Host $host;
    }
    location /ws/ {
        proxy_pass http://pool;
        proxy_buffering on;
        proxy_http_version 1.1;
        proxy_set_header Connection $connection_upgrade;
    }
}
"#;

    /// What the gallery's advice for a finding comes to where this path was served: `line`, with `+` where something is added
    /// in the block there; what is to be written; and why.
    fn hint(code: &str, path: &str) -> Option<(String, String, String)> {
        let own = OwnConfiguration::of_text(TEXT);
        let deployment = own.derive(&crate::candidate::Said::default()).unwrap();
        let in_force = InForce::of(&own, &deployment).unwrap();
        let candidate = Candidate::named("nginx").unwrap();
        let advice = candidate.hints.iter();
        let advice = advice.filter(|one| one.answers(code) && one.is_for(&deployment));
        let sent = format!("GET {path} HTTP/1.1\nHost: api.example.org\n");
        let hint = in_force.hint(advice, Some(&sent))?;
        let place = hint.place.unwrap();
        assert_eq!(place.source, TEXT.lines().nth(place.line - 1).unwrap());
        let within = if hint.within { "+" } else { "" };
        Some((format!("{}{within}", place.line), hint.change, hint.because))
    }

    #[test]
    fn the_line_is_the_one_in_force_where_the_request_was_served() {
        let (line, change, _) = hint("streaming.head_withheld", "/ws/x").unwrap();
        assert_eq!((&*line, &*change), ("14", "proxy_buffering off;"));
        let (line, change, _) = hint("upstream.connections_churn", "/ws/x").unwrap();
        assert_eq!((&*line, &*change), ("1", "\"\"      \"\";"));
    }

    #[test]
    fn what_holds_already_is_no_advice() {
        // Buffering is off there, by the server's own line, and `gzip` is by default.
        assert_eq!(hint("streaming.head_withheld", "/v1/x"), None);
        assert_eq!(hint("abort.unnoticed_while_idle", "/v1/x"), None);
    }

    #[test]
    fn what_a_location_drops_is_said_with_both_lines() {
        let (line, change, because) = hint("identity.forwarded_for_appended", "/v1/x").unwrap();
        assert_eq!(line, "8+");
        assert_eq!(change, "proxy_set_header X-Forwarded-For $remote_addr;");
        assert!(
            because.contains(
                ":6 has no effect in this location, which has a proxy_set_header of its own"
            ),
            "{because}"
        );
    }

    #[test]
    fn a_default_is_named() {
        let (line, change, because) = hint("upload.limit_too_low", "/v1/x").unwrap();
        assert_eq!((&*line, &*change), ("8+", "client_max_body_size 100m;"));
        assert!(because.contains("its default is `1m`"), "{because}");
        let (line, change, _) = hint("upstream.connection_per_request", "/v1/x").unwrap();
        assert_eq!(
            (&*line, &*change),
            (
                "8+",
                "proxy_http_version 1.1; proxy_set_header Connection \"\";"
            )
        );
    }

    #[test]
    fn what_stands_in_the_group_is_looked_for_there() {
        let (line, _, _) = hint("upstream.stays_down", "/v1/x").unwrap();
        assert_eq!(line, "2");
    }
}
