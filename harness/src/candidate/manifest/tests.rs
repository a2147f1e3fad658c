//! What a manifest that is wrong is told.

use std::fmt::Write;

use super::*;
use crate::candidate::ListenerKind;
use crate::deployment::{Deployment, Front};

/// A folder in memory.
struct Files(&'static [(&'static str, &'static str)]);

impl Folder for Files {
    fn text(&self, name: &str) -> Result<String, String> {
        let file = self.0.iter().find(|(file, _)| *file == name);
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "no such file".to_owned())
    }

    fn origin(&self, name: &str) -> String {
        name.to_owned()
    }
}

const FILES: Files = Files(&[
    ("proxy.conf", "listen 127.0.0.1:8003;\n"),
    ("broken.j2", "one {{ two\n"),
]);

const RIGHT: &str = r#"
name = "proxy"
about = "a proxy"
features = ["http_one"]

[launch]
binary = "proxy"
arguments = ["{{ work }}/proxy.conf"]

[[file]]
name = "proxy.conf"

[known]
"streaming/* streaming.*_held" = "buffers until 16 kB"

[[hint]]
finding = "identity.*"
change = "replace it"
because = "it appends"
"#;

/// The error of a manifest in which `from` is `to`, as a person reads it.
fn told(from: &str, to: &str) -> String {
    assert!(RIGHT.contains(from), "`{from}` is in the manifest");
    let error = Manifest::new(&RIGHT.replace(from, to), &FILES)
        .candidates()
        .expect_err("wrong on purpose");
    let mut told = format!("{error}\n");
    for label in &error.labels {
        let place = error.text.get(label.span.clone()).unwrap();
        let _ = writeln!(told, "  `{}` {}", place.trim_end(), label.text);
    }
    if let Some(help) = &error.help {
        let _ = writeln!(told, "  help: {help}");
    }
    told
}

#[test]
fn a_right_manifest_is_read() {
    let candidates = Manifest::new(RIGHT, &FILES).candidates().unwrap();
    let [candidate] = &candidates[..] else {
        panic!("one candidate")
    };
    assert_eq!(candidate.name, "proxy");
    assert_eq!(candidate.launch.files[0].text, "listen 127.0.0.1:8003;\n");
    assert_eq!(candidate.known[0].reason, "buffers until 16 kB");
}

#[test]
fn a_variant_inherits_what_it_does_not_say() {
    let text = format!(
        "{RIGHT}\n[[variant]]\nname = \"proxy-other\"\nabout = \"another\"\nfeatures = []\n\
         [variant.known]\n\"* routes.*\" = \"all of it\"\n[[variant.hint]]\nfinding = \"identity.*\"\n\
         change = \"delete it\"\nbecause = \"it is there twice\"\n"
    );
    let candidates = Manifest::new(&text, &FILES).candidates().unwrap();
    let other = &candidates[1];
    assert_eq!(other.name, "proxy-other");
    assert!(other.features.is_empty());
    assert_eq!(other.launch.files, candidates[0].launch.files);
    assert_eq!(other.known[0].pattern, "*");
    assert_eq!(other.hint("identity.x").unwrap().change, "delete it");
}

#[test]
fn advice_may_be_for_some_listeners_only() {
    let hint = |listener: &str, change: &str| {
        format!(
            "[[hint]]\nfinding = \"trial.*\"\n{listener}change = \"{change}\"\nbecause = \"so\"\n"
        )
    };
    let text = format!(
        "{RIGHT}\n{}{}",
        hint("listener = \"proxy_protocol\"\n", "the header's"),
        hint("", "the connection's")
    );
    let candidates = Manifest::new(&text, &FILES).candidates().unwrap();
    let change = |deployment: &Deployment| {
        let hint = candidates[0].hint_for("trial.x", None, deployment);
        hint.map(|hint| hint.change)
    };
    let mut deployment = Deployment::cpa_two_hosts();
    assert_eq!(change(&deployment).as_deref(), Some("the header's"));
    deployment.put_behind(Front::None, true);
    assert_eq!(change(&deployment).as_deref(), Some("the connection's"));
}

#[test]
fn a_variant_has_gaps_of_versions_besides_those_of_all() {
    let edition = |table: &str| {
        format!(
            "[[{table}]]\nbefore = \"2\"\nlistener = \"tls\"\n[{table}.known]\n\"{table} routes.*\" = \"so\"\n"
        )
    };
    let text = format!(
        "{RIGHT}\n{}[[variant]]\nname = \"proxy-other\"\nabout = \"another\"\n{}",
        edition("version"),
        edition("variant.version"),
    );
    let candidates = Manifest::new(&text, &FILES).candidates().unwrap();
    let gaps = |candidate: &Candidate| -> Vec<(String, Option<ListenerKind>)> {
        let known = candidate.editions.iter().flat_map(|edition| &edition.known);
        known
            .map(|gap| (gap.pattern.clone(), gap.listener))
            .collect()
    };
    let of_all = ("version".to_owned(), Some(ListenerKind::Tls));
    let of_one = ("variant.version".to_owned(), Some(ListenerKind::Tls));
    assert_eq!(gaps(&candidates[0]), std::slice::from_ref(&of_all));
    assert_eq!(gaps(&candidates[1]), [of_all, of_one]);
}

#[test]
fn a_native_file_is_for_one_deployment() {
    let text = RIGHT.replace(
        "name = \"proxy.conf\"",
        "name = \"proxy.conf\"\ndeployment = \"cpa-two-hosts\"",
    );
    let candidates = Manifest::new(&text, &FILES).candidates().unwrap();
    let mut deployment = crate::deployment::Deployment::cpa_two_hosts();
    assert!(candidates[0].serves(&deployment).is_ok());
    "another".clone_into(&mut deployment.name);
    let error = candidates[0].serves(&deployment).unwrap_err();
    assert_eq!(
        error.to_string(),
        "candidate `proxy` has a configuration for deployment `cpa-two-hosts` alone"
    );
}

#[test]
fn wrong_manifests_are_told_where_and_what() {
    let told = [
        told("name = \"proxy\"", "name = "),
        told("name = \"proxy\"", "name = \"a proxy\""),
        told("about = \"a proxy\"", "abot = \"a proxy\""),
        told("about = \"a proxy\"\n", ""),
        told("[\"http_one\"]", "[\"http_onee\"]"),
        told("binary = \"proxy\"\n", ""),
        told("binary =", "kind = \"embedded\"\nbinary ="),
        told("arguments = [\"{{ work }}", "arguments = [\"{{ work"),
        told("arguments =", "argumets ="),
        told("arguments =", "signals = { stop = \"KILL\" }\narguments ="),
        told("arguments =", "readiness = { target = \"x\" }\narguments ="),
        told(
            "arguments =",
            "readiness = { within = \"soon\" }\narguments =",
        ),
        told("name = \"proxy.conf\"", "name = \"../proxy.conf\""),
        told("name = \"proxy.conf\"", "name = \"other.conf\""),
        told(
            "name = \"proxy.conf\"",
            "name = \"a\"\nfrom = \"broken.j2\"\nrole = \"template\"",
        ),
        told(
            "name = \"proxy.conf\"",
            "name = \"proxy.conf\"\ninsert = [{ after = \"http {\", text = \"x\" }]",
        ),
        told(
            "[known]",
            "[[version]]\nlistener = \"tls\"\nfeatures = [\"drain\"]\n\n[known]",
        ),
        told(
            "name = \"proxy.conf\"",
            "name = \"proxy.conf\"\nrole = \"template\"\ndeployment = \"x\"",
        ),
        told("[known]", "[[file]]\nname = \"proxy.conf\"\n\n[known]"),
        told("[[file]]\nname = \"proxy.conf\"\n", ""),
        told("\"buffers until 16 kB\"", "\"\""),
        told("\"streaming/* streaming.*_held\"", "\"streaming/*\""),
        told("change = \"replace it\"", "change = \"\""),
        told(
            "[[hint]]",
            "[[variant]]\nname = \"proxy\"\nabout = \"the same\"\n\n[[hint]]",
        ),
    ]
    .join("\n");
    insta::assert_snapshot!(told);
}
