use serde::Serialize;

use super::config::Config;
use crate::decision::{Proof, Reach, reach, target_of};
use crate::location::{LocationId, Modifier, Server, Table};
use crate::printable::Printable;

/// The locations of every server, as NGINX looks at them.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// Version of this shape in JSON.
    pub schema: u32,
    /// One for each server.
    pub servers: Vec<ServerListing>,
}

/// The locations of one server.
#[derive(Clone, Debug, Serialize)]
pub struct ServerListing {
    /// Its names, or `_`.
    pub name: String,
    /// Where it listens.
    pub listens: Vec<String>,
    /// `file:line`.
    pub place: String,
    /// Exact ones first, then prefixes, longest first, then expressions in their order, then names; nested ones as well.
    pub locations: Vec<ListingRow>,
}

/// One location.
#[derive(Clone, Debug, Serialize)]
pub struct ListingRow {
    /// As written.
    pub location: String,
    /// Who answers.
    pub owner: String,
    /// `file:line`.
    pub place: Option<String>,
    /// The shorter location that would take its paths without it.
    pub shadows: Option<String>,
    /// The shortest path it wins for.
    pub example: Option<String>,
    /// Whether it wins for some path: `live`, `dead`, `unknown` or, for a name, `internal`.
    pub state: &'static str,
}

/// Lists the locations of a configuration.
pub fn listing(config: &Config) -> Listing {
    let servers = config
        .site
        .servers
        .iter()
        .map(|server| server_listing(config, server));
    Listing {
        schema: 1,
        servers: servers.collect(),
    }
}

fn server_listing(config: &Config, server: &Server) -> ServerListing {
    let reach = reach(&server.table);
    let mut order: Vec<LocationId> = server.table.locations().map(|(id, _)| id).collect();
    order.sort_by_key(|id| rank(&server.table, *id));
    let names: Vec<String> = server.names.iter().map(ToString::to_string).collect();
    ServerListing {
        name: if names.is_empty() {
            "_".into()
        } else {
            names.join(" ")
        },
        listens: server
            .listens
            .iter()
            .map(|listen| listen.address.clone())
            .collect(),
        place: config.line(server.place),
        locations: order
            .into_iter()
            .map(|id| row(config, &server.table, &reach, id))
            .collect(),
    }
}

fn rank(table: &Table, id: LocationId) -> (u8, usize, LocationId) {
    let notation = &table.location(id).notation;
    let group = match notation.modifier {
        Modifier::Exact => 0,
        Modifier::Prefix | Modifier::PrefixFinal => 1,
        Modifier::Regex | Modifier::RegexAnyCase => 2,
        Modifier::Named => 3,
    };
    let by_length = if group == 1 {
        usize::MAX - notation.text.len()
    } else {
        0
    };
    (group, by_length, id)
}

fn row(config: &Config, table: &Table, reach: &Reach, id: LocationId) -> ListingRow {
    let location = table.location(id);
    let example = reach.examples.get(&id);
    ListingRow {
        location: location.notation.to_string(),
        owner: table.owner_of(id).to_string(),
        place: location.place.map(|place| config.line(place)),
        shadows: shadowed(table, id).map(|shadowed| table.location(shadowed).notation.to_string()),
        example: example.map(|path| Printable(&target_of(path)).to_string()),
        state: match (location.notation.modifier, example, &reach.proof) {
            (Modifier::Named, ..) => "internal",
            (_, Some(_), _) => "live",
            (_, None, Proof::Complete) => "dead",
            (_, None, _) => "unknown",
        },
    }
}

/// The longest other prefix location of the same level that its text begins with.
fn shadowed(table: &Table, id: LocationId) -> Option<LocationId> {
    let location = table.location(id);
    let own = &location.notation;
    if own.modifier.is_regex() || own.modifier == Modifier::Named {
        return None;
    }
    table.prefixes_around(id).find(|other| *other != id)
}

impl Listing {
    /// A table for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for server in &self.servers {
            text.push_str(&format!(
                "{}  {}  {}\n",
                server.name,
                server.listens.join(" "),
                server.place
            ));
            let width = |cell: fn(&ListingRow) -> &str| {
                server
                    .locations
                    .iter()
                    .map(|row| cell(row).chars().count())
                    .max()
                    .unwrap_or(0)
            };
            let (first, second) = (width(|row| &row.location), width(|row| &row.owner));
            for row in &server.locations {
                let place = row.place.as_deref().unwrap_or_default();
                let shadows = row
                    .shadows
                    .as_ref()
                    .map(|shadows| format!("  before {shadows}"))
                    .unwrap_or_default();
                let state = match row.state {
                    "dead" => "  dead: no path comes here",
                    "unknown" => "  no path found that comes here",
                    _ => "",
                };
                let line = format!(
                    "  {:first$}  {:second$}  {place}{shadows}{state}",
                    row.location, row.owner
                );
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// JSON, one object.
    pub fn json(&self) -> String {
        super::report::json(self)
    }
}
