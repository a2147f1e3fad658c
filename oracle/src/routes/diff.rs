use std::collections::BTreeSet;

use serde::Serialize;

use super::config::Config;
use super::report::{Class, Proved, Side, classes, json};
use crate::decision::compare;
use crate::location::Owner;

/// What changes between two configurations.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// Version of this shape in JSON.
    pub schema: u32,
    /// Every class of paths that goes elsewhere now; `wanted` is the old owner.
    pub changes: Vec<Class>,
    /// How far the rest is proved to be the same, one for each pair of servers.
    pub proofs: Vec<Proved>,
    /// Hosts that only one of the two answers for by name.
    pub hosts: Vec<String>,
}

/// Compares two configurations, server by server, for every path.
pub fn diff(old: &Config, new: &Config) -> Diff {
    let (old_names, new_names) = (names(old), names(new));
    let mut diff = Diff {
        schema: 1,
        changes: Vec::new(),
        proofs: Vec::new(),
        hosts: old_names
            .symmetric_difference(&new_names)
            .cloned()
            .collect(),
    };
    let mut pairs = BTreeSet::new();
    for host in old_names.union(&new_names) {
        let (left, right) = (
            old.site.servers_for(Some(host)),
            new.site.servers_for(Some(host)),
        );
        for pair in left.into_iter().zip(right) {
            if pairs.insert(pair) {
                diff.compare(old, new, pair, Some(host));
            }
        }
    }
    for pair in old
        .site
        .default_servers()
        .into_iter()
        .zip(new.site.default_servers())
    {
        if pairs.insert(pair) {
            diff.compare(old, new, pair, None);
        }
    }
    diff.changes
        .sort_by_key(|class| (class.host.is_none(), class.target.len()));
    diff
}

fn names(config: &Config) -> BTreeSet<String> {
    let names = config.site.servers.iter().flat_map(|server| &server.names);
    names.filter_map(|name| name.example()).collect()
}

impl Diff {
    fn compare(
        &mut self,
        old: &Config,
        new: &Config,
        (left, right): (usize, usize),
        host: Option<&str>,
    ) {
        let (left, right) = (
            &old.site.servers[left].table,
            &new.site.servers[right].table,
        );
        let comparison = compare(left, right, &Owner::does_the_same_as);
        let side = Side {
            config: new,
            table: right,
            host,
        };
        for difference in &comparison.differences {
            let (was, is) = (difference.left.to_string(), difference.right.to_string());
            self.changes.extend(classes(difference, &was, &is, &side));
        }
        self.proofs.push(Proved::of(&comparison));
    }

    /// Whether nothing changes, proved.
    pub fn is_equality(&self) -> bool {
        self.changes.is_empty()
            && self.hosts.is_empty()
            && self.proofs.iter().all(Proved::is_complete)
    }

    /// What a terminal shows.
    pub fn text(&self) -> String {
        let mut text = match self.changes.len() {
            0 if self.is_equality() => "proved: every path goes where it went\n".into(),
            0 => "no path was found that goes elsewhere\n".into(),
            1 => "1 class of paths goes elsewhere\n".into(),
            many => format!("{many} classes of paths go elsewhere\n"),
        };
        text.extend(self.changes.iter().map(|class| class.text(("was", "is"))));
        text.extend(self.notes());
        text
    }

    /// A table for a pull request.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if self.changes.is_empty() {
            text = self.text();
        } else {
            text.push_str("| path | was | is | location |\n| --- | --- | --- | --- |\n");
            for class in &self.changes {
                let place = class.location.as_deref().zip(class.place.as_deref());
                let place = place
                    .map(|(location, place)| format!("`{location}` {place}"))
                    .unwrap_or_default();
                let cells = [
                    format!("`{}`", class.target),
                    class.wanted.clone(),
                    class.found.clone(),
                    place,
                ];
                let cells = cells.map(|cell| cell.replace('|', "\\|"));
                text.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
            text.extend(self.notes().map(|note| format!("\n{note}")));
        }
        text
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let hosts = self
            .hosts
            .iter()
            .map(|host| format!("only one of the two answers for `{host}` by name\n"));
        let caveats = self
            .proofs
            .iter()
            .filter_map(Proved::caveat)
            .map(|caveat| format!("{caveat}\n"));
        hosts.chain(caveats)
    }

    /// JSON, one object.
    pub fn json(&self) -> String {
        json(self)
    }
}
