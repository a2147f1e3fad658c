use serde::Serialize;

use super::config::Config;
use super::confusion::{Confusion, confusions};
use super::report::{Class, Proved, Side, classes, json};
use crate::decision::compare;
use crate::location::{Owner, Table};

/// What a deployment wants.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The host its requests are for; without one, every server is checked that answers for a name of its own.
    pub host: Option<&'a str>,
    /// Its routes.
    pub table: &'a Table,
    /// Its upstreams: name and address, by which those of the configuration are known.
    pub upstreams: &'a [(String, String)],
}

/// Whether a configuration does what a deployment wants.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Version of this shape in JSON.
    pub schema: u32,
    /// Every class of paths that goes elsewhere, shortest target first.
    pub wrong: Vec<Class>,
    /// How far the rest is proved, one for each server.
    pub proofs: Vec<Proved>,
    /// Directives that may send a request elsewhere by something other than its path, with their places.
    pub conditions: Vec<String>,
    /// Spellings of protected paths that proxy and upstream read differently: no failure, and worth knowing.
    pub confusions: Vec<Confusion>,
}

/// Compares a configuration with what is wanted, for every path.
pub fn check(config: &Config, want: Want<'_>) -> Check {
    let mut check = Check {
        schema: 1,
        wrong: Vec::new(),
        proofs: Vec::new(),
        conditions: Vec::new(),
        confusions: confusions(config, want),
    };
    for number in config.site.servers_for(want.host) {
        let server = &config.site.servers[number];
        let agree =
            |found: &Owner, wanted: &Owner| is_wanted(config, want.upstreams, found, wanted);
        let comparison = compare(&server.table, want.table, &agree);
        let side = Side {
            config,
            table: &server.table,
            host: want.host,
        };
        for difference in &comparison.differences {
            let wanted = difference.right.wish().to_string();
            let found = difference.left.to_string();
            check
                .wrong
                .extend(classes(difference, &wanted, &found, &side));
        }
        check.proofs.push(Proved::of(&comparison));
        check.conditions.extend(
            server
                .conditions()
                .map(|(what, place)| format!("{what} at {}", config.line(place))),
        );
    }
    check.wrong.sort_by_key(|class| class.target.len());
    check
}

/// A path without the final slash of a route may be redirected or go where the route goes; paths without a route may go
/// anywhere.
fn is_wanted(
    config: &Config,
    upstreams: &[(String, String)],
    found: &Owner,
    wanted: &Owner,
) -> bool {
    match (found.plain(), wanted) {
        (_, Owner::Files) => true,
        (Owner::SlashRedirect { to, .. }, Owner::SlashRedirect { to: wanted, .. }) => to == wanted,
        (found, Owner::SlashRedirect { owner, .. }) => is_wanted(config, upstreams, found, owner),
        (Owner::Upstream { name: found, .. }, Owner::Upstream { name: wanted, .. }) => {
            found == wanted
                || upstreams
                    .iter()
                    .any(|(name, address)| name == wanted && serves(config, found, address))
        }
        _ => false,
    }
}

/// Whether an upstream of a configuration is the one at this address.
pub(super) fn serves(config: &Config, upstream: &str, address: &str) -> bool {
    match config.site.upstream(upstream) {
        Some(block) => block.servers.iter().any(|server| server.written == address),
        None => upstream == address,
    }
}

impl Check {
    /// Whether the configuration is proved to do what is wanted.
    pub fn is_proved(&self) -> bool {
        self.wrong.is_empty()
            && !self.proofs.is_empty()
            && self.proofs.iter().all(Proved::is_complete)
    }

    /// What a terminal shows.
    pub fn text(&self) -> String {
        let mut text = match self.wrong.len() {
            0 if self.is_proved() => format!(
                "proved: every path goes where the deployment wants ({} classes of paths)\n",
                self.proofs.iter().map(decided).sum::<usize>()
            ),
            0 if self.proofs.is_empty() => "no server answers for this host\n".into(),
            0 => "no path was found that goes elsewhere\n".into(),
            1 => "✗ 1 class of paths goes elsewhere\n".into(),
            many => format!("✗ {many} classes of paths go elsewhere\n"),
        };
        text.extend(
            self.wrong
                .iter()
                .map(|class| class.text(("wanted", "goes to"))),
        );
        text.extend(
            self.proofs
                .iter()
                .filter_map(Proved::caveat)
                .map(|caveat| format!("{caveat}\n")),
        );
        text.extend(
            self.conditions
                .iter()
                .map(|condition| format!("not modelled: {condition}\n")),
        );
        text.push_str(&Confusion::text(&self.confusions));
        text
    }

    /// JSON, one object.
    pub fn json(&self) -> String {
        json(self)
    }
}

fn decided(proof: &Proved) -> usize {
    match proof {
        Proved::Complete { classes } | Proved::TooLarge { classes } => *classes,
        Proved::Sampled { .. } => 0,
    }
}
