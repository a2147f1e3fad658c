//! A limit to a wait that costs a clock reading, not a timer, each time it is started.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A limit to a wait; its timer is armed at most once per limit, however often the wait begins anew.
#[derive(Debug)]
pub(crate) struct Deadline {
    since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            timer: None,
        }
    }

    /// The wait begins anew.
    pub(crate) fn restart(&mut self) {
        self.since = Instant::now();
    }

    /// Ready when the wait has lasted for the limit.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let due = self.since + limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() > due {
            // The timer was armed under a longer limit.
            timer.as_mut().reset(due);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    }
}
