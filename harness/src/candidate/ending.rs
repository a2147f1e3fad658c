//! How a candidate ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::sync::watch;

/// How a candidate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending(How);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// A process.
    Status(ExitStatus),
    /// A future in this process that was told to end, or ended without an error.
    Returned,
    /// A future in this process; its words say why.
    Failed,
}

/// The ending of something that runs, once somebody has told it.
#[derive(Clone, Debug)]
pub(crate) struct Foretold(watch::Receiver<Option<Ending>>);

impl Foretold {
    /// It, and what tells it.
    pub(crate) fn channel() -> (watch::Sender<Option<Ending>>, Self) {
        let (told, ending) = watch::channel(None);
        (told, Self(ending))
    }

    /// How it ended, if it has.
    pub(crate) fn now(&self) -> Option<Ending> {
        *self.0.borrow()
    }

    /// Waits for the end; `None` when whoever was to tell it is gone.
    pub(crate) async fn told(&self) -> Option<Ending> {
        let mut ending = self.0.clone();
        let ended = ending.wait_for(Option::is_some).await;
        ended.ok().and_then(|ending| *ending)
    }
}

impl Ending {
    /// A future that ended.
    pub(crate) const RETURNED: Self = Self(How::Returned);
    /// A future that ended with an error, or panicked.
    pub(crate) const FAILED: Self = Self(How::Failed);

    /// A process that ended.
    pub(crate) const fn of(status: ExitStatus) -> Self {
        Self(How::Status(status))
    }

    /// Whether it ended with exit code 0, or without an error.
    #[must_use]
    pub fn is_success(self) -> bool {
        match self.0 {
            How::Status(status) => status.success(),
            How::Returned => true,
            How::Failed => false,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.0 {
            How::Status(status) => status,
            How::Returned => return formatter.write_str("its future ended"),
            How::Failed => return formatter.write_str("its future failed"),
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => write!(formatter, "exit code {code}"),
            (None, Some(signal)) => write!(formatter, "signal {signal}"),
            (None, None) => formatter.write_str("unknown"),
        }
    }
}
