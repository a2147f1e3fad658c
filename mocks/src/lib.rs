//! What stands around the candidate: upstream mocks, the tunnel front, faults, and the ledger of arrivals.

pub mod certificate;
mod dial;
pub mod echo;
pub mod fault;
pub mod front;
pub mod gate;
pub mod ledger;
mod listeners;
pub mod moment;
pub mod probe_id;
pub mod script;
pub mod site;
mod tls_entry;
pub mod upstream;
pub mod wire;

pub use dial::dial;
pub use gate::Gate;
pub use ledger::{Arrival, ConnectionId, Ledger};
pub use moment::Moment;
pub use probe_id::{PROBE_HEADER, ProbeId};
pub use script::{EventFraming, Script};
pub use tls_entry::TlsEntry;
pub use upstream::RunningUpstream;
