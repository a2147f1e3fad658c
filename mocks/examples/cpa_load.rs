//! What the CPA mock costs under many streams and many requests; `benches/RESULTS.md` says what was measured with it.
//!
//! `cpa_load serve` answers and tells of itself on every line it reads; `cpa_load streams ADDRESS N` and
//! `cpa_load requests ADDRESS N` ask, in processes of their own.

use std::error::Error;
use std::io::{BufRead as _, Write as _};

use proxyproof_mocks::upstream::cpa::{Cpa, Model};
use proxyproof_mocks::{Ledger, PROBE_HEADER, ProbeId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve().await,
        ["streams", address, number] => streams(address, number.parse()?).await,
        ["requests", address, number] => requests(address, number.parse()?).await,
        _ => Err("usage: cpa_load serve | streams ADDRESS N | requests ADDRESS N".into()),
    }
}

/// The mock with a model that says a word a second for half a minute.
async fn serve() -> Outcome {
    let words = vec!["word"; EVENTS];
    let model: Model = serde_json::from_value(serde_json::json!({
        "id": "paced", "dialect": "openai", "pace_ms": 1000,
        "turn": {"text": words, "usage": {"input": 1, "output": EVENTS}},
    }))?;
    let ledger = Ledger::new();
    let cpa = Cpa::new()
        .model(model)
        .ledger(ledger.clone())
        .start()
        .await?;
    tell(&cpa.address().to_string())?;
    tokio::task::spawn_blocking(move || {
        for _ in std::io::stdin().lock().lines() {
            tell(&format!(
                "resident {} KiB · seen {} · forgotten {}",
                resident_kib()?,
                ledger.seen(),
                ledger.forgotten()
            ))?;
        }
        Outcome::Ok(())
    })
    .await?
}

/// So many at once; every one has to be whole.
async fn streams(address: &str, number: usize) -> Outcome {
    let mut asking = JoinSet::new();
    for _ in 0..number {
        asking.spawn(stream(address.to_owned()));
    }
    let mut events = 0;
    while let Some(ended) = asking.join_next().await {
        events += ended??;
    }
    tell(&format!("{number} streams, {events} events"))
}

async fn stream(address: String) -> Outcome<usize> {
    let mut stream = TcpStream::connect(address).await?;
    let body = r#"{"model":"paced","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let length = body.len();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-Api-Key: test-key\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if !answer.contains("data: [DONE]") {
        return Err(format!("cut: {answer}").into());
    }
    Ok(answer.matches("\"content\":\"word\"").count())
}

/// One after another, each with a probe id of its own.
async fn requests(address: &str, number: usize) -> Outcome {
    let mut stream = TcpStream::connect(address).await?;
    let mut answers = vec![0; 64 << 10];
    for _ in 0..number / PIPELINED {
        let asked: String = (0..PIPELINED)
            .map(|_| {
                let probe = ProbeId::fresh();
                format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{PROBE_HEADER}: {probe}\r\n\r\n")
            })
            .collect();
        stream.write_all(asked.as_bytes()).await?;
        let mut whole = 0;
        while whole < PIPELINED {
            let length = stream.read(&mut answers).await?;
            // Only the last byte of an answer is one of these.
            whole += answers[..length].split(|&byte| byte == b'}').count() - 1;
            if length == 0 {
                return Err("the mock went away".into());
            }
        }
    }
    tell(&format!("{number} requests"))
}

fn resident_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

fn tell(line: &str) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

const EVENTS: usize = 30;
const PIPELINED: usize = 100;
