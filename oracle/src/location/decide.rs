use super::action::Action;
use super::answer::{Answer, Decision, NotModelled};
use super::normalise::normalise;
use super::refusal::Refusal;
use super::request::Request;
use super::request_line::{self, PathForm, RequestLine};
use super::run::{Run, Validity};
use super::server::{self, Chosen, Protocol, Server};
use super::site::Site;

impl Site {
    /// What happens to a request, step by step.
    ///
    /// It never guesses: what is beyond the rules it knows comes as [`Answer::NotModelled`].
    pub fn decide(&self, request: &Request) -> Decision {
        let mut decision = Decision {
            server: None,
            normalised: None,
            searches: Vec::new(),
            location: None,
            answer: Answer::NotModelled(NotModelled::new("a configuration without servers", None)),
            gates: Vec::new(),
        };
        if let Err(answer) = self.decide_into(request, &mut decision) {
            decision.answer = answer;
        }
        decision
    }

    fn decide_into(&self, request: &Request, decision: &mut Decision) -> Result<(), Answer> {
        let Some((first, address)) = self.listener_for(request) else {
            return Err(Answer::NotModelled(NotModelled::new(
                "a protocol no listener speaks",
                None,
            )));
        };
        let first = &self.servers[first];
        let default = server::choose(&self.servers, &address, None)
            .map_or(first, |(number, _)| &self.servers[number]);
        let line = read_line(request, default.settings.line_limit)?;
        let host = line
            .host
            .as_ref()
            .map(|host| String::from_utf8_lossy(host).into_owned());
        let host = host
            .or_else(|| request.host.as_deref().map(plain_host))
            .or_else(|| usual_host(first));
        let chosen = server::choose(&self.servers, &address, host.as_deref());
        // What cannot be parsed is answered by the server known by then: the one of an absolute form, or the default.
        let early = match &line.host {
            Some(_) => chosen.map_or(default, |(number, _)| &self.servers[number]),
            None => default,
        };
        let normalised =
            normalise(&line.target, early.table.merge_slashes()).map_err(Answer::Refused)?;
        let (number, why) = chosen.unwrap_or((0, Chosen::Default));
        let server = &self.servers[number];
        decision.server = Some((number, why));
        decision.normalised = Some(normalised.clone());
        let validity = match line.path {
            PathForm::Present => Validity::Valid,
            PathForm::Empty => Validity::Gone,
        };
        let mut run = Run::new(self, server, request, &normalised, (line.target, validity));
        run.host = host;
        run.proxy_protocol = self.proxy_protocol(&address);
        run.address = address;
        decision.answer = run.run();
        decision.searches = run.searches;
        decision.location = run.location;
        let settings = run
            .location
            .map_or(&server.settings, |id| &server.table.location(id).settings);
        decision.gates = settings
            .gates
            .iter()
            .map(|(name, place)| (name.clone(), *place))
            .collect();
        Ok(())
    }

    /// The servers that answer for a host, each once, in the order of the file; without a host those that answer for
    /// their own names.
    pub fn servers_for(&self, host: Option<&str>) -> Vec<usize> {
        let listens = self.servers.iter().flat_map(|server| {
            let own = usual_host(server);
            let host = host.map(plain_host).or(own);
            server
                .listens
                .iter()
                .map(move |listen| (listen.address.clone(), host.clone()))
        });
        let chosen = listens
            .filter_map(|(address, host)| server::choose(&self.servers, &address, host.as_deref()));
        let mut numbers: Vec<usize> = chosen.map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The servers that answer for hosts that none is named for, each once.
    pub fn default_servers(&self) -> Vec<usize> {
        let listens = self.servers.iter().flat_map(|server| &server.listens);
        let chosen =
            listens.filter_map(|listen| server::choose(&self.servers, &listen.address, None));
        let mut numbers: Vec<usize> = chosen.map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The listener a request is meant for, and a server there: the one it names; else, of those that speak its
    /// protocol, one where its host is known; else the first whose server has locations.
    fn listener_for(&self, request: &Request) -> Option<(usize, String)> {
        let numbered = || self.servers.iter().enumerate();
        let listens = numbered().flat_map(|(number, server)| {
            let listens = server
                .listens
                .iter()
                .filter(|listen| match &request.listener {
                    Some(address) => listen.address == *address,
                    None => listen.speaks(request.protocol),
                });
            listens.map(move |listen| (number, listen.address.clone()))
        });
        let listens: Vec<_> = listens.collect();
        let host = request.host.as_deref().map(plain_host);
        let mut known: Option<(Chosen, u8, usize)> = None;
        for (at, (_, address)) in listens.iter().enumerate() {
            let chosen = host
                .as_deref()
                .and_then(|host| server::choose(&self.servers, address, Some(host)));
            let Some((number, why)) = chosen.filter(|(_, why)| *why != Chosen::Default) else {
                continue;
            };
            let worth = worth(&self.servers[number]);
            if known.is_none_or(|(best, value, _)| (why, worth) > (best, value)) {
                known = Some((why, worth, at));
            }
        }
        let has_locations = |(number, _): &&(usize, String)| worth(&self.servers[*number]) > 0;
        let found = match known {
            Some((_, _, at)) => listens.get(at),
            None => listens.iter().find(has_locations).or(listens.first()),
        };
        found.cloned()
    }
}

/// How much of a site a server is: one that passes requests on is what people ask about, rather than one that
/// redirects.
fn worth(server: &Server) -> u8 {
    let mut locations = server.table.locations();
    match locations.len() {
        0 => 0,
        _ if locations.any(|(_, location)| matches!(location.action, Action::Proxy(_))) => 2,
        _ => 1,
    }
}

/// Host without port and final dot, lower-cased.
fn plain_host(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    let name = match lower.strip_prefix('[') {
        Some(_) => lower.find(']').map_or(lower.as_str(), |end| &lower[..=end]),
        None => lower.split(':').next().unwrap_or_default(),
    };
    name.strip_suffix('.').unwrap_or(name).to_owned()
}

fn usual_host(server: &Server) -> Option<String> {
    server.names.iter().find_map(server::ServerName::example)
}

fn read_line(request: &Request, limit: usize) -> Result<RequestLine, Answer> {
    if request.target.contains(&b'\n') {
        return Err(Answer::NotModelled(NotModelled::new(
            "a line end in the target",
            None,
        )));
    }
    match request.protocol {
        Protocol::Http1 => read_http1_line(request, limit).map_err(Answer::Refused),
        Protocol::Http2 => read_http2_path(request, limit),
    }
}

/// The first error in the bytes that fit is a 400; a line that does not fit and has none in them is a 414.
fn read_http1_line(request: &Request, limit: usize) -> Result<RequestLine, Refusal> {
    let length = request.method.len() + 1 + request.target.len() + " HTTP/1.1\r\n".len();
    let line = request_line::parse(&request.method, &request.target, request.version);
    match line {
        Err(Refusal::Method) => line,
        Err(Refusal::RequestLine { at }) if request.method.len() + 1 + at < limit => line,
        _ if length > limit => Err(Refusal::TooLong { length, limit }),
        line => line,
    }
}

fn read_http2_path(request: &Request, limit: usize) -> Result<RequestLine, Answer> {
    let is_token = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
    if request.target.len() > limit {
        let what = "an HTTP/2 path above the buffer size, which Huffman coding may bring below";
        return Err(Answer::NotModelled(NotModelled::new(what, None)));
    }
    if request.method.is_empty() || !request.method.iter().all(is_token) {
        return Err(Answer::Refused(Refusal::Method));
    }
    let bad = request
        .target
        .iter()
        .position(|byte| *byte <= 0x20 || *byte == 0x7f);
    let bad = if request.target.starts_with(b"/") {
        bad
    } else {
        Some(0)
    };
    if let Some(at) = bad {
        return Err(Answer::Refused(Refusal::Path { at }));
    }
    match request.method.as_slice() {
        b"CONNECT" | b"TRACE" => Err(Answer::Refused(Refusal::MethodNotAllowed)),
        _ => Ok(RequestLine::origin_form(&request.target)),
    }
}
