//! Who stages, sends and judges.

pub mod ask;
pub mod blame;
pub mod candidate;
pub mod check;
#[cfg(test)]
mod child_program;
pub mod deployment;
pub mod document;
pub mod error;
mod evidence;
pub mod finding;
pub mod glob;
pub mod hint;
#[cfg(target_os = "linux")]
pub mod isolation;
pub mod kind;
pub mod level;
pub mod patience;
pub mod probe;
pub mod promise;
pub mod protocol;
pub mod report;
pub mod routes;
pub mod scenario;
mod schema;
pub mod stage;
pub mod suite;
pub mod verdict;
mod waiting;

pub use self::ask::Ask;
pub use self::blame::Blame;
pub use self::candidate::{Candidate, Feature};
pub use self::check::Checks;
pub use self::deployment::{Deployment, LocationKind, RouteOwner};
pub use self::error::HarnessError;
pub use self::finding::{Code, Finding};
pub use self::kind::{Kind, Purpose};
pub use self::level::Level;
pub use self::patience::Patience;
pub use self::probe::{Answer, Request, Seen};
pub use self::protocol::Protocol;
pub use self::scenario::{Break, Reach, Scenario, SeenOnly, SiteNeed, StageUse};
pub use self::stage::{RunningStage, Stage};
pub use self::verdict::Verdict;
