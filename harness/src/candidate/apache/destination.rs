//! Where Apache passes requests on to.

use super::reader::{Line, Word};

/// The argument of a directive that says where requests go.
pub(super) fn of(line: &Line) -> Option<&Word> {
    let names_one = |word: &&Word| is_url(&word.value);
    match &*line.name {
        "proxypass" | "proxypassmatch" | "balancermember" => line.arguments.iter().find(names_one),
        // Of one that a client chooses nobody knows where it leads; a path leads to whatever the server's name means.
        "rewriterule" => {
            let substitution = line.arguments.get(1);
            substitution.filter(|word| passes_on(line.value(2)) || word.value.starts_with(PROXY))
        }
        "sethandler" | "addhandler" | "action" => line
            .arguments
            .iter()
            .find(|word| word.value.starts_with(PROXY)),
        _ => None,
    }
}

/// What the copy has in its place: the address of an upstream by itself, as the stage replaces it, or one where no service is.
pub(super) fn in_the_copy(written: &str, upstreams: &[String]) -> String {
    let (proxy, url) = match written.strip_prefix(PROXY) {
        Some(url) => (PROXY, url),
        None => ("", written),
    };
    if url.starts_with("balancer://") {
        return written.to_owned();
    }
    let ours = upstreams.iter().find(|upstream| leads_to(url, upstream));
    let place = ours.map_or(NO_SERVICE, |ours| ours);
    // Behind a socket's path stands the scheme.
    let url = url.split_once('|').map_or(url, |(_, url)| url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", ""));
    let scheme = if scheme.contains(['%', '$', ':']) {
        "http"
    } else {
        scheme
    };
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    format!("{proxy}{scheme}://{place}{path}")
}

/// Whether a URL leads to this address.
pub(super) fn leads_to(url: &str, upstream: &str) -> bool {
    let url = url.strip_prefix(PROXY).unwrap_or(url);
    if let Some(socket) = url.strip_prefix("unix:") {
        let path = socket.split('|').next().unwrap_or_default();
        return upstream == format!("unix:{path}");
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let place = rest.split('/').next().unwrap_or_default();
    let usual = match scheme {
        "http" | "ws" => "80",
        "https" | "wss" => "443",
        _ => "",
    };
    upstream == place || upstream == format!("{place}:{usual}")
}

fn is_url(value: &str) -> bool {
    value.contains("://") || value.starts_with("unix:")
}

/// `[P]` or `[proxy]` among the flags of a rule.
fn passes_on(flags: &str) -> bool {
    let mut flags = flags.trim_matches(['[', ']']).split(',').map(str::trim);
    flags.any(|flag| flag.eq_ignore_ascii_case("p") || flag.eq_ignore_ascii_case("proxy"))
}

const PROXY: &str = "proxy:";
/// An address of loopback where no service is.
const NO_SERVICE: &str = "127.0.0.1:1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_deployments_leads_nowhere() {
        let upstreams = ["127.0.0.1:8317", "unix:/run/cpa.sock", "cpa:80"].map(str::to_owned);
        for (written, expected) in [
            ("http://127.0.0.1:8317/x$1", "http://127.0.0.1:8317/x$1"),
            ("ws://127.0.0.1:8317", "ws://127.0.0.1:8317"),
            (
                "unix:/run/cpa.sock|http://localhost/",
                "http://unix:/run/cpa.sock/",
            ),
            ("http://cpa/", "http://cpa:80/"),
            ("balancer://pool/", "balancer://pool/"),
            ("http://127.0.0.1:8318/x", "http://127.0.0.1:1/x"),
            ("https://cpa/", "https://127.0.0.1:1/"),
            (
                "proxy:unix:/run/php.sock|fcgi://localhost/",
                "proxy:fcgi://127.0.0.1:1/",
            ),
            ("%{ENV:TARGET}/x", "http://127.0.0.1:1"),
            ("http://%1/$1", "http://127.0.0.1:1/$1"),
        ] {
            assert_eq!(in_the_copy(written, &upstreams), expected, "{written}");
        }
    }
}
