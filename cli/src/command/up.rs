//! Serves a whole stage for real clients.

mod live_line;
mod settings;

use std::path::PathBuf;

use proxyproof_harness::{
    Candidate, Deployment, Protocol, RunningStage, Stage,
    stage::{Clients, MANAGEMENT_KEY},
};
use proxyproof_mocks::{Arrival, upstream::cpa::AllowRemote};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use self::settings::Settings;
use crate::{
    args::UpArguments,
    error::CommandError,
    exit::Exit,
    foreground::{Serving, count, serve},
    printer::Printer,
};

/// The API key of every stage's gateway.
const API_KEY: &str = "test-key";

pub(crate) fn up(arguments: &UpArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let deployment = Deployment::named(&arguments.deployment)?;
    let candidate = Candidate::named(&arguments.candidate)?.installed()?;
    let clients = Clients {
        address: arguments.client_address,
        port: arguments.port,
        allow_remote: if arguments.no_allow_remote {
            AllowRemote::No
        } else {
            AllowRemote::Yes
        },
    };
    let start = async {
        let stage = Stage::of(&candidate).deployment(&deployment);
        let stage = stage.clients(clients).start().await?;
        Ok(Up {
            ca_file: stage.write_authority()?,
            arrivals: stage.ledger().follow(),
            before: stage.ledger().seen(),
            client: arguments.client_address.to_string(),
            stage,
        })
    };
    serve(start, arguments.ready.as_deref(), printer)
}

/// A stage that real clients use.
struct Up {
    stage: RunningStage,
    ca_file: PathBuf,
    arrivals: mpsc::Receiver<Arrival>,
    /// What arrived while it was started.
    before: u64,
    client: String,
}

impl Up {
    fn line(&self, arrival: &Arrival) -> String {
        live_line::live_line(arrival, self.stage.deployment())
    }

    fn settings(&self) -> Settings<'_> {
        let front = self.stage.front();
        Settings {
            candidate: &self.stage.candidate().name,
            host: &self.stage.deployment().hosts.api,
            port: front.address().port(),
            plain: front.plain_address().map(|plain| format!("http://{plain}")),
            ca_file: &self.ca_file,
            client: &self.client,
        }
    }

    fn ports(&self) -> Value {
        let front = self.stage.front();
        let mut ports = Map::new();
        let mut add = |name: &str, port: u16| ports.insert(name.to_owned(), json!(port));
        add("front", front.address().port());
        if let Some(plain) = front.plain_address() {
            add("plain", plain.port());
        }
        for protocol in [Protocol::H1, Protocol::H2] {
            if self.stage.offers(protocol) {
                add(&protocol.to_string(), self.stage.listener(protocol).port());
            }
        }
        for (name, upstream) in self.stage.upstreams() {
            add(name, upstream.address().port());
        }
        Value::Object(ports)
    }
}

impl Serving for Up {
    fn introduction(&self) -> String {
        self.settings().to_string()
    }

    fn ready(&self) -> Value {
        let settings = self.settings();
        json!({
            "base_url": settings.base_url(),
            "plain_url": settings.plain,
            "ca_file": self.ca_file,
            "host": settings.host,
            "api_key": API_KEY,
            "management_key": MANAGEMENT_KEY,
            "ports": self.ports(),
        })
    }

    async fn news(&mut self) -> Result<String, CommandError> {
        tokio::select! {
            Some(arrival) = self.arrivals.recv() => Ok(self.line(&arrival)),
            _ = self.stage.ended() => {
                self.stage.check_alive()?;
                std::future::pending().await
            }
        }
    }

    fn served(&mut self) -> String {
        let mut told = String::new();
        while let Ok(arrival) = self.arrivals.try_recv() {
            told.push_str(&self.line(&arrival));
        }
        let served = self.stage.ledger().seen() - self.before;
        let connections =
            self.stage.front().connections().len() as u64 + self.stage.front().forgotten();
        let (served, connections) = (count(served, "request"), count(connections, "connection"));
        format!("{told}served {served} on {connections} of clients\n")
    }
}
