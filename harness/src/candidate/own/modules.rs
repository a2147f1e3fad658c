//! Directives of modules that the NGINX at hand does not have: the copy does without them.

use std::collections::BTreeSet;

use proxyproof_oracle::conf::Directive;
use proxyproof_oracle::directive::{definition, definitions};
use proxyproof_oracle::location::NginxVersion;
use proxyproof_oracle::unread::{Missing, UnreadKind, lacking, unread};

use super::site::gives_values;
use super::unconfined::{is_left_out, is_of_another_protocol};
use super::{OwnConfiguration, copy, text_of};
use crate::candidate::Candidate;
use crate::error::HarnessError;

/// What the copy does without because of the NGINX that runs it, and what stands in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Names of directives that this NGINX does not know.
    pub(super) directives: BTreeSet<String>,
    /// Variables that nothing defines then: they are empty in the copy.
    pub(super) variables: BTreeSet<String>,
}

impl OwnConfiguration {
    /// The same for the program of this candidate, or for an image: what that has no module for is left out of the copy.
    ///
    /// # Errors
    /// [`HarnessError::Document`] at the place that NGINX would refuse, [`HarnessError::System`] if the program can't be run.
    pub fn on(mut self, candidate: Option<&Candidate>) -> Result<Self, HarnessError> {
        let config = self.config()?;
        let unread = unread(&config.tree);
        let of_modules = lacking(&config.tree, NginxVersion::default()).into_iter();
        let of_modules = of_modules.filter(|one| match one.missing {
            Missing::Module(module) => !EVERYWHERE.contains(&module),
            _ => false,
        });
        let unknown = unread
            .iter()
            .filter(|one| one.kind != UnreadKind::Variable && !is_misspelt(&one.name));
        let names = of_modules.map(|one| one.what);
        let mut asked: BTreeSet<String> = names.collect();
        asked.extend(unknown.map(|one| one.name.clone()));
        if !asked.is_empty() {
            self.lacking.directives = match candidate {
                Some(candidate) => candidate.unknown_directives(asked, &self.modules())?,
                // An image has what NGINX's own builds have.
                None => asked
                    .into_iter()
                    .filter(|name| !is_official(name))
                    .collect(),
            };
        }
        let mut variables = self.given_by_what_is_left_out();
        if !self.has(b"http") {
            let others = unread
                .iter()
                .filter(|one| one.kind == UnreadKind::Variable && !self.is_assumed(&one.name));
            variables.extend(others.map(|one| one.name.clone()));
        }
        self.lacking.variables = variables;
        Ok(self)
    }

    /// Whether this is left out: a directive that NGINX does not know, and no value of a `map`.
    pub(super) fn is_lacking(&self, above: &[&Directive], directive: &Directive) -> bool {
        self.lacking.has(above, directive)
    }

    /// The modules that the copy loads, where they are.
    fn modules(&self) -> Vec<String> {
        let mut modules = Vec::new();
        self.walk(&mut |_, _, directive| {
            if let (true, Some(module)) =
                (directive.is("load_module"), directive.arguments().first())
            {
                let path = copy::module_path(&module.text());
                modules.extend(path.map(|path| path.display().to_string()));
            }
        });
        modules
    }

    /// `geoip2 … { $country … }` and `set_md5 $digest …` define variables.
    fn given_by_what_is_left_out(&self) -> BTreeSet<String> {
        let mut given = BTreeSet::new();
        self.walk(&mut |_, above, directive| {
            let of_block = above.last().is_some_and(|block| {
                self.is_lacking(&above[..above.len() - 1], block) && block.is("geoip2")
            });
            let words = match (of_block, self.is_lacking(above, directive)) {
                (true, _) => directive.words.first(),
                (false, true) => directive.arguments().first(),
                (false, false) => None,
            };
            let name = words.map(|word| word.text().into_owned());
            given.extend(name.and_then(|name| Some(name.strip_prefix('$')?.to_owned())));
        });
        given
    }

    /// A sentence for each directive that is left out, and for each variable that is empty.
    pub(super) fn lacking_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut seen = BTreeSet::new();
        self.walk(&mut |source, above, directive| {
            let within =
                (0..above.len()).any(|depth| self.is_lacking(&above[..depth], above[depth]));
            if within
                || is_left_out(above, directive)
                || is_of_another_protocol(above)
                || !self.is_lacking(above, directive)
            {
                return;
            }
            let name = text_of(directive);
            let line = source.parsed.line(directive.span().start);
            let what = directive.words.iter().map(|word| word.text().into_owned());
            let what = shortened(&what.collect::<Vec<_>>().join(" "));
            if seen.insert(name) {
                words.push(format!(
                    "left out: `{what}` ({}:{line}): this NGINX has no such directive",
                    source.origin
                ));
            }
        });
        let empty = self.lacking.variables.iter();
        words.extend(
            empty.map(|name| format!("assumed: ${name} is empty, since nothing here defines it")),
        );
        words
    }
}

impl Lacking {
    pub(super) fn has(&self, above: &[&Directive], directive: &Directive) -> bool {
        let is_value = above.last().is_some_and(gives_values);
        !is_value && self.directives.contains(&text_of(directive))
    }

    /// Definitions of the variables, on one line.
    pub(super) fn maps(&self) -> String {
        let maps = self.variables.iter();
        maps.map(|name| format!("map '' ${name} {{ default ''; }} "))
            .collect()
    }
}

/// Whether it is a known directive with a letter or two wrong: that is what NGINX has to say.
fn is_misspelt(name: &str) -> bool {
    definition(name).is_none()
        && definitions().any(|known| strsim::damerau_levenshtein(name, known.name) <= 2)
}

fn is_official(name: &str) -> bool {
    let module = definition(name).and_then(|known| known.module);
    module.is_some_and(|module| module.starts_with("http_"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Modules that hardly any build lacks; their directives are many.
const EVERYWHERE: [&str; 3] = ["http_realip_module", "http_ssl_module", "http_v2_module"];

/// What a line of a report has room for, in letters.
const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::super::Maps;
    use super::*;

    #[test]
    fn what_the_maps_of_the_gallery_define_is_not_empty() {
        let text = "server { location / { proxy_set_header Forwarded $proxy_add_forwarded; proxy_pass http://a:1; } }";
        for (maps, empty) in [(Maps::AsWritten, 1), (Maps::Assumed, 0)] {
            let own = OwnConfiguration::of_text(text).with_maps(maps);
            assert_eq!(
                own.on(None).unwrap().lacking.variables.len(),
                empty,
                "{maps:?}"
            );
        }
    }
}
