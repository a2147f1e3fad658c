//! What stops a run from outside.

use std::{cell::Cell, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// The signals that end a run early; each is remembered, so that the exit code can say which it was.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on; needs a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ends at the first signal, and puts into `exit` what it means.
    pub(crate) async fn first(mut self, exit: &Cell<Option<Exit>>) {
        let meaning = tokio::select! {
            _ = self.interrupt.recv() => Exit::INTERRUPTED,
            _ = self.terminate.recv() => Exit::TERMINATED,
        };
        exit.set(Some(meaning));
    }
}
