//! What leaves in one write: of a stream, the head with the first event, then each event by itself.

use std::collections::BTreeSet;

use libtest_mimic::Failed;
use proxyproof_mocks::Ledger;

use crate::recording::Recording;

/// Whether a stream's writes end wherever a recorded read ended, and the first brings more than the head.
pub(crate) fn same_writes(recording: &Recording, ledger: &Ledger) -> Result<(), Failed> {
    let recorded = boundaries(recording.reads.iter().map(|&(_, length)| length as u64));
    let arrivals = ledger.untagged();
    let last = arrivals.iter().map(|arrival| arrival.connection).max();
    let arrivals = arrivals
        .iter()
        .filter(|arrival| Some(arrival.connection) == last);
    let written =
        boundaries(arrivals.flat_map(|arrival| arrival.writes.iter().map(|write| write.length)));
    // A comment may be on either side of the event it races with; a longer number moves everything behind it.
    let comparable =
        recording.is_stream() && !recording.races() && recorded.last() == written.last();
    if !comparable {
        return Ok(());
    }
    // Two writes may have come in one read, never one write in two, so small as they are.
    let head = recording.head_length() as u64;
    if recorded.is_subset(&written) && written.first().is_some_and(|&first| first > head) {
        return Ok(());
    }
    Err(format!(
        "bytes written so far, after each write\n  recorded: {recorded:?}\n  mock:     {written:?}"
    )
    .into())
}

fn boundaries(lengths: impl Iterator<Item = u64>) -> BTreeSet<u64> {
    let sums = lengths.scan(0, |sum, length| {
        *sum += length;
        Some(*sum)
    });
    sums.collect()
}
