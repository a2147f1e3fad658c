//! Passes data in small segments.

use std::time::Duration;

use super::plan::Plan;

pub(super) fn plan(piece: usize, length: usize) -> Plan {
    Plan {
        piece: piece.max(1),
        ..Plan::whole(length)
    }
}

/// Between two segments: long enough for a reader to take the first before the second comes.
pub(super) const BETWEEN: Duration = Duration::from_millis(1);
