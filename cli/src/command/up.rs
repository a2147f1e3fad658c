//! Serves a whole stage for real clients.

mod host;
mod live_line;
mod settings;

use std::{collections::VecDeque, path::PathBuf, time::Duration};

use proxyproof_harness::{
    Deployment, Protocol, RunningStage, Stage,
    deployment::Front,
    stage::{Clients, MANAGEMENT_KEY},
};
use proxyproof_mocks::{Arrival, front::RunningFront, upstream::cpa::AllowRemote};
use serde_json::{Map, Value, json};
use time::UtcOffset;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::settings::Settings;
use super::how::{Named, Wanted};
use super::own::Site;
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
    let wanted = Wanted {
        name: arguments.candidate.as_deref(),
        own: None,
        deployment: Named::Yes,
        how: &arguments.how,
    };
    let Site {
        candidate,
        deployment,
        ..
    } = wanted.site(Deployment::named(&arguments.deployment)?, printer)?;
    if deployment.front == Front::None {
        return Err(CommandError::NoFront {
            deployment: deployment.name,
        });
    }
    let clients = Clients {
        address: arguments.client_address,
        port: arguments.port,
        domain: arguments.domain.clone(),
        allow_remote: if arguments.no_allow_remote {
            AllowRemote::No
        } else {
            AllowRemote::Yes
        },
    };
    // Asked for while there is one thread only: with more of them the system's answer is not sound.
    let zone = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let start = async {
        let stage = Stage::of(&candidate).deployment(&deployment);
        let stage = stage.clients(clients).start().await?;
        let name = host::served_name(&stage).await;
        Ok(Up {
            name,
            zone,
            slow: VecDeque::new(),
            ca_file: stage.write_authority()?,
            arrivals: stage.ledger().follow(),
            before: stage.ledger().seen(),
            connected_before: connections(&stage),
            client: arguments.client_address.to_string(),
            stage,
        })
    };
    serve(start, arguments.ready.as_deref(), printer)
}

/// A stage that real clients use.
struct Up {
    stage: RunningStage,
    /// By which it is asked on loopback.
    name: Option<&'static str>,
    zone: UtcOffset,
    /// What has arrived and is not answered, and when that is to be told; in this order.
    slow: VecDeque<(Instant, Arrival)>,
    ca_file: PathBuf,
    arrivals: mpsc::Receiver<Arrival>,
    /// What arrived while it was started.
    before: u64,
    /// The connections to the front that were made meanwhile.
    connected_before: u64,
    client: String,
}

impl Up {
    /// The line about a request that is answered; none for one that has just arrived.
    fn line(&mut self, arrival: Arrival) -> Option<String> {
        if arrival.finished.is_none() {
            self.slow.push_back((Instant::now() + SLOW, arrival));
            return None;
        }
        let same = |other: &Arrival| {
            (other.connection, other.request_number) == (arrival.connection, arrival.request_number)
        };
        self.slow.retain(|(_, waiting)| !same(waiting));
        let beginning = live_line::beginning(&arrival, &self.stage, self.zone);
        Some(format!("{beginning}  {}\n", live_line::ending(&arrival)))
    }

    fn under_way(&self, arrival: &Arrival) -> String {
        let beginning = live_line::beginning(arrival, &self.stage, self.zone);
        format!("{beginning}  under way\n")
    }

    fn settings(&self) -> Settings<'_> {
        let front = front(&self.stage);
        Settings {
            candidate: &self.stage.candidate().name,
            name: self.name,
            deployment: self.stage.deployment(),
            port: front.address().port(),
            plain: front.plain_address().map(|plain| plain.port()),
            ca_file: &self.ca_file,
            client: &self.client,
        }
    }

    fn ports(&self) -> Value {
        let front = front(&self.stage);
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
            "plain_url": settings.plain_url(),
            "ca_file": self.ca_file,
            "host": settings.host(),
            "api_key": API_KEY,
            "management_key": MANAGEMENT_KEY,
            "ports": self.ports(),
        })
    }

    async fn news(&mut self) -> Result<String, CommandError> {
        loop {
            tokio::select! {
                Some(arrival) = self.arrivals.recv() => {
                    if let Some(line) = self.line(arrival) {
                        return Ok(line);
                    }
                }
                () = first_due(&self.slow) => {
                    if let Some((_, arrival)) = self.slow.pop_front() {
                        return Ok(self.under_way(&arrival));
                    }
                }
                _ = self.stage.ended() => {
                    self.stage.check_alive()?;
                    return std::future::pending().await;
                }
            }
        }
    }

    fn served(&mut self) -> String {
        let mut told = String::new();
        while let Ok(arrival) = self.arrivals.try_recv() {
            told.extend(self.line(arrival));
        }
        for (_, arrival) in std::mem::take(&mut self.slow) {
            told.push_str(&self.under_way(&arrival));
        }
        let served = self.stage.ledger().seen() - self.before;
        let connections = connections(&self.stage) - self.connected_before;
        let (served, connections) = (count(served, "request"), count(connections, "connection"));
        format!("{told}served {served} on {connections} of clients\n")
    }
}

/// Where clients come in.
fn front(stage: &RunningStage) -> &RunningFront {
    let front = stage.front();
    front.expect("`up` starts no stage without a front")
}

/// How many connections the front has had.
fn connections(stage: &RunningStage) -> u64 {
    let front = front(stage);
    front.look(|connections| connections.len() as u64) + front.forgotten()
}

/// Until the first of them is to be told of.
async fn first_due(slow: &VecDeque<(Instant, Arrival)>) {
    match slow.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
}

/// Who waits for longer looks at the terminal.
const SLOW: Duration = Duration::from_secs(1);
