//! What a scenario waits for at the moment, for the message about one that never ended.

use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static WAITING: Waiting;
}

/// The last thing that a task began to wait for; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<Option<String>>>);

impl Waiting {
    /// Runs `future` so that [`note`] inside it is heard here.
    pub(crate) async fn hear<F: Future>(&self, future: F) -> F::Output {
        WAITING.scope(self.clone(), future).await
    }

    /// What was noted last.
    pub(crate) fn last(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Notes what the current task begins to wait for; heard by nobody outside of a scenario.
pub(crate) fn note(awaited: &str) {
    // Outside of a scenario nobody has to be told.
    let _ = WAITING.try_with(|waiting| {
        *waiting.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(awaited.to_owned());
    });
}
