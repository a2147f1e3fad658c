//! The CPA mock: CLIProxyAPI (a7e3596b7) as it was recorded, with a scripted provider behind it.
//!
//! Where it deviates on purpose:
//! - a body past 128 MiB, as sent or decoded, is refused with 400, and so is one that would make all bodies that are
//!   being read take more than 512 MiB; CPA has no bound;
//! - of the usage queue at most 65 536 records are kept;
//! - a broken `zstd` body is told of in other words than Go's decoder has, but for the commonest failure;
//! - token counts are estimated without a tokenizer: right for short English;
//! - the catalogue for `client_version`, `config`, `config.yaml` and the page that warns of example keys say less than
//!   CPA's; `management.html` is not there, as with CPA when it cannot fetch it;
//! - there are no images, videos, realtime calls, plugins, logs and credential files: those routes answer as CPA does
//!   that has none.

mod admission;
mod answer;
mod api_key;
mod asked;
mod capture;
mod client_address;
mod configuration;
mod conversation;
mod cors;
mod envelope;
mod execution;
mod management;
mod model_list;
mod page;
mod plan;
mod provider;
mod raw_fields;
mod realtime;
mod redirect;
mod refusal;
mod resp;
mod route;
mod route_table;
mod score;
mod service;
mod socket;
mod state;
mod token_estimate;
mod translation;
mod usage;
mod visit;
mod whole_answer;

use super::go_json;

pub use configuration::{Cpa, PassthroughHeaders, UsageStatistics};
pub use management::AllowRemote;
pub use provider::{Delivery, Dialect, End, Model, ToolCall, Turn, Usage};
