//! A bound on the memory that unfinished heads take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all unfinished heads of an upstream may take beyond their first [`FREE`] bytes each.
///
/// Go has no such bound; with it 10 000 peers that each send half a head of a megabyte cost 64 MiB, not 10 GiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeadBudget {
    taken: Arc<AtomicUsize>,
}

/// One head's share; given back when dropped.
#[derive(Debug)]
pub(crate) struct HeadShare {
    budget: HeadBudget,
    taken: usize,
}

impl HeadBudget {
    pub(crate) fn share(&self) -> HeadShare {
        HeadShare {
            budget: self.clone(),
            taken: 0,
        }
    }
}

impl HeadShare {
    /// Whether a head may be this long by now.
    pub(crate) fn covers(&mut self, length: usize) -> bool {
        let needed = length.saturating_sub(FREE);
        if needed <= self.taken {
            return true;
        }
        let more = needed - self.taken;
        self.taken = needed;
        self.budget.taken.fetch_add(more, Ordering::Relaxed) + more <= LIMIT
    }
}

impl Drop for HeadShare {
    fn drop(&mut self) {
        if self.taken > 0 {
            self.budget.taken.fetch_sub(self.taken, Ordering::Relaxed);
        }
    }
}

/// What every connection may take without asking.
const FREE: usize = 16 * 1024;

/// What all may take together beyond that.
const LIMIT: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_and_given_back() {
        let budget = HeadBudget::default();
        let mut first = budget.share();
        let mut second = budget.share();
        assert!(first.covers(FREE) && first.covers(LIMIT));
        assert!(!second.covers(2 * FREE + 1));
        drop((first, second));
        assert!(budget.share().covers(LIMIT));
    }
}
