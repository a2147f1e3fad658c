//! A manifest to start from, out of a configuration.

use super::{OwnConfiguration, private_copy};
use crate::candidate::{Candidate, Feature, ListenerKind, PrivateCopy, Role};
use crate::deployment::written::{list, quoted};

impl OwnConfiguration {
    /// A folder for `run`: a manifest and the files of this candidate, as they would be staged but with their own
    /// addresses, by name.
    #[must_use]
    pub fn folder_draft(candidate: &Candidate, name: &str) -> Vec<(String, String)> {
        let mut manifest = format!(
            "# Made from a configuration by `proxyproof init`; every key is in docs/candidates.md.\n\
             name = {}\nabout = \"what it is for, in a sentence\"\nfeatures = {}\n\n[launch]\nbinary = {}\narguments = {}\n",
            quoted(name),
            list(candidate.features.iter().map(Feature::to_string)),
            quoted(&candidate.launch.binary.display().to_string()),
            list(candidate.launch.arguments.iter().cloned()),
        );
        if let Some(language) = candidate.launch.language {
            manifest.push_str(&format!("language = \"{}\"\n", language.name()));
        }
        if let Some(validate) = &candidate.launch.validate {
            manifest.push_str(&format!("validate = {}\n", list(validate.iter().cloned())));
        }
        if let Some(version) = &candidate.launch.version {
            manifest.push_str(&format!(
                "version = {{ arguments = {}, after = {} }}\n",
                list(version.arguments.iter().cloned()),
                quoted(&version.after)
            ));
        }
        let signals = candidate.launch.signals;
        manifest.push_str(&format!(
            "signals = {{ stop = \"{}\", drain = \"{}\", reload = \"{}\" }}\n",
            signals.stop.word(),
            signals.drain.word(),
            signals.reload.word()
        ));
        if let Some(log) = &candidate.launch.log {
            manifest.push_str(&format!("log = {}\n", quoted(log)));
        }
        let mut files = Vec::new();
        for file in &candidate.launch.files {
            let text = match &file.private_copy {
                Some(PrivateCopy::Nginx(own)) => private_copy(&file.text, own),
                _ => file.text.clone(),
            };
            manifest.push_str(&format!("\n[[file]]\nname = {}\n", quoted(&file.name)));
            if file.role == Role::Template {
                let from = format!("{}.j2", file.name);
                manifest.push_str(&format!("from = {}\nrole = \"template\"\n", quoted(&from)));
                files.push((from, text));
            } else {
                files.push((file.name.clone(), text));
            }
        }
        for hint in &candidate.hints {
            let listener = match hint.listener {
                None => "",
                Some(ListenerKind::Tls) => "listener = \"tls\"\n",
                Some(ListenerKind::ProxyProtocol) => "listener = \"proxy_protocol\"\n",
                Some(ListenerKind::TlsInFront) => "listener = \"tls_in_front\"\n",
            };
            let patterns: Vec<String> = hint.finding.all().iter().map(|one| quoted(one)).collect();
            manifest.push_str(&format!(
                "\n[[hint]]\nfinding = [{}]\n{listener}at = {}\nchange = {}\nbecause = {}\n",
                patterns.join(", "),
                quoted(&hint.at),
                quoted(&hint.change),
                quoted(&hint.because)
            ));
        }
        files.insert(0, (crate::candidate::MANIFEST.to_owned(), manifest));
        files
    }
}
