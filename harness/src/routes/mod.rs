//! Whether a real candidate agrees with the oracle about where requests go: a [`Trial`], and what came of it.

mod disagreement;
mod lane;
mod observed;
mod rig;
mod shrinking;
mod subject;
mod trial;

pub use self::disagreement::Disagreement;
pub use self::observed::Observed;
pub use self::trial::{Trial, TrialResult, Tried};
