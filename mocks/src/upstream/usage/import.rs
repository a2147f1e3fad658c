//! An import: JSON lines, each a record or an exported event.

use serde::Serialize;

use super::event::Event;
use super::store::Store;

/// What became of the lines.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Imported {
    added: u64,
    failed: u64,
    skipped: u64,
    total: usize,
}

/// Imports the lines of `body`. What it does not do is recognise an exported event: it is read as a record and so gets
/// another hash.
///
/// # Errors
/// With Go's reason if a line is too long; nothing is imported then.
pub(super) fn import(body: &[u8], store: &Store) -> Result<Imported, String> {
    let mut events = Vec::new();
    let mut failed = 0;
    for line in body.split(|byte| *byte == b'\n') {
        if line.len() >= LONGEST_LINE {
            return Err("bufio.Scanner: token too long".to_owned());
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match Event::read(line) {
            Ok(event) => events.push(event),
            Err(_) => failed += 1,
        }
    }
    let total = events.len();
    let inserted = store.insert(events);
    Ok(Imported {
        added: inserted.added,
        failed,
        skipped: inserted.skipped,
        total,
    })
}

/// Of the scanner's buffer.
const LONGEST_LINE: usize = 10 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_export_is_new_once() {
        let store = Store::default();
        let record = br#"{"request_id":"1","timestamp":"2026-01-01T00:00:00Z","source":"sk-up","api_key":"k"}"#;
        store.insert(vec![Event::read(record).unwrap()]);
        let export = store.export();
        let counts = |added, skipped| {
            Ok(Imported {
                added,
                failed: 0,
                skipped,
                total: 1,
            })
        };
        assert_eq!(import(export.as_bytes(), &store), counts(1, 0));
        assert_eq!(import(export.as_bytes(), &store), counts(0, 1));
        assert_eq!(store.counts().0, 2);
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted() {
        let imported = import(b"\n{}\nx\n[1]\n", &Store::default());
        assert_eq!(
            imported,
            Ok(Imported {
                added: 1,
                failed: 2,
                skipped: 0,
                total: 1
            })
        );
        assert!(import(&vec![b'x'; LONGEST_LINE], &Store::default()).is_err());
    }
}
