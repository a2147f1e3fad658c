//! The configuration file: TOML, checked whole before anything of it is used.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::defect::{Defect, Defects};
use crate::error::ReferenceError;
use crate::router::Router;

/// What the proxy serves: a configuration that was found right.
#[derive(Debug)]
pub(crate) struct Site {
    /// Worker threads, each a runtime with connections and pools of its own.
    pub(crate) threads: usize,
    /// Host names that are served, lower-case, without port.
    pub(crate) server_names: Vec<Box<str>>,
    /// Largest request body in bytes.
    pub(crate) body_limit: u64,
    /// Limits of message heads.
    pub(crate) head: HeadLimits,
    /// How long each wait may last.
    pub(crate) timeouts: Timeouts,
    /// Where connections are accepted.
    pub(crate) listeners: Vec<Arc<Listen>>,
    /// Where requests go.
    pub(crate) upstreams: Vec<UpstreamAddress>,
    /// Which upstream owns a path.
    pub(crate) router: Router,
    /// Bugs switched on.
    pub(crate) defects: Defects,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listen {
    /// Where it is bound.
    pub(crate) address: SocketAddr,
    /// What is spoken on it.
    pub(crate) protocol: Protocol,
    /// Whether every connection must begin with a PROXY protocol header.
    #[serde(default)]
    pub(crate) proxy_protocol: bool,
}

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// HTTP/1.1 and 1.0.
    H1,
    /// HTTP/2 with prior knowledge.
    H2,
}

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamAddress {
    /// Its name in the configuration.
    pub(crate) name: Box<str>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Idle connections that each worker keeps.
    pub(crate) pool: usize,
}

/// Limits of message heads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HeadLimits {
    /// Bytes of a request head; more is answered with 431. At least 8192, a bound of hyper.
    pub(crate) request_bytes: usize,
    /// Header fields of an HTTP/1 request; more is answered with 431.
    pub(crate) request_fields: usize,
    /// Bytes of a request target; more is answered with 414.
    pub(crate) target_bytes: usize,
    /// Bytes of a response head; more is answered with 502.
    pub(crate) response_bytes: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            request_bytes: 64 << 10,
            request_fields: 100,
            target_bytes: 8 << 10,
            response_bytes: 64 << 10,
        }
    }
}

/// How long each wait may last; milliseconds in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timeouts {
    /// An upstream accepting a connection.
    #[serde(rename = "connect_ms", deserialize_with = "milliseconds")]
    pub(crate) connect: Duration,
    /// Silence of an upstream that owes bytes, and of a tunnel both ways.
    #[serde(rename = "read_ms", deserialize_with = "milliseconds")]
    pub(crate) read: Duration,
    /// A peer, client or upstream, that takes no bytes.
    #[serde(rename = "send_ms", deserialize_with = "milliseconds")]
    pub(crate) send: Duration,
    /// A PROXY header, and a request head from its first byte.
    #[serde(rename = "header_ms", deserialize_with = "milliseconds")]
    pub(crate) header: Duration,
    /// Silence of a client that owes bytes of a request body.
    #[serde(rename = "body_ms", deserialize_with = "milliseconds")]
    pub(crate) body: Duration,
    /// A client connection without a request, and an unused upstream connection.
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub(crate) idle: Duration,
    /// Everything in flight after SIGTERM.
    #[serde(rename = "drain_ms", deserialize_with = "milliseconds")]
    pub(crate) drain: Duration,
    /// Reading on after a refusal, so that a client that still sends can read the answer.
    #[serde(rename = "linger_ms", deserialize_with = "milliseconds")]
    pub(crate) linger: Duration,
    /// An upstream's word on `Expect: 100-continue`, before the body is asked for anyway.
    #[serde(rename = "expect_ms", deserialize_with = "milliseconds")]
    pub(crate) expect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(3600),
            send: Duration::from_secs(3600),
            header: Duration::from_secs(60),
            body: Duration::from_secs(3600),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            expect: Duration::from_secs(1),
        }
    }
}

impl Site {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, ReferenceError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ReferenceError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(&text).map_err(|mistake| mistake.located(path, &text))
    }

    fn parse(text: &str) -> Result<Self, Mistake> {
        let document: Document = toml::from_str(text).map_err(|error| Mistake {
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
        })?;
        document.check()
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    threads: Option<Spanned<usize>>,
    server_names: Spanned<Vec<Spanned<String>>>,
    #[serde(default = "default_body_limit")]
    body_limit: u64,
    #[serde(default)]
    head: HeadLimits,
    #[serde(default)]
    timeouts: Timeouts,
    #[serde(default)]
    defects: Vec<Spanned<String>>,
    listen: Spanned<Vec<Spanned<Listen>>>,
    upstream: Vec<UpstreamTable>,
    location: Vec<LocationTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamTable {
    name: Spanned<String>,
    address: SocketAddr,
    #[serde(default = "default_pool")]
    pool: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationTable {
    r#match: Spanned<String>,
    upstream: Spanned<String>,
}

impl Document {
    fn check(self) -> Result<Site, Mistake> {
        let upstreams = upstreams(self.upstream)?;
        let router = router(&self.location, &upstreams)?;
        Ok(Site {
            threads: threads(self.threads)?,
            server_names: server_names(self.server_names)?,
            body_limit: self.body_limit,
            head: self.head,
            timeouts: self.timeouts,
            listeners: listeners(self.listen)?,
            upstreams,
            router,
            defects: defects(&self.defects)?,
        })
    }
}

fn threads(wanted: Option<Spanned<usize>>) -> Result<usize, Mistake> {
    match wanted {
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
        Some(wanted) if (1..=MOST_THREADS).contains(wanted.as_ref()) => Ok(*wanted.as_ref()),
        Some(wanted) => Err(Mistake::at(
            &wanted,
            format!("`threads` must be 1 to {MOST_THREADS}"),
        )),
    }
}

fn server_names(names: Spanned<Vec<Spanned<String>>>) -> Result<Vec<Box<str>>, Mistake> {
    if names.as_ref().is_empty() {
        return Err(Mistake::at(
            &names,
            "no server name: every host would be refused",
        ));
    }
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    let names = names
        .into_inner()
        .into_iter()
        .map(|name| match plain(name.as_ref()) {
            true => Ok(name
                .as_ref()
                .trim_end_matches('.')
                .to_ascii_lowercase()
                .into_boxed_str()),
            false => Err(Mistake::at(
                &name,
                format!("`{}` is not a host name without port", name.as_ref()),
            )),
        });
    names.collect()
}

fn listeners(tables: Spanned<Vec<Spanned<Listen>>>) -> Result<Vec<Arc<Listen>>, Mistake> {
    if tables.as_ref().is_empty() {
        return Err(Mistake::at(&tables, "no listener"));
    }
    let mut listeners: Vec<Arc<Listen>> = Vec::new();
    for table in tables.into_inner() {
        if listeners
            .iter()
            .any(|known| known.address == table.as_ref().address)
        {
            return Err(Mistake::at(
                &table,
                format!("listener {} twice", table.as_ref().address),
            ));
        }
        listeners.push(Arc::new(table.into_inner()));
    }
    Ok(listeners)
}

fn upstreams(tables: Vec<UpstreamTable>) -> Result<Vec<UpstreamAddress>, Mistake> {
    let mut upstreams: Vec<UpstreamAddress> = Vec::new();
    for UpstreamTable {
        name,
        address,
        pool,
    } in tables
    {
        if upstreams.iter().any(|known| *known.name == **name.as_ref()) {
            return Err(Mistake::at(
                &name,
                format!("upstream `{}` twice", name.as_ref()),
            ));
        }
        upstreams.push(UpstreamAddress {
            name: name.into_inner().into_boxed_str(),
            address,
            pool,
        });
    }
    Ok(upstreams)
}

fn router(tables: &[LocationTable], upstreams: &[UpstreamAddress]) -> Result<Router, Mistake> {
    let mut router = Router::default();
    for LocationTable {
        r#match: notation,
        upstream,
    } in tables
    {
        let owner = upstreams
            .iter()
            .position(|known| *known.name == **upstream.as_ref());
        let owner = owner.ok_or_else(|| {
            Mistake::at(
                upstream,
                format!("unknown upstream `{}`", upstream.as_ref()),
            )
        })?;
        router
            .add(notation.as_ref(), owner)
            .map_err(|message| Mistake::at(notation, message))?;
    }
    Ok(router.ready())
}

fn defects(names: &[Spanned<String>]) -> Result<Defects, Mistake> {
    let mut defects = Defects::default();
    for name in names {
        let defect: Defect = name
            .as_ref()
            .parse()
            .map_err(|error| Mistake::at(name, format!("{error}")))?;
        defects.insert(defect);
    }
    Ok(defects)
}

/// What is wrong, and the bytes of the file that say so.
struct Mistake {
    span: Range<usize>,
    message: String,
}

impl Mistake {
    fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Self {
        Self {
            span: place.span(),
            message: message.into(),
        }
    }

    fn located(self, path: &Path, text: &str) -> ReferenceError {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        ReferenceError::Configuration {
            path: path.to_owned(),
            line,
            column,
            message: self.message,
        }
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u64::deserialize(deserializer)? {
        wait @ ..=LONGEST_WAIT => Ok(Duration::from_millis(wait)),
        wait => Err(serde::de::Error::custom(format_args!(
            "{wait} ms is longer than a year"
        ))),
    }
}

/// NGINX's `client_max_body_size 100m`, the deployment's limit.
const fn default_body_limit() -> u64 {
    100 << 20
}

const fn default_pool() -> usize {
    32
}

/// A year in milliseconds; keeps deadlines far from the end of the clock.
const LONGEST_WAIT: u64 = 365 * 24 * 3600 * 1000;

/// More workers than this are a slip of the pen.
const MOST_THREADS: usize = 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Site;

    fn refused(text: &str) -> String {
        let mistake = Site::parse(text).map(drop).expect_err("wrong on purpose");
        mistake.located(Path::new("x.toml"), text).to_string()
    }

    const RIGHT: &str = "server_names = ['API.example.org.']\ndefects = ['append_forwarded_for']\n\
        [[listen]]\naddress = '127.0.0.1:1'\nprotocol = 'h1'\nproxy_protocol = true\n\
        [[upstream]]\nname = 'cpa'\naddress = '127.0.0.1:2'\n[[location]]\nmatch = '/'\nupstream = 'cpa'\n";

    #[test]
    fn a_right_file_is_taken() {
        let site = Site::parse(RIGHT)
            .map_err(|mistake| mistake.message)
            .unwrap();
        assert_eq!(&*site.server_names[0], "api.example.org");
        assert_eq!(site.body_limit, 104_857_600);
        assert!(site.defects.any());
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_position() {
        let cases = [
            (
                "name = 'cpa'",
                "name = 'x'",
                "x.toml:12:12: unknown upstream `cpa`",
            ),
            (
                "append_",
                "prepend_",
                "x.toml:2:12: unknown defect `prepend_forwarded_for`",
            ),
            (
                "match = '/'",
                "match = '~ ^/v1'",
                "x.toml:11:9: `~ ^/v1`: regular expressions",
            ),
            ("'h1'", "'h3'", "x.toml:5:12: unknown variant `h3`"),
            (
                "name = 'cpa'",
                "name = 'cpa'\nnames = 1",
                "x.toml:9:1: unknown field `names`",
            ),
            ("['API.example.org.']", "[]", "x.toml:1:16: no server name"),
            (
                "'127.0.0.1:1'",
                "'localhost'",
                "x.toml:4:11: invalid socket address",
            ),
            (
                "[[listen]]",
                "[timeouts]\nread_ms = 1e3\n[[listen]]",
                "x.toml:4:11: ",
            ),
        ];
        for (from, to, expected) in cases {
            let message = refused(&RIGHT.replacen(from, to, 1));
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
