//! The tunnel front: ends TLS, picks a destination by server name, negotiated protocol and path, and speaks PROXY protocol to it.
//!
//! It follows Xray-core (revision 2323273e): the fallbacks of its VLESS and Trojan inbounds.

mod certificates;
mod client_hello;
mod commented_json;
mod connection;
mod destination;
mod fallback;
mod log;
mod loopback;
mod relay;
mod rewound;
mod running;
mod server;
mod settings;
mod table;
mod timers;
mod tls;
mod users;

pub use destination::Destination;
pub use fallback::{Fallback, Inbound, TableError};
pub use log::{Ending, FrontConnection};
pub use running::RunningFront;
pub use server::{AcceptProxy, Front, PlainListener};
pub use settings::{InboundSettings, SettingsError};
pub use table::FallbackTable;
pub use timers::FrontTimers;
pub use tls::{MinimumTls, UnknownNames};
