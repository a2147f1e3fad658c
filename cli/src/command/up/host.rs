//! By which name a proxy lets itself be asked on loopback.

use proxyproof_harness::{Patience, RunningStage};
use proxyproof_mocks::{PROBE_HEADER, ProbeId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The name on loopback that the candidate serves; a configuration of somebody's own may know its public host only.
pub(super) async fn served_name(stage: &RunningStage) -> Option<&'static str> {
    for name in NAMES {
        if serves(stage, name).await {
            return Some(name);
        }
    }
    None
}

/// Whether a request to this name arrives.
async fn serves(stage: &RunningStage, name: &str) -> bool {
    let Some(plain) = super::front(stage).plain_address() else {
        return false;
    };
    let probe = ProbeId::fresh();
    let target = stage.candidate().readiness_target(stage.deployment());
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {name}:{}\r\n{PROBE_HEADER}: {probe}\r\nConnection: close\r\n\r\n",
        plain.port()
    );
    let asking = async {
        let mut stream = TcpStream::connect(plain).await?;
        stream.write_all(request.as_bytes()).await?;
        // A first byte is enough: by then it has arrived, or never will.
        stream.read_u8().await
    };
    // Whatever became of the answer, the ledger knows.
    let _ = Patience::STARTUP.within("an answer", asking).await;
    !stage.ledger().arrivals(probe).is_empty()
}

/// Clients that resolve names get there by both; the address needs no resolver.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];
