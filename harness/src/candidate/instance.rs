//! A candidate that runs, however it does.

#[cfg(feature = "containers")]
use super::Container;
use super::{Ending, Process, Signal, Task};
use crate::patience::{Patience, RanOut};

/// A running candidate; dropping it ends what this harness started.
#[derive(Debug)]
pub(crate) enum Instance {
    /// A program of this machine.
    Process(Process),
    /// A program in a container.
    #[cfg(feature = "containers")]
    Container(Box<Container>),
    /// A future in this process.
    Task(Task),
    /// Somebody else's: it is neither told anything nor stopped, and nothing is known of its end.
    Attached,
}

impl Instance {
    /// The processes it consists of, as they are now; none where that is not to be known.
    pub(crate) fn processes(&self) -> Vec<u32> {
        match self {
            Self::Process(process) => process.members(),
            #[cfg(feature = "containers")]
            Self::Container(container) => container.processes(),
            Self::Task(_) | Self::Attached => Vec::new(),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self {
            Self::Process(process) => process.ending(),
            #[cfg(feature = "containers")]
            Self::Container(container) => container.ending(),
            Self::Task(task) => task.ending(),
            Self::Attached => None,
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> Ending {
        match self {
            Self::Process(process) => process.ended().await,
            #[cfg(feature = "containers")]
            Self::Container(container) => container.ended().await,
            Self::Task(task) => task.ended().await,
            Self::Attached => std::future::pending().await,
        }
    }

    /// Sends a signal to it; a future in this process is dropped by one that ends programs.
    pub(crate) fn signal(&self, signal: Signal) {
        match self {
            Self::Process(process) => process.signal(signal),
            #[cfg(feature = "containers")]
            Self::Container(container) => container.signal(signal),
            Self::Task(task) if signal.ends() => task.abort(),
            Self::Task(_) | Self::Attached => {}
        }
    }

    /// Sends a signal and waits for the end; when that does not come, it is killed and the wait reported.
    pub(crate) async fn end(&self, signal: Signal, patience: Patience) -> Result<Ending, RanOut> {
        match self {
            Self::Process(process) => process.end(signal, patience).await,
            #[cfg(feature = "containers")]
            Self::Container(container) => container.end(signal, patience).await,
            Self::Task(task) => {
                task.abort();
                Ok(task.ended().await)
            }
            Self::Attached => Ok(Ending::RETURNED),
        }
    }
}
