use std::collections::BTreeSet;

use crate::conf::{Found, Tree};
use crate::location::{Part, Regex, RegexCase, Template};

/// The variables that the files of a configuration define.
pub(super) struct Defined {
    names: BTreeSet<String>,
}

impl Defined {
    pub(super) fn of(tree: &Tree) -> Self {
        let mut defined = Self {
            names: BTreeSet::new(),
        };
        for top in tree.top() {
            defined.by(tree, top);
        }
        defined
    }

    /// Whether a variable is defined; the captures `$1` to `$9` always are.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(&name.to_ascii_lowercase())
    }

    fn by(&mut self, tree: &Tree, found: Found<'_>) {
        let directive = found.directive;
        let arguments = directive.arguments();
        let name = match directive.name() {
            b"map" | b"geo" | b"split_clients" => arguments.last(),
            b"keyval" => arguments.get(1),
            // `set_md5 $digest …` and their like give to their first argument.
            b"set" | b"auth_request_set" | b"js_set" | b"js_var" | b"perl_set" => arguments.first(),
            name if name.starts_with(b"set_") => arguments.first(),
            _ => None,
        };
        let name = name.and_then(|word| word.value().strip_prefix(b"$"));
        self.names
            .extend(name.map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()));
        for word in &directive.words {
            self.captures(word.value());
        }
        for child in tree.children(found) {
            // `geoip2` names the variables it defines in its block.
            if let (true, Some(name)) = (
                directive.is("geoip2"),
                child.directive.name().strip_prefix(b"$"),
            ) {
                self.names
                    .insert(String::from_utf8_lossy(name).to_ascii_lowercase());
            }
            self.by(tree, child);
        }
    }

    /// The named groups of a word that may be an expression.
    fn captures(&mut self, word: &[u8]) {
        let may_be = [&b"(?<"[..], b"(?P<", b"(?'"];
        if !may_be
            .iter()
            .any(|start| word.windows(start.len()).any(|window| window == *start))
        {
            return;
        }
        let expression = word
            .strip_prefix(b"~*")
            .or(word.strip_prefix(b"~"))
            .unwrap_or(word);
        let expression = expression
            .strip_suffix(b")")
            .filter(|rest| unbalanced(expression) && !unbalanced(rest))
            .unwrap_or(expression);
        if let Ok(regex) = Regex::new(expression, RegexCase::Exact) {
            let names = regex.names().iter().flatten();
            self.names
                .extend(names.map(|name| name.to_ascii_lowercase()));
        }
    }
}

/// Whether more parentheses close than open, as at the end of an `if`.
fn unbalanced(text: &[u8]) -> bool {
    let count = |wanted: u8| text.iter().filter(|byte| **byte == wanted).count();
    count(b')') > count(b'(')
}

/// The names of the variables in a text.
pub(super) fn used(text: &[u8]) -> Vec<String> {
    let parts = Template::parse(text).parts.into_iter();
    parts
        .filter_map(|part| match part {
            Part::Variable(name) => Some(name),
            _ => None,
        })
        .filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}
