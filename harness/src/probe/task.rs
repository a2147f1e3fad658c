//! A task that ends with its owner.

use tokio::task::{JoinError, JoinHandle};

/// Aborts its task when dropped.
#[derive(Debug)]
pub(crate) struct Task<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(tokio::spawn(future)))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for its end; cancelling the wait aborts it.
    pub(crate) async fn join(mut self) -> Result<T, JoinError> {
        let handle = self.0.as_mut().expect("only `join` and `stop` take it");
        let result = handle.await;
        self.0 = None;
        result
    }

    /// Aborts it and waits until what it owned is dropped.
    pub(crate) async fn stop(mut self) {
        if let Some(handle) = self.0.take() {
            handle.abort();
            // It was told to end: how it did is of no interest.
            let _ = handle.await;
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
    }
}
