use serde::Serialize;

use super::check::{Want, serves};
use super::config::Config;
use crate::location::{Answer, Match, Owner, Request};
use crate::printable::Printable;

/// A spelling of a protected path that the proxy gives to one upstream, and that this upstream reads as another's path.
#[derive(Clone, Debug, Serialize)]
pub struct Confusion {
    /// The location of the deployment whose path is spelled.
    pub protected: String,
    /// The target as sent.
    pub target: String,
    /// Who gets it.
    pub goes_to: String,
    /// The path that this upstream reads: decoded once, dot segments and double slashes left alone, as Go's server does.
    pub read_as: String,
    /// Whose path that is.
    pub belongs_to: String,
}

impl Confusion {
    /// For a terminal: how many there are, and one of each way a path goes wrong.
    pub fn text(all: &[Self]) -> String {
        if all.is_empty() {
            return String::new();
        }
        let count = all.len();
        let mut text = format!(
            "note: {count} spellings of protected paths are read differently by the upstream that gets them\n"
        );
        for confusion in all.iter().step_by(count.div_ceil(SHOWN)) {
            let Self {
                target,
                goes_to,
                read_as,
                belongs_to,
                ..
            } = confusion;
            text.push_str(&format!(
                "  {target}     goes to {goes_to}, which reads {read_as}, a path of {belongs_to}\n"
            ));
        }
        if count > SHOWN {
            text.push_str("  --json lists them all\n");
        }
        text
    }
}

/// Every spelling of every protected path that is read in two ways.
pub fn confusions(config: &Config, want: Want<'_>) -> Vec<Confusion> {
    let locations = want
        .table
        .locations()
        .map(|(_, location)| &location.notation);
    let protected =
        locations.filter(|notation| notation.text.len() > 1 && !notation.modifier.is_regex());
    let mut found = Vec::new();
    for notation in protected {
        for target in spellings(&notation.text) {
            found.extend(confusion(config, want, &notation.to_string(), target));
        }
    }
    found
}

fn confusion(
    config: &Config,
    want: Want<'_>,
    protected: &str,
    target: Vec<u8>,
) -> Option<Confusion> {
    let request = Request {
        host: want.host.map(str::to_owned),
        ..Request::get(target.clone())
    };
    let Answer::Proxied {
        upstream,
        target: arrived,
    } = config.site.decide(&request).answer
    else {
        return None;
    };
    let mut upstreams = want.upstreams.iter();
    let known =
        upstreams.find(|(name, address)| *name == upstream || serves(config, &upstream, address));
    let goes_to = known.map(|(name, _)| name.clone())?;
    let read_as = read(&arrived);
    let found = want
        .table
        .find(&read_as)
        .ok()
        .filter(|found| *found != Match::Server)?;
    let belongs_to = match want.table.owner(found).wish() {
        Owner::Upstream { name, .. } => name.clone(),
        _ => return None,
    };
    (belongs_to != goes_to).then(|| Confusion {
        protected: protected.to_owned(),
        target: Printable(&target).to_string(),
        goes_to,
        read_as: Printable(&read_as).to_string(),
        belongs_to,
    })
}

/// The path of a target as a server reads it that only decodes.
fn read(target: &[u8]) -> Vec<u8> {
    let path = target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *byte == b'%');
        let value = digits
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(value.unwrap_or(*byte));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// A path in every odd spelling: each of its slashes, its first letter, what may stand before and behind it.
fn spellings(path: &[u8]) -> Vec<Vec<u8>> {
    let below = if path.ends_with(b"/") {
        [path, b"x"].concat()
    } else {
        path.to_vec()
    };
    let mut all = Vec::new();
    for (at, _) in below.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        for slash in SLASHES {
            all.push([&below[..at], slash.as_bytes(), &below[at + 1..]].concat());
        }
    }
    all.push([format!("/%{:02x}", below[1]).as_bytes(), &below[2..]].concat());
    for before in BEFORE {
        all.push([before.as_bytes(), &below[1..]].concat());
    }
    for behind in BEHIND {
        all.push([below.as_slice(), behind.as_bytes()].concat());
    }
    all.retain(|target| target.starts_with(b"/"));
    all
}

/// What a slash may be written as.
const SLASHES: [&str; 7] = ["//", "/./", "/%2e/", "/x/../", "/x/%2e%2e/", "%2f", "%252f"];
/// What may stand before a path and lead to it.
const BEFORE: [&str; 4] = ["/x/..%2f", "/x%2f..%2f", "/x/..;/", "/x/%2e%2e%2f"];
/// What may stand behind a path and lead away from it, or not.
const BEHIND: [&str; 7] = ["#x", ";x", "/.", "/..%2fx", "/../x", "/%2e%2e/x", "%23"];
/// So many are shown.
const SHOWN: usize = 4;
