use super::map::{Map, MapEntry, MapForm, MapKey};
use super::reader::{Reader, name, place};
use super::regex::{Regex, RegexCase};
use super::site::SiteProblem;
use super::template::Template;
use crate::conf::Found;

impl<'a> Reader<'a> {
    pub(super) fn map(&mut self, found: Found<'a>) {
        let Some(children) = self.block(found) else {
            return;
        };
        let [source, variable] = found.directive.arguments() else {
            return self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
        };
        let mut map = Map {
            variable: variable.text().trim_start_matches('$').to_owned(),
            source: Template::parse(source.value()),
            entries: Vec::new(),
            default: Template::default(),
            form: MapForm::Plain,
            place: place(found),
        };
        for child in children {
            self.map_entry(&mut map, child);
        }
        self.site.maps.push(map);
    }

    /// `geo` or `split_clients`: which value is chosen is not modelled, but there are no others.
    pub(super) fn choice(&mut self, found: Found<'a>) {
        let variable = found.directive.arguments().last();
        let variable =
            variable.map(|word| word.text().trim_start_matches('$').to_ascii_lowercase());
        let is_setting = |child: &&Found<'a>| {
            let names = ["ranges", "proxy", "proxy_recursive", "delete", "include"];
            names.iter().any(|name| child.directive.is(name))
        };
        let children = self.tree.children(found);
        let values = children.iter().filter(|child| !is_setting(child));
        let values = values.filter_map(|child| child.directive.argument(0));
        let values: Vec<Vec<u8>> = values.map(<[u8]>::to_vec).collect();
        self.site
            .choices
            .extend(variable.map(|variable| (variable, values)));
    }

    fn map_entry(&mut self, map: &mut Map, found: Found<'a>) {
        let directive = found.directive;
        let value = directive.argument(0).map(Template::parse);
        match (directive.name(), value) {
            (b"hostnames", None) => map.form = MapForm::Other,
            (b"volatile", None) => {}
            (b"default", Some(value)) => map.default = value,
            ([b'~', b'*', pattern @ ..], Some(value)) => {
                self.map_regex(map, found, pattern, RegexCase::Ignored, value);
            }
            ([b'~', pattern @ ..], Some(value)) => {
                self.map_regex(map, found, pattern, RegexCase::Exact, value)
            }
            (key, Some(value)) => {
                let key = match key {
                    [b'\\', rest @ ..] => rest,
                    key => key,
                };
                let key = MapKey::Text(key.to_ascii_lowercase());
                map.entries.push(MapEntry { key, value });
            }
            (_, None) => self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            ),
        }
    }

    fn map_regex(
        &mut self,
        map: &mut Map,
        found: Found<'a>,
        pattern: &[u8],
        letter_case: RegexCase,
        value: Template,
    ) {
        match Regex::new(pattern, letter_case) {
            Ok(regex) => map.entries.push(MapEntry {
                key: MapKey::Regex(regex),
                value,
            }),
            Err(error) => self.error(place(found), error.into()),
        }
    }
}
