use super::place::Place;
use super::template::Template;

/// What answers a request in a location, once its rewrites are done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Action {
    /// `proxy_pass`.
    Proxy(ProxyPass),
    /// Another directive that hands the request on or makes the answer.
    Handler(Handler),
    /// Nothing of the kind: files of `root` or `alias`.
    #[default]
    Files,
}

/// A `proxy_pass`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyPass {
    /// Name of the upstream, or host and port, as configured; with variables in it, as written.
    pub upstream: String,
    /// The URI part after the upstream (`/` in `http://backend/`); `None` if the request's own target goes through.
    pub uri: Option<Vec<u8>>,
    /// The `proxy_pass`; a deployment's routes have none.
    pub place: Option<Place>,
    pub(crate) template: Option<Template>,
    /// The argument as written.
    pub(crate) url: Vec<u8>,
}

/// A directive that answers, other than `proxy_pass`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Handler {
    /// `fastcgi_pass`, `content_by_lua_block`, …
    pub directive: String,
    /// Its arguments as written.
    pub arguments: String,
}

/// Directives that hand requests on to another server, as `proxy_pass` does: a location named `/x/` that has one
/// redirects `/x`.
const PASSING: [&str; 5] = [
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
];

/// Directives that make the answer themselves.
const ANSWERING: [&str; 11] = [
    "content_by_lua",
    "content_by_lua_block",
    "content_by_lua_file",
    "stub_status",
    "empty_gif",
    "perl",
    "js_content",
    "mp4",
    "flv",
    "api",
    "tunnel_pass",
];

impl Action {
    /// Hands requests to an upstream as they are.
    pub fn to_upstream(upstream: &str) -> Self {
        Self::Proxy(ProxyPass {
            upstream: upstream.to_owned(),
            uri: None,
            template: None,
            place: None,
            url: format!("http://{upstream}").into_bytes(),
        })
    }

    pub(crate) fn redirects_to_slash(&self) -> bool {
        match self {
            Self::Proxy(_) => true,
            Self::Handler(handler) => PASSING.contains(&handler.directive.as_str()),
            Self::Files => false,
        }
    }
}

/// Whether a directive makes its location answer otherwise than by files or `proxy_pass`.
pub(crate) fn is_handler(name: &[u8]) -> bool {
    let known = PASSING.iter().chain(&ANSWERING);
    known
        .into_iter()
        .any(|directive| directive.as_bytes() == name)
}

/// Why a `proxy_pass` cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProxyPassError {
    /// Neither `http://` nor `https://`.
    #[error("invalid URL prefix in `{url}`: it begins with neither `http://` nor `https://`")]
    Prefix {
        /// The argument.
        url: String,
    },
    /// Nothing after the scheme.
    #[error("no host in upstream `{url}`")]
    NoHost {
        /// The argument.
        url: String,
    },
}

impl ProxyPass {
    /// The argument of a `proxy_pass`.
    pub(crate) fn parse(url: &[u8], place: Option<Place>) -> Result<Self, ProxyPassError> {
        let shown = || String::from_utf8_lossy(url).into_owned();
        let template = Template::parse(url);
        let template = template.literal().is_none().then_some(template);
        let lower = url.to_ascii_lowercase();
        let scheme = [&b"http://"[..], b"https://"]
            .into_iter()
            .find(|scheme| lower.starts_with(scheme));
        let rest = match (scheme, &template) {
            (Some(scheme), _) => &url[scheme.len()..],
            (None, Some(_)) => url,
            (None, None) => return Err(ProxyPassError::Prefix { url: shown() }),
        };
        let (upstream, uri) = split_uri(rest);
        if upstream.is_empty() && template.is_none() {
            return Err(ProxyPassError::NoHost { url: shown() });
        }
        Ok(Self {
            upstream: String::from_utf8_lossy(upstream).into_owned(),
            uri: (!uri.is_empty()).then(|| uri.to_vec()),
            template,
            place,
            url: url.to_vec(),
        })
    }
}

/// Host and URI part: the URI begins at the first `/` or `?`, for a Unix socket after the colon behind its path.
pub(crate) fn split_uri(rest: &[u8]) -> (&[u8], &[u8]) {
    if let Some(path) = rest.strip_prefix(b"unix:") {
        let end = path.iter().position(|byte| *byte == b':');
        return match end {
            Some(end) => (&rest[..end + 5], &path[end + 1..]),
            None => (rest, b""),
        };
    }
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    rest.split_at(end)
}
