//! The usage-service mock: CPA-Manager (revision 920753d4) as it was recorded, with a collector that really takes records from CPA.

mod access;
mod answer;
mod base_url;
mod client;
mod collector;
mod configuration;
mod cors;
mod dial;
mod event;
mod go_scan;
mod go_value;
mod import;
mod panel;
mod payload;
mod price_source;
mod prices;
mod proxied_head;
mod proxy;
mod record;
mod redaction;
mod resp_client;
mod route;
mod service;
mod setup;
mod store;
mod tunnel;
mod upstream_connection;

pub use collector::Backoff;
pub use configuration::{PopSide, UsageService};
