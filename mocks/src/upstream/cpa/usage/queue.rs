//! Records waiting to be fetched: a destructive queue, or a broadcast while anyone subscribes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

/// The usage queue of one CPA.
#[derive(Debug, Default)]
pub(crate) struct UsageQueue {
    records: VecDeque<(Instant, String)>,
    subscribers: Vec<mpsc::Sender<String>>,
}

impl UsageQueue {
    /// Publishes a record: to every subscriber if there is one, else into the queue.
    pub(crate) fn publish(&mut self, record: &str, now: Instant) {
        self.forget_old(now);
        self.subscribers
            .retain(|subscriber| !subscriber.is_closed());
        if self.subscribers.is_empty() {
            if self.records.len() == CAPACITY {
                self.records.pop_front();
            }
            self.records.push_back((now, record.to_owned()));
            return;
        }
        // A subscriber that does not read loses records rather than holding up the others.
        for subscriber in &self.subscribers {
            drop(subscriber.try_send(record.to_owned()));
        }
    }

    /// Takes up to `count` records, oldest first.
    pub(crate) fn pop(&mut self, count: usize, now: Instant) -> Vec<String> {
        self.forget_old(now);
        let count = count.min(self.records.len());
        self.records
            .drain(..count)
            .map(|(_, record)| record)
            .collect()
    }

    /// Attaches a subscriber; it is detached when the receiver is dropped.
    pub(crate) fn subscribe(&mut self) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel(SUBSCRIBER_BACKLOG);
        self.subscribers.push(sender);
        receiver
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((at, _)) = self.records.front() {
            if now.saturating_duration_since(*at) <= RETENTION {
                break;
            }
            self.records.pop_front();
        }
    }
}

/// CPA's default for `redis-usage-queue-retention-seconds`.
const RETENTION: Duration = Duration::from_secs(60);

/// A bound that CPA does not have: at about a kilobyte a record, 64 MB.
const CAPACITY: usize = 65_536;

/// Records that wait for one slow subscriber.
const SUBSCRIBER_BACKLOG: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_record_is_popped_first_and_once() {
        let mut queue = UsageQueue::default();
        let now = Instant::now();
        for record in ["a", "b", "c"] {
            queue.publish(record, now);
        }
        assert_eq!(queue.pop(2, now), ["a", "b"]);
        assert_eq!(queue.pop(9, now), ["c"]);
        assert!(queue.pop(1, now).is_empty());
    }

    #[test]
    fn records_are_forgotten_after_a_minute() {
        let mut queue = UsageQueue::default();
        let now = Instant::now();
        queue.publish("a", now);
        assert!(
            queue
                .pop(1, now + RETENTION + Duration::from_secs(1))
                .is_empty()
        );
    }

    #[test]
    fn a_subscriber_gets_what_would_have_been_queued() {
        let mut queue = UsageQueue::default();
        let now = Instant::now();
        let mut subscriber = queue.subscribe();
        queue.publish("a", now);
        assert_eq!(subscriber.try_recv().as_deref(), Ok("a"));
        assert!(queue.pop(1, now).is_empty());
        drop(subscriber);
        queue.publish("b", now);
        assert_eq!(queue.pop(1, now), ["b"]);
    }
}
