//! CPA's management: who may use it, and what it shows and changes.

mod access;
mod ban;
mod call;
mod setting;

pub use access::AllowRemote;
pub(crate) use access::{Refusal, admit, presented_key};
pub(crate) use ban::BanTable;
pub(crate) use call::call;
pub(crate) use setting::Settings;
