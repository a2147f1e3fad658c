//! The fallback table: three levels of cells with inheritance between them, and the choice of one for a connection.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use super::fallback::{Fallback, Inbound, TableError};

/// A validated fallback table.
#[derive(Clone, Debug, Default)]
pub struct FallbackTable {
    entries: Vec<Fallback>,
    cells: ByName,
}

type ByPath = BTreeMap<String, Arc<Fallback>>;
type ByAlpn = BTreeMap<String, ByPath>;
type ByName = BTreeMap<String, ByAlpn>;

impl FallbackTable {
    /// Builds a table of entries; of two for the same name, protocol and path the later wins.
    #[must_use]
    pub fn new(entries: Vec<Fallback>) -> Self {
        let mut cells = ByName::new();
        for entry in &entries {
            let by_alpn = cells.entry(entry.name.clone()).or_default();
            let by_path = by_alpn.entry(entry.alpn.clone()).or_default();
            by_path.insert(entry.path.clone(), Arc::new(entry.clone()));
        }
        add_protocols_of_default(&mut cells);
        add_paths_of_any_protocol(&mut cells);
        add_cells_of_default(&mut cells);
        Self { entries, cells }
    }

    /// Reads the array `settings.fallbacks` of an inbound.
    ///
    /// # Errors
    /// If the program would refuse it, with its reason.
    pub fn read(fallbacks: &Value, inbound: Inbound) -> Result<Self, TableError> {
        let entries = fallbacks
            .as_array()
            .ok_or(TableError::Shape)?
            .iter()
            .enumerate();
        let read = entries.map(|(number, entry)| Fallback::read(entry, number, inbound));
        read.collect::<Result<_, _>>().map(Self::new)
    }

    /// The entries as given.
    #[must_use]
    pub fn entries(&self) -> &[Fallback] {
        &self.entries
    }

    /// Replaces every destination with this port by `address`: published tables name fixed ports, stages have ephemeral ones.
    #[must_use]
    pub fn redirect(mut self, port: u16, address: SocketAddr) -> Self {
        for entry in &mut self.entries {
            if entry.dest.port() == Some(port) {
                entry.dest = address.into();
            }
        }
        Self::new(self.entries)
    }

    /// The entry for a connection that negotiated `name` and `alpn` (lower case; empty without) and whose first read gave `first`.
    #[must_use]
    pub fn choose(&self, name: &str, alpn: &str, first: &[u8]) -> Option<&Fallback> {
        let by_alpn = self.by_name(name)?;
        let by_path = by_alpn.get(alpn).or_else(|| by_alpn.get(""))?;
        // The first read is looked at only where a path could matter.
        let path = match (by_path.len(), by_path.contains_key("")) {
            (1, true) => "",
            _ => first_path(first).unwrap_or_default(),
        };
        let found = by_path.get(path).or_else(|| by_path.get(""))?;
        Some(found)
    }

    fn by_name(&self, name: &str) -> Option<&ByAlpn> {
        if let Some(exact) = self.cells.get(name) {
            return Some(exact);
        }
        let part_of_name = self
            .cells
            .keys()
            .filter(|part| !part.is_empty() && name.contains(*part));
        // Of parts of equal length the program takes a random one; `rev` makes it the first by the alphabet.
        let longest = part_of_name.rev().max_by_key(|part| part.len());
        self.cells
            .get(longest.map_or("", String::as_str))
            .or_else(|| self.cells.get(""))
    }
}

impl FromStr for FallbackTable {
    type Err = TableError;

    /// Reads the JSON array of a VLESS inbound.
    fn from_str(json: &str) -> Result<Self, TableError> {
        let value = serde_json::from_str(json).map_err(|reason| TableError::Json { reason })?;
        Self::read(&value, Inbound::Vless)
    }
}

/// First pass: every named entry gets a (still empty) cell for each protocol of the default.
fn add_protocols_of_default(cells: &mut ByName) {
    let Some(default) = cells.get("") else { return };
    let protocols: Vec<String> = default.keys().cloned().collect();
    for by_alpn in named(cells) {
        for alpn in &protocols {
            by_alpn.entry(alpn.clone()).or_default();
        }
    }
}

/// Second pass: inside a name, each protocol gets the paths it lacks from the cell for any protocol.
fn add_paths_of_any_protocol(cells: &mut ByName) {
    for by_alpn in cells.values_mut() {
        let Some(any) = by_alpn.get("").cloned() else {
            continue;
        };
        for by_path in by_alpn.values_mut() {
            add_missing(by_path, &any);
        }
    }
}

/// Third pass: every named entry gets what it still lacks from the default.
fn add_cells_of_default(cells: &mut ByName) {
    let Some(default) = cells.get("").cloned() else {
        return;
    };
    for by_alpn in named(cells) {
        for (alpn, paths) in &default {
            add_missing(by_alpn.entry(alpn.clone()).or_default(), paths);
        }
    }
}

fn named(cells: &mut ByName) -> impl Iterator<Item = &mut ByAlpn> {
    cells
        .iter_mut()
        .filter(|(name, _)| !name.is_empty())
        .map(|(_, by_alpn)| by_alpn)
}

fn add_missing(paths: &mut ByPath, from: &ByPath) {
    for (path, entry) in from {
        paths
            .entry(path.clone())
            .or_insert_with(|| Arc::clone(entry));
    }
}

/// The path in a first read, by the program's own short-sighted search; `None` where it finds none.
fn first_path(first: &[u8]) -> Option<&str> {
    if first.len() < SHORTEST_REQUEST || first[4] == b'*' {
        return None;
    }
    let start = (4..=8).find(|&at| first[at] == b'/' && first[at - 1] == b' ')?;
    let rest = &first[start..first.len().min(PATH_SEARCH_END)];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'?' | b' ' | b'\r' | b'\n'))?;
    if matches!(rest[end], b'\r' | b'\n') {
        return None;
    }
    std::str::from_utf8(&rest[..end]).ok()
}

/// Shorter first reads are not looked at.
const SHORTEST_REQUEST: usize = 18;
/// A path has to end before this offset of the first read.
const PATH_SEARCH_END: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> FallbackTable {
        json.parse().unwrap()
    }

    fn chosen(table: &FallbackTable, name: &str, alpn: &str, path: &str) -> Option<u16> {
        let first = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        table.choose(name, alpn, first.as_bytes())?.dest.port()
    }

    #[test]
    fn the_longest_part_of_a_name_wins_anywhere_in_it() {
        let table = table(
            r#"[{"dest":1},{"dest":2,"name":"example.org"},{"dest":3,"name":"api.example.org"}]"#,
        );
        assert_eq!(chosen(&table, "api.example.org.evil.net", "", "/"), Some(3));
        assert_eq!(chosen(&table, "www.example.org", "", "/"), Some(2));
        assert_eq!(chosen(&table, "example.net", "", "/"), Some(1));
        assert_eq!(chosen(&table, "", "", "/"), Some(1));
    }

    #[test]
    fn a_names_own_cell_for_any_protocol_comes_before_the_defaults_cell() {
        let table = table(
            r#"[{"dest":1},{"dest":2,"alpn":"h2"},{"dest":3,"name":"api"},{"dest":5,"path":"/health"}]"#,
        );
        assert_eq!(chosen(&table, "api", "h2", "/"), Some(3));
        assert_eq!(chosen(&table, "api", "h2", "/health"), Some(5));
        assert_eq!(chosen(&table, "other", "h2", "/"), Some(2));
        assert_eq!(chosen(&table, "other", "h2", "/health"), Some(5));
    }

    #[test]
    fn paths_are_found_only_where_the_program_looks() {
        let table = table(r#"[{"dest":1},{"dest":2,"path":"/health"}]"#);
        let at = |first: &str| {
            table
                .choose("", "", first.as_bytes())
                .unwrap()
                .dest
                .port()
                .unwrap()
        };
        assert_eq!(at("CONNECT /health HTTP/1.1\r\n\r\n"), 2);
        assert_eq!(at("GET /health?q HTTP/1.1\r\n\r\n"), 2);
        assert_eq!(at("GO /health HTTP/1.1\r\n\r\n"), 1);
        assert_eq!(at("PROPFINDX /health HTTP/1.1\r\n\r\n"), 1);
        assert_eq!(at("GET /health\r\nHost: whatever\r\n\r\n"), 1);
        assert_eq!(at("GET /hea"), 1);
    }

    #[test]
    fn a_redirected_destination_keeps_its_cell() {
        let address = "127.0.0.1:40000".parse().unwrap();
        let table = table(r#"[{"dest":"127.0.0.1:8003","name":"api"},{"dest":8004}]"#)
            .redirect(8003, address);
        assert_eq!(chosen(&table, "api", "", "/"), Some(40000));
        assert_eq!(chosen(&table, "", "", "/"), Some(8004));
    }

    #[test]
    fn refusals_name_the_entry() {
        let refused = FallbackTable::from_str(r#"[{"dest":1},{"dest":2,"xver":3}]"#).unwrap_err();
        assert_eq!(refused.entry(), Some(1));
        let text = r#"infra/conf: VLESS fallbacks: invalid PROXY protocol version, "xver" only accepts 0, 1, 2"#;
        assert_eq!(refused.to_string(), text);
    }
}
