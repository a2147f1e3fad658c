//! What the load engine costs itself: CPU a request of its one thread, to compare with other clients'.
//!
//! `cargo run --release -p proxyproof-benches --example client_cost ADDRESS CONNECTIONS SECONDS` asks `GET /healthz` of whoever
//! listens there, and prints how many answers were right and the nanoseconds of CPU each has cost.

#![expect(clippy::print_stdout, reason = "an example tells what it saw")]

use std::time::Duration;

use proxyproof_benches::load::{Arrivals, Session, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let [address, connections, seconds] = typed.as_slice() else {
        return Err("ADDRESS CONNECTIONS SECONDS".into());
    };
    let host = "api.example.org";
    let target = Target::get(address.parse()?, host, "/healthz", br#"{"status":"ok"}"#);
    let mut session = Session::open(&target, connections.parse()?)?;
    let before = cpu()?;
    let samples = session.run(Arrivals::Closed, Duration::from_secs(seconds.parse()?));
    let each = (cpu()? - before) / samples.completed().max(1);
    let (right, wrong) = (samples.completed(), samples.errors.total());
    println!("{right} right, {wrong} wrong, {each} ns each");
    Ok(())
}

/// The CPU time of this thread, in nanoseconds (`/proc/thread-self/schedstat`).
fn cpu() -> Result<u64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next();
    Ok(first.ok_or("no account")?.parse()?)
}
