use std::collections::HashMap;
use std::sync::LazyLock;

use super::definition::{Context, Definition, Merge, Unit};
use crate::location::NginxVersion;

/// The table, by name; a directive with two meanings (`keepalive_timeout` in `upstream`) has two rows.
static TABLE: LazyLock<HashMap<&'static str, Vec<Definition>>> = LazyLock::new(|| {
    let mut table: HashMap<&'static str, Vec<Definition>> = HashMap::new();
    for row in rows() {
        table.entry(row.name).or_default().push(row);
    }
    table
});

/// All directives, in the order of their names.
pub fn definitions() -> impl Iterator<Item = Definition> {
    rows()
}

/// The directive of that name; of two in different contexts the one that is not of `upstream`.
pub fn definition(name: &str) -> Option<&'static Definition> {
    let rows = TABLE.get(name)?;
    let general = rows.iter().find(|row| {
        row.contexts
            .iter()
            .any(|context| *context != Context::Upstream)
    });
    general.or(rows.first())
}

/// The directive of that name that may stand in a context.
pub fn definition_in(name: &str, context: Context) -> Option<&'static Definition> {
    let rows = TABLE.get(name)?;
    rows.iter().find(|row| row.contexts.contains(&context))
}

fn rows() -> impl Iterator<Item = Definition> {
    let lines = include_str!("table.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| row(line).unwrap_or_else(|| panic!("no row of the table: {line}")))
}

fn row(line: &'static str) -> Option<Definition> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [name, contexts, merge, unit, default, since, module] = cells[..] else {
        return None;
    };
    Some(Definition {
        name,
        contexts: contexts.split(',').map(context).collect::<Option<_>>()?,
        merge: match merge.split_once('=') {
            Some(("list", shared)) => Merge::List { name: shared },
            _ => match merge {
                "list" => Merge::List { name },
                "replaced" => Merge::Replaced,
                "own" => Merge::Own,
                _ => return None,
            },
        },
        unit: match unit {
            "none" => Unit::None,
            "bytes" => Unit::Bytes,
            "time" => Unit::Time,
            "flag" => Unit::Flag,
            "number" => Unit::Number,
            "words" => Unit::Words,
            "block" => Unit::Block,
            _ => return None,
        },
        since: match since {
            "-" => None,
            version => Some(version.parse().ok()?),
        },
        module: Some(module).filter(|module| *module != "-"),
        defaults: defaults(default)?,
    })
}

fn context(key: &str) -> Option<Context> {
    Context::ALL
        .into_iter()
        .find(|context| context.key() == key)
}

/// `1.0 @1.29.7 1.1`: a value, and from each release on another.
fn defaults(cell: &'static str) -> Option<Vec<(Option<NginxVersion>, &'static str)>> {
    let mut parts = cell.split(" @");
    let first = parts.next().filter(|value| *value != "-");
    let mut defaults: Vec<_> = first.map(|value| (None, value)).into_iter().collect();
    for part in parts {
        let (version, value) = part.split_once(' ')?;
        defaults.push((Some(version.parse().ok()?), value));
    }
    Some(defaults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive;

    const OLD: NginxVersion = NginxVersion::V1_22_1;
    const NEW: NginxVersion = NginxVersion::V1_31_3;

    #[test]
    fn every_row_is_read_and_stands_in_order() {
        let names: Vec<_> = definitions().map(|row| row.name).collect();
        assert!(names.len() > 500 && names.is_sorted());
    }

    #[test]
    fn a_default_has_the_unit_of_its_directive() {
        for row in definitions() {
            for version in [OLD, NEW] {
                let Some(value) = row.default_value(version) else {
                    continue;
                };
                let first = value.split(' ').next().unwrap_or_default().as_bytes();
                let fits = match row.unit {
                    Unit::Bytes => directive::bytes(first).is_some(),
                    Unit::Time => directive::time(first).is_some(),
                    Unit::Flag => directive::flag(first).is_some(),
                    Unit::Number => first.iter().all(u8::is_ascii_digit),
                    Unit::None => false,
                    Unit::Words | Unit::Block => true,
                };
                assert!(fits, "{} {value}", row.name);
            }
        }
    }

    #[test]
    fn defaults_change_with_the_release() {
        let value = |name, version| definition(name).unwrap().default_value(version);
        assert_eq!(value("proxy_http_version", OLD), Some("1.0"));
        assert_eq!(value("proxy_http_version", NEW), Some("1.1"));
        assert_eq!(value("keepalive", OLD), None);
        assert_eq!(value("keepalive", NEW), Some("32 local"));
        assert!(!definition("http2").unwrap().is_in(OLD));
        assert!(definition("http2").unwrap().is_in(NEW));
    }

    #[test]
    fn a_name_with_two_meanings_is_told_apart_by_its_context() {
        let general = definition_in("keepalive_timeout", Context::Server).unwrap();
        let upstream = definition_in("keepalive_timeout", Context::Upstream).unwrap();
        assert_eq!(general.default_value(OLD), Some("75s"));
        assert_eq!(upstream.default_value(OLD), Some("60s"));
        assert_eq!(definition("keepalive_timeout"), Some(general));
        assert_eq!(definition_in("proxy_pass", Context::Server), None);
    }
}
