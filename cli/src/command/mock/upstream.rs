//! An upstream that serves alone.

use std::{io, net::SocketAddr};

use proxyproof_mocks::RunningUpstream;
use serde_json::{Map, Value, json};

use crate::{
    error::CommandError,
    foreground::{Serving, count},
};

/// A running upstream, and what is told of it.
pub(super) struct ServingUpstream {
    running: RunningUpstream,
    told: String,
    keys: Map<String, Value>,
}

impl ServingUpstream {
    /// What was started on `listen`; `told` is said behind its URL, and `keys` are written into the file for scripts.
    pub(super) fn new(
        started: io::Result<RunningUpstream>,
        listen: SocketAddr,
        told: String,
        keys: Map<String, Value>,
    ) -> Result<Self, CommandError> {
        match started {
            Ok(running) => Ok(Self {
                running,
                told,
                keys,
            }),
            Err(cause) => Err(CommandError::Listen {
                address: listen,
                cause,
            }),
        }
    }
}

impl Serving for ServingUpstream {
    fn introduction(&self) -> String {
        let (name, address) = (self.running.name(), self.running.address());
        format!("{name}  http://{address}\n{}\n", self.told)
    }

    fn ready(&self) -> Value {
        let address = self.running.address();
        let mut ready = Map::new();
        ready.insert("base_url".to_owned(), json!(format!("http://{address}")));
        ready.insert("listen".to_owned(), json!(address.to_string()));
        ready.insert("port".to_owned(), json!(address.port()));
        ready.extend(self.keys.clone());
        Value::Object(ready)
    }

    fn served(&mut self) -> String {
        format!(
            "served {}\n",
            count(self.running.ledger().seen(), "request")
        )
    }
}
