use super::answer::{Answer, Decision, NotModelled};
use super::normalise::normalise;
use super::refusal::Refusal;
use super::request::Request;
use super::request_line::{self, PathForm, RequestLine};
use super::run::{Run, Validity};
use super::server::{self, Chosen, Protocol, ProxyProtocol, Server};
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
        let Some(first) = self.first_server(request) else {
            return Err(Answer::NotModelled(NotModelled::new(
                "a protocol no listener speaks",
                None,
            )));
        };
        let address = self.address(request, first);
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

    /// The server a request is meant for if it does not say: the first with locations on a listener of the protocol.
    fn first_server(&self, request: &Request) -> Option<&Server> {
        let speaks = |server: &&Server| match &request.listener {
            Some(address) => server
                .listens
                .iter()
                .any(|listen| listen.address == *address),
            None => server
                .listens
                .iter()
                .any(|listen| listen.speaks(request.protocol)),
        };
        let mut with_locations = self
            .servers
            .iter()
            .filter(|server| server.table.locations().len() > 0);
        with_locations
            .find(speaks)
            .or_else(|| self.servers.iter().find(speaks))
    }

    fn address(&self, request: &Request, server: &Server) -> String {
        let mut listens = server.listens.iter();
        let first = listens.find(|listen| listen.speaks(request.protocol));
        let named = request.listener.clone();
        named
            .or_else(|| first.map(|listen| listen.address.clone()))
            .unwrap_or_default()
    }
}

impl Site {
    /// Whether connections to an address begin with a PROXY header: said once, it holds for every server there.
    fn proxy_protocol(&self, address: &str) -> ProxyProtocol {
        let listens = self.servers.iter().flat_map(|server| &server.listens);
        let mut here = listens.filter(|listen| listen.address == address);
        match here.any(|listen| listen.proxy_protocol == ProxyProtocol::Required) {
            true => ProxyProtocol::Required,
            false => ProxyProtocol::Off,
        }
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
