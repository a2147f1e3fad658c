//! Why the proxy could not start or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the proxy could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The configuration file could not be read.
    #[error("read configuration `{}`", path.display())]
    Unreadable {
        /// The file as named by the caller.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The configuration is wrong; nothing was started or changed.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Configuration {
        /// The file as named by the caller.
        path: PathBuf,
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A listener's address could not be taken.
    #[error("listen on {address}")]
    Listen {
        /// The address of the `[[listen]]` table.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The operating system refused a thread, a runtime or a signal handler.
    #[error("start the proxy's threads")]
    Runtime {
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A worker thread ended though nobody stopped it.
    #[error("worker {worker} died")]
    WorkerDied {
        /// Its number, from 0.
        worker: usize,
    },
}
