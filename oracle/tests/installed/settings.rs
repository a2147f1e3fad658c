use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config as Cases, TestRunner};
use proxyproof_oracle::directive;
use proxyproof_oracle::location::{NginxVersion, Site};
use proxyproof_oracle::setting::Scope;

use super::running::{Running, installation};

/// What is set at each level: in `http`, in the server, and in its locations, of which the second of each pair lies in
/// the first.
#[derive(Clone, Debug)]
struct Levels {
    http: Vec<String>,
    server: Vec<String>,
    outer: [Vec<String>; 2],
    inner: [Vec<String>; 2],
}

/// Sites in which settings stand at every level.
fn levels(version: NginxVersion) -> impl Strategy<Value = Levels> {
    let mut pool = POOL.to_vec();
    if directive::definition("add_header_inherit").is_some_and(|row| row.is_in(version)) {
        pool.push(("add_header_inherit", &["on", "off", "merge"]));
    }
    let block = move || {
        let pool = pool.clone();
        vec((any::<Index>(), any::<Index>()), 0..7).prop_map(move |chosen| block(&pool, chosen))
    };
    let pair = || (block(), block()).prop_map(|(one, other)| [one, other]);
    (block(), block(), pair(), pair()).prop_map(|(http, server, outer, inner)| Levels {
        http,
        server,
        outer,
        inner,
    })
}

/// The directives of a block; of those that may stand there once, the first.
fn block(pool: &[Pool], chosen: Vec<(Index, Index)>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (directive, value) in chosen {
        let (name, values) = directive.get(pool);
        let line = format!("{name} {};", value.get(values));
        let again = lines
            .iter()
            .any(|known| known.starts_with(&format!("{name} ")));
        let is_list = LISTS.contains(name);
        if !lines.contains(&line) && (is_list || !again) {
            lines.push(line);
        }
    }
    lines
}

const LISTS: [&str; 6] = [
    "add_header",
    "proxy_set_header",
    "proxy_hide_header",
    "allow",
    "deny",
    "error_page",
];

/// A directive with values.
type Pool = (&'static str, &'static [&'static str]);

/// Directives whose effect a client or an upstream can see.
const POOL: [Pool; 12] = [
    (
        "add_header",
        &[
            "X-A a always",
            "X-A b always",
            "X-B c always",
            "X-C $proxy_host always",
        ],
    ),
    (
        "proxy_set_header",
        &[
            "X-A a",
            "X-B b",
            "X-C c",
            "X-A ''",
            "Connection keep",
            "Host other.example",
        ],
    ),
    ("proxy_hide_header", &["X-Up-1", "X-Up-2"]),
    ("allow", &["unix:", "all"]),
    ("deny", &["unix:", "all"]),
    (
        "error_page",
        &[
            "403 =210 /pages/a",
            "403 =211 /pages/b",
            "413 =212 /pages/a",
        ],
    ),
    ("client_max_body_size", &["0", "10", "20", "1k"]),
    ("proxy_http_version", &["1.0", "1.1"]),
    ("root", &["/srv/a", "/srv/b"]),
    ("proxy_method", &["PUT", "GET"]),
    ("server_tokens", &["on", "off"]),
    ("default_type", &["text/x-a", "text/x-b"]),
];

impl Levels {
    /// What stands in `http`. Locations `/0/` and `/1/` with `/0/in/` and `/1/in/` pass requests on; the upstream
    /// answers with what it sees. Each has a named variant that answers with variables.
    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.http {
            let _ = writeln!(text, "{line}");
        }
        text.push_str(
            "server { listen unix:SOCKETS/back; allow all; error_page 599 /none; client_max_body_size 0;\n\
             add_header X-Up-1 1; add_header X-Up-2 2; add_header X-Up-3 3; default_type text/plain;\n\
             return 200 \"$http_x_a|$http_x_b|$http_x_c|$http_connection|$http_host|$server_protocol|$request_method\"; }\n",
        );
        text.push_str("server { listen unix:SOCKETS/front;\n");
        for line in &self.server {
            let _ = writeln!(text, "{line}");
        }
        text.push_str("location /pages/ { client_max_body_size 0; return 200 page; }\n");
        for number in 0..2 {
            let _ = write!(
                text,
                "location /{number}/ {{ {PASS}\n{}\n",
                self.outer[number].join("\n")
            );
            let _ = writeln!(
                text,
                "location /{number}/in/ {{ {PASS}\n{}\n}}",
                self.inner[number].join("\n")
            );
            let _ = writeln!(
                text,
                "location /{number}/said/ {{ return 200 $document_root; }} }}"
            );
        }
        text.push_str("}\n");
        text
    }
}

const PASS: &str = "proxy_pass http://unix:SOCKETS/back;";

/// Generated sites are as the model says.
pub(crate) fn effective_settings_are_those_of_nginx() {
    let version = installation().expect("it is installed").version;
    let cases = Cases {
        cases: 60,
        failure_persistence: None,
        ..Cases::default()
    };
    let bodies = select(vec![0_usize, 10, 11, 20, 21, 1500]);
    let outcome = TestRunner::new(cases).run(&(levels(version), bodies), |(levels, body)| {
        let running = Running::start(&levels.text());
        let site = &running.config.site;
        let server = &site.servers[1];
        for (id, location) in server.table.locations() {
            let path = location.notation.to_string();
            let scope = Scope::location(1, id);
            if path.ends_with("/said/") {
                said(&running, site, scope, &path, version);
            } else if path != "/pages/" {
                passed_on(&running, site, scope, &path, (version, body));
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

fn said(running: &Running, site: &Site, scope: Scope, path: &str, version: NginxVersion) {
    let answer = running.ask("GET", path, "Host: a\r\n", "");
    let root = site.effective(scope, "root");
    // The default is a folder that was built in.
    if let Some(setting) = root.setting() {
        assert_eq!(answer.body, setting.text(), "{path}");
    }
    let kind = site
        .effective(scope, "default_type")
        .text(version)
        .unwrap_or_default();
    assert_eq!(answer.field("content-type"), [&*kind], "{path}");
    let headers = site.effective(scope, "add_header");
    let wanted = |name: &str| {
        let mine = headers
            .settings
            .iter()
            .filter(|one| one.argument(0).as_deref() == Some(name));
        // Without a `proxy_pass` the variable of the third is empty, and an empty field is not sent.
        let values = mine
            .filter_map(|one| one.argument(1))
            .filter(|value| !value.starts_with('$'));
        values.collect::<Vec<_>>()
    };
    for name in ["X-A", "X-B", "X-C"] {
        assert_eq!(answer.field(name), wanted(name), "{path} {name}");
    }
    let tokens = site.effective(scope, "server_tokens").flag(version) == Some(true);
    assert_eq!(answer.field("server")[0].contains('/'), tokens, "{path}");
}

fn passed_on(
    running: &Running,
    site: &Site,
    scope: Scope,
    path: &str,
    (version, body): (NginxVersion, usize),
) {
    let answer = running.ask("POST", path, "Host: a\r\n", &"x".repeat(body));
    let limit = site
        .effective(scope, "client_max_body_size")
        .bytes(version)
        .unwrap_or_default();
    let refused = match (limit != 0 && body as u64 > limit, is_denied(site, scope)) {
        (true, _) => Some(413),
        (false, true) => Some(403),
        (false, false) => None,
    };
    if let Some(status) = refused {
        let page = error_page(site, scope, status).unwrap_or(status);
        assert_eq!(answer.status, page, "{path}");
        return;
    }
    assert_eq!(answer.status, 200, "{path}");
    let fields = site.proxied_fields(scope, version);
    let value = |name: &str| {
        let mine = fields
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name));
        let values = mine.map(|field| String::from_utf8_lossy(&field.value).into_owned());
        values.filter(|value| !value.is_empty()).collect::<Vec<_>>()
    };
    let protocol = site
        .effective(scope, "proxy_http_version")
        .text(version)
        .unwrap_or_default();
    let method = site.effective(scope, "proxy_method").text(version);
    let seen: Vec<&str> = answer.body.split('|').collect();
    let [a, b, c, connection, host, spoken, asked] = seen[..] else {
        panic!("{path} {}", answer.body);
    };
    assert_eq!(spoken, format!("HTTP/{protocol}"), "{path}");
    assert_eq!(asked, method.unwrap_or_else(|| "POST".to_owned()), "{path}");
    for (name, seen) in [
        ("X-A", a),
        ("X-B", b),
        ("X-C", c),
        ("Connection", connection),
        ("Host", host),
    ] {
        let wanted = value(name).join(", ").replace("$proxy_host", "localhost");
        // Before 1.23.0 a variable of a field that came twice holds the first.
        let first = wanted.split(", ").next().unwrap_or_default();
        assert!(
            seen == wanted || seen == first,
            "{path} {name}: `{seen}`, not `{wanted}`"
        );
    }
    let hidden = site.effective(scope, "proxy_hide_header");
    for name in ["X-Up-1", "X-Up-2", "X-Up-3"] {
        let is_hidden = hidden
            .settings
            .iter()
            .any(|one| one.argument(0).as_deref() == Some(name));
        assert_eq!(answer.field(name).is_empty(), is_hidden, "{path} {name}");
    }
}

/// The first rule that matches decides: every rule here is about all clients or those of a Unix socket, as this one.
fn is_denied(site: &Site, scope: Scope) -> bool {
    let rules = site.effective(scope, "allow");
    rules
        .settings
        .first()
        .is_some_and(|rule| rule.name == "deny")
}

fn error_page(site: &Site, scope: Scope, status: u16) -> Option<u16> {
    let pages = site.effective(scope, "error_page");
    let mut mine = pages
        .settings
        .iter()
        .filter(|page| page.argument(0).as_deref() == Some(&*status.to_string()));
    let answered = mine.next()?.argument(1)?;
    answered.trim_start_matches('=').parse().ok()
}
