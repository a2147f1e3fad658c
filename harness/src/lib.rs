//! Who stages, sends and judges.

pub mod candidate;
pub mod deployment;
pub mod document;
pub mod error;
pub mod patience;
pub mod protocol;
pub mod stage;

pub use self::candidate::{Candidate, Feature};
pub use self::deployment::Deployment;
pub use self::error::HarnessError;
pub use self::patience::Patience;
pub use self::protocol::Protocol;
pub use self::stage::{RunningStage, Stage};
