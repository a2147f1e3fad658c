use super::refusal::Refusal;
use super::version::NginxVersion;

/// What NGINX takes from a request line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct RequestLine {
    /// From the first byte of the path (or the `?` where the path is empty) to the end of the target.
    pub(crate) target: Vec<u8>,
    /// The host of an absolute-form target, without its port.
    pub(crate) host: Option<Vec<u8>>,
    port: Vec<u8>,
    /// `http://host?query`: the path is empty and becomes `/`.
    pub(crate) path: PathForm,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum PathForm {
    #[default]
    Present,
    Empty,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    BeforeTarget,
    Scheme,
    SchemeSlash,
    SchemeSecondSlash,
    BeforeAuthority,
    HostStart,
    Host,
    HostEnd,
    IpLiteral,
    Port,
    Target,
    BeforeVersion,
    Version(usize),
    Minor,
    AfterVersion,
    LineFeed,
}

const VERSION: &[u8] = b"HTTP/1.";
const MAJOR: usize = 5;
const MAJOR_END: usize = 6;

/// The line `METHOD target HTTP/1.1` as `ngx_http_parse_request_line` reads it (nginx 1.22.1 and 1.31.3), so that a
/// target with blanks or line ends in it means here what it means there.
pub(crate) fn parse(
    method: &[u8],
    target: &[u8],
    version: NginxVersion,
) -> Result<RequestLine, Refusal> {
    let is_token = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
    if method.is_empty() || !method.iter().all(is_token) {
        return Err(Refusal::Method);
    }
    let is_connect = method == b"CONNECT";
    let mut reader = Reader {
        line: RequestLine::default(),
        host_start: 0,
        target_start: None,
        authority_only: is_connect && version.reads_connect_authority(),
        state: State::BeforeTarget,
    };
    if reader.authority_only {
        reader.state = State::BeforeAuthority;
    }
    let mut line = target.to_vec();
    line.extend_from_slice(b" HTTP/1.1\r\n");
    for (at, byte) in line.iter().enumerate() {
        if let Progress::Done = reader.step(&line, at, *byte)? {
            break;
        }
    }
    reader.line.check_host(version)?;
    match method {
        b"CONNECT" | b"TRACE" => Err(Refusal::MethodNotAllowed),
        _ => Ok(reader.line),
    }
}

enum Progress {
    More,
    Done,
}

struct Reader {
    line: RequestLine,
    host_start: usize,
    target_start: Option<usize>,
    authority_only: bool,
    state: State,
}

impl Reader {
    fn step(&mut self, line: &[u8], at: usize, byte: u8) -> Result<Progress, Refusal> {
        self.state = match (self.state, byte) {
            (State::BeforeTarget, b' ') => State::BeforeTarget,
            (State::BeforeTarget, b'/') => self.target_begins(at),
            (State::BeforeTarget, byte) if byte.is_ascii_alphabetic() => State::Scheme,
            (State::Scheme, b':') => State::SchemeSlash,
            (State::Scheme, b'0'..=b'9' | b'+' | b'-' | b'.') => State::Scheme,
            (State::Scheme, byte) if byte.is_ascii_alphabetic() => State::Scheme,
            (State::SchemeSlash, b'/') => State::SchemeSecondSlash,
            (State::SchemeSecondSlash, b'/') => State::HostStart,
            (State::BeforeAuthority, b' ') => State::BeforeAuthority,
            (State::BeforeAuthority | State::HostStart, byte) => {
                self.host_start = at;
                match byte {
                    b'[' => State::IpLiteral,
                    _ => self.in_host(line, at, byte)?,
                }
            }
            (State::Host, byte) => self.in_host(line, at, byte)?,
            (State::IpLiteral, b']') => State::HostEnd,
            (State::IpLiteral, byte) if is_ip_literal(byte) => State::IpLiteral,
            (State::HostEnd, byte) => self.after_host(line, at, byte)?,
            (State::Port, b'0'..=b'9') => {
                self.line.port.push(byte);
                State::Port
            }
            (State::Port, byte) => self.host_ends(line, at, byte)?,
            (State::Target, byte) => return self.in_target(line, at, byte),
            (State::BeforeVersion, b' ') => State::BeforeVersion,
            (State::BeforeVersion | State::LineFeed, b'\n') => return Ok(Progress::Done),
            (State::BeforeVersion, b'\r') => State::LineFeed,
            (State::BeforeVersion, b'H') => State::Version(1),
            (State::Version(read), byte) if VERSION.get(read) == Some(&byte) => {
                State::Version(read + 1)
            }
            (State::Version(MAJOR), b'2'..=b'9') | (State::Version(MAJOR_END), b'0'..=b'9') => {
                return Err(Refusal::Version);
            }
            (State::Version(read), b'0'..=b'9') if read == VERSION.len() => State::Minor,
            (State::Minor, b'0'..=b'9') => State::Minor,
            (State::Minor | State::AfterVersion, b' ') => State::AfterVersion,
            (State::Minor | State::AfterVersion, b'\r') => State::LineFeed,
            (State::Minor | State::AfterVersion, b'\n') => return Ok(Progress::Done),
            _ => return Err(Refusal::RequestLine { at }),
        };
        Ok(Progress::More)
    }

    fn target_begins(&mut self, at: usize) -> State {
        self.target_start = Some(at);
        State::Target
    }

    fn in_target(&mut self, line: &[u8], at: usize, byte: u8) -> Result<Progress, Refusal> {
        let start = self.target_start.unwrap_or(at);
        match byte {
            b' ' | b'\r' | b'\n' => self.line.target = line[start..at].to_vec(),
            0..=0x1f | 0x7f => return Err(Refusal::RequestLine { at }),
            _ => return Ok(Progress::More),
        }
        self.state = match byte {
            b' ' => State::BeforeVersion,
            b'\r' => State::LineFeed,
            _ => return Ok(Progress::Done),
        };
        Ok(Progress::More)
    }

    fn in_host(&mut self, line: &[u8], at: usize, byte: u8) -> Result<State, Refusal> {
        match byte {
            b'0'..=b'9' | b'.' | b'-' => Ok(State::Host),
            byte if byte.is_ascii_alphabetic() => Ok(State::Host),
            _ => self.after_host(line, at, byte),
        }
    }

    fn after_host(&mut self, line: &[u8], at: usize, byte: u8) -> Result<State, Refusal> {
        match byte {
            b':' => {
                self.line.host = Some(line[self.host_start..at].to_vec());
                Ok(State::Port)
            }
            _ if self.authority_only => Err(Refusal::RequestLine { at }),
            _ => self.host_ends(line, at, byte),
        }
    }

    fn host_ends(&mut self, line: &[u8], at: usize, byte: u8) -> Result<State, Refusal> {
        if self.line.host.is_none() {
            self.line.host = Some(line[self.host_start..at].to_vec());
        }
        match byte {
            b' ' => {
                self.line.target = b"/".to_vec();
                Ok(State::BeforeVersion)
            }
            _ if self.authority_only => Err(Refusal::RequestLine { at }),
            b'/' => Ok(self.target_begins(at)),
            b'?' => {
                self.line.path = PathForm::Empty;
                Ok(self.target_begins(at))
            }
            _ => Err(Refusal::RequestLine { at }),
        }
    }
}

impl RequestLine {
    /// A target that is a path with a query.
    pub(crate) fn origin_form(target: &[u8]) -> Self {
        Self {
            target: target.to_vec(),
            ..Self::default()
        }
    }

    /// `ngx_http_validate_host`: lower-cased, one final dot gone, not empty, no `..`; the port below 65536 in 1.31.3.
    fn check_host(&mut self, version: NginxVersion) -> Result<(), Refusal> {
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        host.make_ascii_lowercase();
        let has_two_dots = host.windows(2).any(|pair| pair == b"..");
        if host.last() == Some(&b'.') {
            host.pop();
        }
        let digits = self.port.iter().skip_while(|digit| **digit == b'0');
        let port = digits.fold(0_u32, |port, digit| {
            port.saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'))
        });
        let is_bad_port = version.checks_ports() && port > u32::from(u16::MAX);
        match host.is_empty() || has_two_dots || is_bad_port {
            true => Err(Refusal::Host),
            false => Ok(()),
        }
    }
}

fn is_ip_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":-._~!$&'()*+,;=".contains(&byte)
}
