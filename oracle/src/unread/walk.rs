use super::variables::{Defined, used};
use crate::conf::{Body, Directive, Found, Tree};
use crate::directive;
use crate::location::Place;

/// Something in a configuration that the model knows nothing about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// What it is.
    pub kind: UnreadKind,
    /// The name of the directive, or of the variable without its `$`.
    pub name: String,
    /// The directive; for a variable the one that uses it.
    pub place: Place,
    /// The blocks around it, the outermost first: what is in none of a server's blocks has no effect there.
    pub around: Vec<Place>,
}

/// What is not read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UnreadKind {
    /// A directive that the table lacks.
    Directive,
    /// Code in another language (Lua, njs, Perl): what it does is not known.
    Code,
    /// A variable that nothing in the files defines, and no module that is known.
    Variable,
}

/// All that is not read of the HTTP part of a configuration, in the order NGINX reads it.
pub fn unread(tree: &Tree) -> Vec<Unread> {
    let mut walk = Walk {
        tree,
        defined: Defined::of(tree),
        found: Vec::new(),
    };
    for top in tree.top() {
        walk.directive(top, &mut Vec::new());
    }
    walk.found
}

struct Walk<'a> {
    tree: &'a Tree,
    defined: Defined,
    found: Vec<Unread>,
}

impl<'a> Walk<'a> {
    fn directive(&mut self, found: Found<'a>, around: &mut Vec<Place>) {
        let directive = found.directive;
        let name = String::from_utf8_lossy(directive.name()).into_owned();
        if OTHER_PROTOCOLS.contains(&name.as_str()) {
            return;
        }
        let kind = match directive::definition(&name) {
            _ if is_code(directive) => Some(UnreadKind::Code),
            None => Some(UnreadKind::Directive),
            Some(_) => None,
        };
        if let Some(kind) = kind {
            self.note(kind, name.clone(), found, around);
        }
        if kind == Some(UnreadKind::Code) {
            return;
        }
        for variable in directive
            .arguments()
            .iter()
            .flat_map(|word| used(word.value()))
        {
            self.variable(variable, found, around);
        }
        around.push(place(found));
        for child in self.tree.children(found) {
            match VALUES.contains(&name.as_str()) {
                true => {
                    let values = child.directive.arguments().iter();
                    for variable in values.flat_map(|word| used(word.value())) {
                        self.variable(variable, child, around);
                    }
                }
                // What stands in a block of a directive that is not known may be anything.
                false if kind.is_none() => self.directive(child, around),
                false => {}
            }
        }
        around.pop();
    }

    fn variable(&mut self, name: String, found: Found<'_>, around: &[Place]) {
        if !self.defined.has(&name) && !directive::is_known_variable(&name) {
            self.note(UnreadKind::Variable, name, found, around);
        }
    }

    fn note(&mut self, kind: UnreadKind, name: String, found: Found<'_>, around: &[Place]) {
        self.found.push(Unread {
            kind,
            name,
            place: place(found),
            around: around.to_vec(),
        });
    }
}

pub(super) fn place(found: Found<'_>) -> Place {
    Place {
        file: found.file,
        span: found.directive.head(),
    }
}

fn is_code(directive: &Directive) -> bool {
    let name = String::from_utf8_lossy(directive.name());
    let is_lua = name.contains("_by_lua") || name.starts_with("lua_");
    let is_script = name.starts_with("js_") || name.starts_with("perl");
    is_lua || is_script || matches!(directive.body, Body::Raw(_))
}

/// Blocks that have nothing to do with HTTP.
const OTHER_PROTOCOLS: [&str; 3] = ["stream", "mail", "rtmp"];

/// Blocks whose first words are no names of directives.
pub(super) const VALUES: [&str; 7] = [
    "map",
    "geo",
    "split_clients",
    "types",
    "charset_map",
    "match",
    "geoip2",
];
