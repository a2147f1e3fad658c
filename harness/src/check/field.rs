//! Header fields, as the upstream got them.

use super::{Checks, arrived::arrived};
use crate::{
    finding::{Code, Finding},
    probe::Seen,
};

impl Checks {
    /// The first arrival has exactly one field of this name, with exactly this value.
    pub fn field(&mut self, seen: &Seen, name: &str, value: &str, code: Code) -> bool {
        self.fields(seen, name, &[value], code)
    }

    /// The first arrival has no field of this name.
    pub fn no_field(&mut self, seen: &Seen, name: &str, code: Code) -> bool {
        self.fields(seen, name, &[], code)
    }

    /// The first arrival has exactly these fields of this name, in this order.
    pub fn fields(&mut self, seen: &Seen, name: &str, values: &[&str], code: Code) -> bool {
        self.field_where(seen, name, &listed(name, values), code, |found| {
            found == values
        })
    }

    /// The values of the fields of this name at the first arrival satisfy `holds`; `expected` says what that means.
    pub fn field_where(
        &mut self,
        seen: &Seen,
        name: &str,
        expected: &str,
        code: Code,
        holds: impl FnOnce(&[String]) -> bool,
    ) -> bool {
        let Some(arrival) = seen.arrivals.first() else {
            self.push(about_field(seen, name, expected, code).observed(arrived(&[])));
            return false;
        };
        let found = arrival.head.all(name);
        let holds = holds(&found);
        self.ensure(holds, || {
            about_field(seen, name, expected, code).observed(listed(name, &found))
        })
    }

    /// Every field that the client sent under these names arrived as it was sent, in number, order and value.
    pub fn fields_untouched(&mut self, seen: &Seen, names: &[&str], code: Code) -> bool {
        let untouched = |name: &&str| {
            let sent = seen.request.head.all(name);
            let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
            self.fields(seen, name, &sent, code)
        };
        // Every name is looked at, whatever became of those before it.
        names
            .iter()
            .map(untouched)
            .filter(|untouched| !untouched)
            .count()
            == 0
    }
}

fn about_field(seen: &Seen, name: &str, expected: &str, code: Code) -> Finding {
    code.finding().seen(seen).focus(&[name]).expected(expected)
}

/// A line for each value, or that there is none.
pub(super) fn listed(name: &str, values: &[impl AsRef<str>]) -> String {
    if values.is_empty() {
        return format!("no {name}");
    }
    let lines: Vec<String> = values
        .iter()
        .map(|value| format!("{name}: {}", value.as_ref()))
        .collect();
    lines.join("\n")
}
