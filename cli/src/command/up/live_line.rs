//! The lines about a request.

use std::time::{Duration, SystemTime};

use proxyproof_harness::{Protocol, RunningStage};
use proxyproof_mocks::{Arrival, Moment};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// When it came, method and path, by which protocol, route, upstream.
pub(super) fn beginning(arrival: &Arrival, stage: &RunningStage, zone: UtcOffset) -> String {
    let target = arrival.head.target();
    let path = target.split('?').next().unwrap_or_default();
    let route = stage.deployment().route(target.as_bytes());
    let route = route.map_or_else(|| "-".to_owned(), |route| route.location.to_string());
    format!(
        "{}  {:4} {:24} {:2}  {route} → {}",
        time_of_day(arrival.head_at, zone),
        arrival.head.method().escape_debug().to_string(),
        path.escape_debug().to_string(),
        protocol(arrival, stage),
        arrival.upstream,
    )
}

/// Status, what was written, and how long it took.
pub(super) fn ending(arrival: &Arrival) -> String {
    let answer = &arrival.answer;
    let status = answer.status;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let since = |moment: Moment| duration(moment.since(arrival.head_at));
    let first_write = arrival.writes.first().map(|write| write.at);
    let mut told = status;
    if arrival.upgraded.is_some() {
        let (came, went) = (answer.frames_in, answer.frames_out);
        told.push_str(&format!("  ws  in {came} out {went}"));
    } else if let Some(events) = answer.events {
        told.push_str(&format!("  sse  {events} events"));
        if let Some(first) = answer.first_event {
            told.push_str(&format!("  first {}", since(first)));
        }
    } else if let Some(first) = first_write {
        told.push_str(&format!("  first {}", since(first)));
    }
    let took = arrival.finished.map_or_else(|| "-".to_owned(), since);
    format!("{told}  {} bytes  {took}", arrival.written)
}

/// Of the connections at the front that may have brought it: which one did, the upstream does not see.
fn protocol(arrival: &Arrival, stage: &RunningStage) -> String {
    let mut spoken = Vec::new();
    for protocol in [Protocol::H1, Protocol::H2] {
        if !stage.offers(protocol) {
            continue;
        }
        let door = stage.listener(protocol).to_string();
        let speaks = super::front(stage).look(|connections| {
            connections.iter().any(|connection| {
                let there = connection
                    .dialled_at
                    .is_some_and(|at| at <= arrival.head_at)
                    && connection.closed.is_none_or(|at| at >= arrival.head_at);
                there && connection.dest.as_ref() == Some(&door)
            })
        });
        if speaks {
            spoken.push(protocol.to_string());
        }
    }
    if spoken.is_empty() {
        "-".to_owned()
    } else {
        spoken.join("/")
    }
}

fn time_of_day(moment: Moment, zone: UtcOffset) -> String {
    let at = SystemTime::now() - Moment::now().since(moment);
    let at = OffsetDateTime::from(at).to_offset(zone);
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:3]");
    at.format(&format).unwrap_or_default()
}

fn duration(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs())
    }
}
