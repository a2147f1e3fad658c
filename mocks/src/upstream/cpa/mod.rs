//! The CPA mock: CLIProxyAPI as it was recorded, with a scripted provider behind it.

mod answer;
mod api_key;
mod asked;
mod client_address;
mod configuration;
mod cors;
mod envelope;
mod execution;
mod go_json;
mod management;
mod model_list;
mod plan;
mod provider;
mod realtime;
mod refusal;
mod resp;
mod route;
mod service;
mod socket;
mod state;
mod token_estimate;
mod translation;
mod usage;

pub use configuration::{Cpa, PassthroughHeaders, UsageStatistics};
pub use management::AllowRemote;
pub use provider::{Delivery, Dialect, End, Model, ToolCall, Turn, Usage};
