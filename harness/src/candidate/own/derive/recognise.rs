//! What program an upstream is, by the signs of it in a configuration.

use std::sync::Arc;

use crate::kind::{Kind, Signs};

/// What a configuration shows of an upstream.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Names of its group and its servers' hosts.
    pub(super) names: Vec<String>,
    pub(super) ports: Vec<u16>,
    /// The texts of the locations that lead to it.
    pub(super) paths: Vec<String>,
}

/// What it was recognised by, as a phrase for people.
#[derive(Debug)]
pub(super) struct Recognised {
    pub(super) kind: Arc<Kind>,
    pub(super) by: String,
}

impl Shown {
    /// The kind that it shows; `None` where nothing is sure.
    pub(super) fn recognise(&self) -> Option<Recognised> {
        let kinds = Kind::embedded();
        let signs: [fn(&Self, &Signs) -> Option<String>; 4] =
            [Self::own_port, Self::name, Self::path, Self::port];
        // A port that nobody else has is surer than a name, which may be a neighbour's too.
        signs.iter().find_map(|sign| {
            let mut kinds = kinds.iter();
            kinds.find_map(|kind| {
                let by = sign(self, &kind.signs)?;
                let kind = Arc::clone(kind);
                Some(Recognised { kind, by })
            })
        })
    }

    fn name(&self, signs: &Signs) -> Option<String> {
        let mut known = signs.names.iter();
        let name = known.find(|sign| self.names.iter().any(|name| has_word(name, sign)))?;
        Some(format!("its name has `{name}`"))
    }

    fn own_port(&self, signs: &Signs) -> Option<String> {
        let port = self
            .ports
            .iter()
            .find(|port| signs.own_ports.contains(port))?;
        Some(format!("port {port}"))
    }

    fn path(&self, signs: &Signs) -> Option<String> {
        let mut known = signs.paths.iter();
        let path = known.find(|sign| self.paths.iter().any(|path| path.contains(sign.as_str())))?;
        Some(format!("the location {path}"))
    }

    fn port(&self, signs: &Signs) -> Option<String> {
        let port = self.ports.iter().find(|port| signs.ports.contains(port))?;
        self.has_api().then(|| format!("port {port} and /v1"))
    }

    /// Whether some location is that of an OpenAI-like API.
    pub(super) fn has_api(&self) -> bool {
        let mut paths = self.paths.iter();
        let is_named = |path: &String| API.iter().any(|word| has_word(path, word));
        paths.any(|path| {
            path.contains("/v1") || path.contains("/chat/completions") || is_named(path)
        })
    }
}

/// How people call the part of a site where such an API is.
const API: [&str; 8] = [
    "ai",
    "anthropic",
    "claude",
    "gemini",
    "gpt",
    "llm",
    "llms",
    "openai",
];

/// Whether a name has a word in it that ends where letters and digits do.
fn has_word(name: &str, word: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut found = name.match_indices(word);
    found.any(|(at, _)| {
        let before = name[..at].chars().next_back();
        let after = name[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphabetic) && !after.is_some_and(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(names: &[&str], ports: &[u16], paths: &[&str]) -> Option<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let shown = Shown {
            names: texts(names),
            ports: ports.to_vec(),
            paths: texts(paths),
        };
        shown.recognise().map(|found| found.kind.name.clone())
    }

    #[test]
    fn an_api_is_known_by_its_path() {
        let has_api = |path: &str| {
            let paths = vec![path.to_owned()];
            Shown {
                paths,
                ..Shown::default()
            }
            .has_api()
        };
        for path in ["/v1/", "/llm/", "/api/openai/", "~ ^/ai(/|$)"] {
            assert!(has_api(path), "{path}");
        }
        for path in ["/", "/grafana/", "/mail/", "/api/"] {
            assert!(!has_api(path), "{path}");
        }
    }

    #[test]
    fn a_kind_is_known_by_one_sure_sign_or_two() {
        for (names, ports, paths, expected) in [
            (
                &["litellm_backend"][..],
                &[80][..],
                &["/"][..],
                Some("litellm"),
            ),
            (&["127.0.0.1"], &[8317], &["/"], Some("cpa")),
            (&["127.0.0.1"], &[11434], &["/"], Some("ollama")),
            (&["127.0.0.1"], &[4000], &["/v1/"], Some("litellm")),
            (&["127.0.0.1"], &[4000], &["/"], None),
            (
                &["127.0.0.1"],
                &[3000],
                &["/ws/socket.io/"],
                Some("open-webui"),
            ),
            (&["scrsx"], &[3000], &["/"], None),
            (&["vllm0"], &[8000], &["/"], Some("vllm")),
        ] {
            assert_eq!(
                kind(names, ports, paths).as_deref(),
                expected,
                "{names:?} {ports:?}"
            );
        }
    }
}
