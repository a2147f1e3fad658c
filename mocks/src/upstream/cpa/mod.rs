//! The CPA mock: CLIProxyAPI as it was recorded, with a scripted provider behind it.

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
