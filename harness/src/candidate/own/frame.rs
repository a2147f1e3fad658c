//! What the main file of a server usually has that a fragment refers to.

use std::collections::BTreeSet;

use proxyproof_oracle::conf::{self, Directive};

use super::source::PROXY_PARAMS;
use super::unconfined::{gate, is_of_another_protocol};
use super::{Maps, OwnConfiguration};

impl OwnConfiguration {
    /// Maps of variables that the fragment uses and nobody defines, as NGINX's documentation has them.
    pub(super) fn frame(&self) -> String {
        let lacking = USUAL_MAPS
            .iter()
            .filter(|(name, _)| self.lacks_variable(name));
        lacking.map(|(_, map)| *map).collect()
    }

    /// What the copy does without, and what it has besides, a sentence each.
    #[must_use]
    pub fn left_out_of_the_copy(&self) -> Vec<String> {
        let missing = self.missing.iter().map(|missing| {
            let (written, place) = (&missing.written, &missing.place);
            format!("left out: include {written} ({place}), which is not there")
        });
        let mut sources = self.sources();
        let supplied = sources.find(|source| source.origin == PROXY_PARAMS.0);
        let supplied =
            supplied.map(|source| format!("assumed: {}, which is not there", source.origin));
        let missing = missing.chain(supplied);
        let is_fragment = !self.has(b"http");
        let lacking = USUAL_MAPS.iter().filter(|_| is_fragment);
        let assumed = lacking
            .filter(|(name, _)| self.lacks_variable(name))
            .map(|(name, _)| {
                format!("assumed: the usual map for ${name}, which the file does not define")
            });
        let others = LEFT_OUT.iter().filter(|(name, _)| self.sets(name));
        let others = others.map(|(name, why)| format!("left out: {name}, since {why}"));
        let pages = self.pages().into_iter();
        let pages = pages.map(|page| {
            format!("left out: error_page {page}, since the page is a file of the server")
        });
        let all = missing.chain(self.lacking_words()).chain(assumed);
        let gates = self.gates().into_iter().map(|name| {
            let why = match name.as_str() {
                "server_port" | "http_x_forwarded_proto" => "the stage has ports of its own",
                _ => UNSATISFIED,
            };
            format!("left out: the `if` on ${name}, since {why}")
        });
        all.chain(others).chain(gates).chain(pages).collect()
    }

    /// Variables by which clients are turned away, but for what is made of the PROXY header, which every probe has.
    pub(super) fn gates(&self) -> BTreeSet<String> {
        let (mut gates, mut of_the_header) = (BTreeSet::new(), BTreeSet::new());
        self.walk(&mut |_, _, directive| {
            gates.extend(gate(directive));
            let words = directive.arguments();
            if let (true, [source, given, ..]) = (directive.is("map"), words)
                && source.text() == "$proxy_protocol_addr"
            {
                let given = given.text();
                of_the_header.insert(given.trim_start_matches('$').to_owned());
            }
        });
        gates.retain(|name| !of_the_header.contains(name));
        gates
    }

    /// Whether some file says this, and not `off`.
    fn sets(&self, name: &str) -> bool {
        let mut found = false;
        self.walk(&mut |_, above, directive| {
            let is_off = directive
                .arguments()
                .first()
                .is_some_and(|word| word.value() == b"off");
            found |= directive.is(name) && !is_off && !is_of_another_protocol(above);
        });
        found
    }

    /// Paths of error pages that a location takes from the disk: the stage has no such file, and would answer 404.
    pub(super) fn pages(&self) -> BTreeSet<String> {
        let mut pages = BTreeSet::new();
        self.walk(&mut |_, _, directive| {
            let Some(path) = directive.arguments().last() else {
                return;
            };
            let answers = |child: &Directive| {
                child.is("return") || child.is("include") || child.name().ends_with(b"_pass")
            };
            if directive.is("location") && !directive.children().iter().any(answers) {
                pages.insert(path.text().into_owned());
            }
        });
        let mut shown = BTreeSet::new();
        self.walk(&mut |_, _, directive| {
            let page = directive
                .arguments()
                .last()
                .map(|page| page.text().into_owned());
            shown.extend(page.filter(|page| directive.is("error_page") && pages.contains(page)));
        });
        shown
    }

    /// Whether the frame defines this variable.
    pub(super) fn is_assumed(&self, name: &str) -> bool {
        let of_the_gallery = || self.maps == Maps::Assumed && gallery_defines(name);
        USUAL_MAPS.iter().any(|(known, _)| *known == name) || of_the_gallery()
    }

    fn lacks_variable(&self, name: &str) -> bool {
        let (mut used, mut defined) = (false, false);
        let variable = format!("${name}");
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let has = |text: &str| {
            let mut found = text.match_indices(&variable);
            found.any(|(at, _)| !text[at + variable.len()..].starts_with(is_part))
        };
        self.walk(&mut |_, _, directive| {
            let gives = ["map", "set", "geo"]
                .iter()
                .any(|giver| directive.is(giver));
            for word in directive.arguments() {
                match gives && *word.text() == variable {
                    true => defined = true,
                    false => used |= has(&word.text()),
                }
            }
        });
        used && !defined
    }
}

/// Whether the maps of the gallery, beside the published fragment, define this variable.
fn gallery_defines(name: &str) -> bool {
    let maps = conf::Document::parse(GALLERY_MAPS);
    let variable = format!("${name}");
    maps.is_ok_and(|maps| {
        let mut directives = maps.directives().iter();
        directives.any(|map| map.argument(1) == Some(variable.as_bytes()))
    })
}

const GALLERY_MAPS: &[u8] = include_bytes!("../../../../candidates/nginx/maps.conf");

/// Variables that copies use without their maps, and the maps.
const USUAL_MAPS: [(&str, &str); 1] = [(
    "connection_upgrade",
    "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n",
)];

/// Directives that the copy does without, and why.
const LEFT_OUT: [(&str, &str); 13] = [
    ("auth_basic", UNSATISFIED),
    ("auth_request", UNSATISFIED),
    ("auth_jwt", UNSATISFIED),
    ("allow", UNSATISFIED),
    ("limit_except", "every method is asked"),
    ("ssl_verify_client", UNSATISFIED),
    ("limit_req", EXCEEDED),
    ("limit_conn", EXCEEDED),
    (
        "proxy_cache",
        "an earlier answer would be taken for the upstream's",
    ),
    ("mirror", "a request would arrive twice"),
    ("modsecurity", "its rules would be asked, and not the proxy"),
    ("pagespeed", "it changes pages"),
    ("proxy_bind", "the stage has addresses of its own"),
];
const UNSATISFIED: &str = "no probe can satisfy it";
const EXCEEDED: &str = "a suite that asks everything at once exceeds it";
