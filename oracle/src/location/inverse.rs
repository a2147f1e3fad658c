use super::answer::Answer;
use super::candidates::Candidates;
use super::map::MapKey;
use super::request::Request;
use super::server::Server;
use super::site::Site;
use super::table::LocationId;
use super::template::Part;
use super::witness::{self, Captured};
use crate::setting::Scope;
use crate::upstream::Destination;

/// A location that leads to an upstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Way {
    /// The location.
    pub location: LocationId,
    /// Where its `proxy_pass` leads.
    pub destination: Destination,
}

/// What an upstream is to see of a request, and who it is.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Index of the server in [`Site::servers`] that must take the request.
    pub server: usize,
    /// The upstream, in each way the configuration writes it: [`Destination::upstream`].
    pub upstreams: &'a [&'a str],
    /// The request target that it receives.
    pub target: &'a [u8],
}

impl Site {
    /// The locations of a server that lead to a destination, in the order of the file.
    pub fn ways_to(&self, server: usize, is_it: &dyn Fn(&Destination) -> bool) -> Vec<Way> {
        let Some(known) = self.servers.get(server) else {
            return Vec::new();
        };
        let mut ways = Vec::new();
        for (location, _) in known.table.locations() {
            let destinations = self.destinations(Scope::location(server, location));
            let meant = destinations.found.into_iter().filter(|found| is_it(found));
            ways.extend(meant.map(|destination| Way {
                location,
                destination,
            }));
        }
        ways
    }

    /// A client's request that arrives so: like another in method, protocol and version, with the target, the host and
    /// the listener that lead there, and with a field more where a `map` of one chooses the upstream. `None` where none is found, which is no proof that there is none.
    ///
    /// A host or listener that `like` names is kept. What is found has been tried: [`Self::decide`] says of it what is
    /// asked for.
    pub fn request_for(&self, arrival: Arrival<'_>, like: &Request) -> Option<Request> {
        let server = self.servers.get(arrival.server)?;
        let listen = server
            .listens
            .iter()
            .find(|listen| listen.speaks(like.protocol));
        let listener = like
            .listener
            .clone()
            .or_else(|| listen.map(|listen| listen.address.clone()))?;
        let like = Request {
            listener: Some(listener),
            ..like.clone()
        };
        let targets = Candidates::of(server, arrival.target).targets;
        let variations = self.variations(server, &like);
        let requests = variations.iter().flat_map(|variation| {
            targets.iter().map(|target| Request {
                target: target.clone(),
                ..variation.clone()
            })
        });
        requests
            .take(MOST_TRIED)
            .find(|request| self.arrives(arrival, request))
    }

    /// The request with each host, and with each field, that the configuration asks for.
    fn variations(&self, server: &Server, like: &Request) -> Vec<Request> {
        let host = |host: String| Request {
            host: Some(host),
            ..like.clone()
        };
        let mut hosts = vec![like.host.clone().or_else(|| server.host())];
        if like.host.is_none() {
            hosts.extend(
                self.map_keys(&["host", "http_host"])
                    .into_iter()
                    .map(|(_, key)| Some(key)),
            );
            // The default server takes hosts that no name is for.
            hosts.push(Some(UNKNOWN_HOST.to_owned()));
        }
        let mut requests: Vec<Request> = hosts.into_iter().flatten().map(host).collect();
        let first = requests.first().cloned();
        for (variable, value) in self.map_keys(&["http_"]) {
            let name = variable.trim_start_matches("http_").replace('_', "-");
            let is_there = |(known, _): &(String, String)| known.eq_ignore_ascii_case(&name);
            let free = first
                .as_ref()
                .filter(|_| name != "host" && !like.fields.iter().any(is_there));
            if let Some(mut request) = free.cloned() {
                request.fields.push((name, value));
                requests.push(request);
            }
        }
        requests
    }

    /// The texts that maps of such variables (names, or beginnings that end in `_`) tell apart.
    fn map_keys(&self, variables: &[&str]) -> Vec<(String, String)> {
        let mut keys = Vec::new();
        for map in &self.maps {
            let [Part::Variable(source)] = &map.source.parts[..] else {
                continue;
            };
            let source = source.to_ascii_lowercase();
            let is_it = |wanted: &&str| {
                source == *wanted || wanted.ends_with('_') && source.starts_with(*wanted)
            };
            if !variables.iter().any(is_it) {
                continue;
            }
            for entry in map.entries.iter().take(MOST_KEYS) {
                let texts = match &entry.key {
                    MapKey::Text(text) => vec![text.clone()],
                    // One without an end may want more: no host ends in a dot.
                    MapKey::Regex(regex) => {
                        let first = witness::texts(regex, &Captured::new()).into_iter().next();
                        let both = |text: Vec<u8>| [text.clone(), [&text[..], b"x"].concat()];
                        first.into_iter().flat_map(both).collect()
                    }
                };
                let texts = texts.into_iter();
                let texts = texts.filter_map(|text| String::from_utf8(text).ok());
                let texts = texts.filter(|text| {
                    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
                });
                keys.extend(texts.map(|text| (source.clone(), text)));
            }
        }
        keys
    }

    fn arrives(&self, arrival: Arrival<'_>, request: &Request) -> bool {
        let decision = self.decide(request);
        let is_server = decision
            .server
            .is_some_and(|(number, _)| number == arrival.server);
        match decision.answer {
            Answer::Proxied { upstream, target } => {
                is_server && target == arrival.target && arrival.upstreams.contains(&&*upstream)
            }
            _ => false,
        }
    }
}

/// So many requests are tried, which takes a second at most.
const MOST_TRIED: usize = 20_000;
/// Entries of one map that are tried.
const MOST_KEYS: usize = 32;

/// A name that no site has (RFC 2606).
const UNKNOWN_HOST: &str = "unknown.invalid";
