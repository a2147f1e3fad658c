//! The runtimes that commands run on.

use tokio::runtime::{Builder, Runtime};

use crate::error::CommandError;

/// One thread: the caller's.
pub(crate) fn of_one_thread() -> Result<Runtime, CommandError> {
    built(Builder::new_current_thread())
}

/// A thread for each core.
pub(crate) fn of_every_core() -> Result<Runtime, CommandError> {
    built(Builder::new_multi_thread())
}

fn built(mut builder: Builder) -> Result<Runtime, CommandError> {
    let runtime = builder.enable_all().build();
    runtime.map_err(|cause| CommandError::System {
        action: "start the runtime",
        cause,
    })
}
