//! A bound on the memory that unfinished heads, or bodies, take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all unfinished heads (or bodies) of an upstream may take beyond their first [`FREE`] bytes each.
///
/// Go has no such bound; with it 10 000 peers that each send half a head of a megabyte cost 64 MiB, not 10 GiB.
#[derive(Clone, Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    taken: Arc<AtomicUsize>,
}

/// One head's or body's share; given back when dropped.
#[derive(Debug)]
pub(crate) struct MemoryShare {
    budget: MemoryBudget,
    taken: usize,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    pub(crate) fn share(&self) -> MemoryShare {
        MemoryShare {
            budget: self.clone(),
            taken: 0,
        }
    }
}

impl MemoryShare {
    /// Whether what it holds may be this long by now.
    pub(crate) fn covers(&mut self, length: usize) -> bool {
        let needed = length.saturating_sub(FREE);
        if needed <= self.taken {
            return true;
        }
        let more = needed - self.taken;
        self.taken = needed;
        self.budget.taken.fetch_add(more, Ordering::Relaxed) + more <= self.budget.limit
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        if self.taken > 0 {
            self.budget.taken.fetch_sub(self.taken, Ordering::Relaxed);
        }
    }
}

/// What every connection may take without asking.
const FREE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_and_given_back() {
        const LIMIT: usize = 1 << 20;
        let budget = MemoryBudget::new(LIMIT);
        let mut first = budget.share();
        let mut second = budget.share();
        assert!(first.covers(FREE) && first.covers(LIMIT));
        assert!(!second.covers(2 * FREE + 1));
        drop((first, second));
        assert!(budget.share().covers(LIMIT));
    }
}
