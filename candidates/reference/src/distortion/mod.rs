//! What defects do to requests and responses, where that is more than a condition in the code they break.

mod body;
mod exchange;
mod frames;
mod gzip;
mod lookup;
mod opening;

pub(crate) use body::Distortion;
pub(crate) use exchange::{
    forward, in_turn, named, read_away, read_on, remember_failure, slash_redirect, source,
};
pub(crate) use frames::{FrameFilter, Verdict};
pub(crate) use lookup::Lookup;
pub(crate) use opening::{Opening, opening, wanted as opening_wanted};
