//! Permits by which a scenario drives an upstream in lock-step.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Lets one waiter pass for each permit; clones share the permits.
#[derive(Clone, Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
}

impl Gate {
    /// A gate without a permit: the first to wait waits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(0)),
        }
    }

    /// Lets `permits` more waiters pass, now or when they come.
    pub fn open(&self, permits: usize) {
        self.permits.add_permits(permits);
    }

    /// Waits for a permit and uses it up; waiters pass in the order they came.
    pub async fn wait(&self) {
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore of a gate is never closed");
        permit.forget();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permits_count() {
        let gate = Gate::new();
        gate.open(2);
        gate.wait().await;
        gate.wait().await;
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.wait().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        gate.open(1);
        waiting.await.unwrap();
    }
}
