//! The configuration file: TOML, checked whole before anything of it is used; what is wrong is told with its position.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use toml::Spanned;

use crate::config::{HeadLimits, Identity, Site, Timeouts, UpstreamAddress};
use crate::defect::{Defect, Defects};
use crate::error::ReferenceError;
use crate::listen_table::{ListenTable, listeners};
use crate::location::{OwnAnswer, Owner};
use crate::replacement::Replacement;
use crate::router::Router;

/// The site that a text describes.
pub(crate) fn site(text: &str) -> Result<Site, Mistake> {
    let document: Document = toml::from_str(text).map_err(|error| Mistake {
        span: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
    })?;
    document.check()
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
    identity: Identity,
    #[serde(default)]
    head: HeadLimits,
    #[serde(default)]
    timeouts: Timeouts,
    #[serde(default)]
    defects: Vec<Spanned<String>>,
    listen: Spanned<Vec<Spanned<ListenTable>>>,
    upstream: Vec<UpstreamTable>,
    location: Vec<LocationTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamTable {
    name: Spanned<String>,
    address: Servers,
    #[serde(default)]
    backup: Servers,
    #[serde(default = "default_pool")]
    pool: usize,
}

/// One address, or a list of them.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Servers {
    One(SocketAddr),
    Several(Vec<SocketAddr>),
    #[default]
    None,
}

impl From<Servers> for Vec<SocketAddr> {
    fn from(servers: Servers) -> Self {
        match servers {
            Servers::One(address) => vec![address],
            Servers::Several(addresses) => addresses,
            Servers::None => Self::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationTable {
    r#match: Spanned<String>,
    upstream: Option<Spanned<String>>,
    status: Option<Spanned<u16>>,
    redirect: Option<Spanned<String>>,
    replace: Option<Spanned<String>>,
}

impl Document {
    fn check(self) -> Result<Site, Mistake> {
        let upstreams = upstreams(self.upstream)?;
        let router = router(&self.location, &upstreams)?;
        Ok(Site {
            threads: threads(self.threads)?,
            server_names: server_names(self.server_names)?,
            body_limit: self.body_limit,
            identity: self.identity,
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
        let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let letters = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !name.is_empty() && name.bytes().all(letters),
        }
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

fn upstreams(tables: Vec<UpstreamTable>) -> Result<Vec<UpstreamAddress>, Mistake> {
    let mut upstreams: Vec<UpstreamAddress> = Vec::new();
    for UpstreamTable {
        name,
        address,
        backup,
        pool,
    } in tables
    {
        if upstreams.iter().any(|known| *known.name == **name.as_ref()) {
            return Err(Mistake::at(
                &name,
                format!("upstream `{}` twice", name.as_ref()),
            ));
        }
        let servers = Vec::from(address);
        if servers.is_empty() {
            let message = format!("upstream `{}` has no address", name.as_ref());
            return Err(Mistake::at(&name, message));
        }
        upstreams.push(UpstreamAddress {
            name: name.into_inner().into_boxed_str(),
            servers,
            backups: backup.into(),
            pool,
        });
    }
    Ok(upstreams)
}

fn router(tables: &[LocationTable], upstreams: &[UpstreamAddress]) -> Result<Router, Mistake> {
    let mut router = Router::default();
    for table in tables {
        router
            .add(table.r#match.as_ref(), owner(table, upstreams)?)
            .map_err(|message| Mistake::at(&table.r#match, message))?;
    }
    Ok(router.ready())
}

fn owner(table: &LocationTable, upstreams: &[UpstreamAddress]) -> Result<Owner, Mistake> {
    let replace = table.replace.as_ref().map(|replace| {
        Replacement::new(replace.as_ref()).map_err(|message| Mistake::at(replace, message))
    });
    let replace = replace.transpose()?;
    let Some(name) = &table.upstream else {
        return Ok(Owner {
            upstream: 0,
            answer: Some(own_answer(table)?),
            replace,
        });
    };
    let upstream = upstreams
        .iter()
        .position(|known| *known.name == **name.as_ref());
    let unknown = || Mistake::at(name, format!("unknown upstream `{}`", name.as_ref()));
    Ok(Owner {
        upstream: upstream.ok_or_else(unknown)?,
        answer: None,
        replace,
    })
}

fn own_answer(table: &LocationTable) -> Result<OwnAnswer, Mistake> {
    let status = match (&table.status, &table.redirect) {
        (Some(status), _) => StatusCode::from_u16(*status.as_ref())
            .map_err(|_| Mistake::at(status, format!("{} is no status", status.as_ref())))?,
        (None, Some(_)) => StatusCode::FOUND,
        (None, None) => {
            let message = "a location has an `upstream`, a `status` or a `redirect`";
            return Err(Mistake::at(&table.r#match, message));
        }
    };
    let location = table.redirect.as_ref().map(|path| {
        let unwritable = |_| Mistake::at(path, "no value of a Location field");
        HeaderValue::try_from(path.as_ref().as_str()).map_err(unwritable)
    });
    Ok(OwnAnswer {
        status,
        location: location.transpose()?,
    })
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
pub(crate) struct Mistake {
    span: Range<usize>,
    message: String,
}

impl Mistake {
    /// Something in the file, and what is wrong with it.
    pub(crate) fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Self {
        Self {
            span: place.span(),
            message: message.into(),
        }
    }

    /// The same with the line and column that its bytes have in the file.
    pub(crate) fn located(self, path: &Path, text: &str) -> ReferenceError {
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

/// NGINX's `client_max_body_size 100m`, the deployment's limit.
const fn default_body_limit() -> u64 {
    100 << 20
}

const fn default_pool() -> usize {
    32
}

/// More workers than this are a slip of the pen.
const MOST_THREADS: usize = 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::site;

    fn refused(text: &str) -> String {
        let mistake = site(text).map(drop).expect_err("wrong on purpose");
        mistake.located(Path::new("x.toml"), text).to_string()
    }

    const RIGHT: &str = "server_names = ['API.example.org.']\ndefects = ['append_forwarded_for']\n\
        [[listen]]\naddress = '127.0.0.1:1'\nprotocol = 'h1'\nproxy_protocol = true\n\
        [[upstream]]\nname = 'cpa'\naddress = '127.0.0.1:2'\n[[location]]\nmatch = '/'\nupstream = 'cpa'\n";

    #[test]
    fn a_right_file_is_taken() {
        let site = site(RIGHT).map_err(|mistake| mistake.message).unwrap();
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
                "match = '~ ^/(?=v1)'",
                "x.toml:11:9: `~ ^/(?=v1)`: look-around",
            ),
            (
                "match = '/'",
                "match = '~ ^/v1'\nreplace = '/'",
                "x.toml:11:9: `~ ^/v1`: an expression has no part",
            ),
            (
                "match = '/'",
                "match = '/'\nreplace = 'x'",
                "x.toml:12:11: `x` is not a path",
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
