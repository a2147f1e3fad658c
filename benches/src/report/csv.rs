//! Every round as a line of comma-separated values (RFC 4180).

use std::fmt::Write as _;

use super::Report;

impl Report {
    /// A line for each contender, measure and round; times in nanoseconds, the names of columns in the first line.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = format!("{}\r\n", COLUMNS.join(","));
        for contender in &self.contenders {
            for measured in &contender.measures {
                for (index, round) in measured.rounds.iter().enumerate() {
                    let told = |nanos: Option<u64>| nanos.map(|nanos| nanos.to_string());
                    write!(
                        text,
                        "{},{},{},{},{},{:.1},{},{},{:.0},{:.0},{:.0},{:.3},{:.3},{},{:.4},{:.4},{:.4},{:.0},{}\r\n",
                        quoted(&contender.name),
                        quoted(contender.version.as_deref().unwrap_or_default()),
                        quoted(&measured.name),
                        index + 1,
                        round.completed,
                        round.rate,
                        round.min,
                        round.p50,
                        round.cpu_client,
                        round.cpu_proxy,
                        round.cpu_upstream,
                        round.client_connections,
                        round.upstream_connections,
                        told(round.event_delay).unwrap_or_default(),
                        round.busy_client,
                        round.busy_proxy,
                        round.busy_upstream,
                        round.memory_each,
                        told(round.first_event).unwrap_or_default(),
                    )
                    .expect("a string takes every line");
                }
            }
        }
        text
    }
}

const COLUMNS: [&str; 19] = [
    "contender",
    "version",
    "measure",
    "round",
    "completed",
    "rate_per_s",
    "min_ns",
    "p50_ns",
    "cpu_client_ns",
    "cpu_proxy_ns",
    "cpu_upstream_ns",
    "client_connections_per_1000",
    "upstream_connections_per_1000",
    "event_delay_p50_ns",
    "busy_client",
    "busy_proxy",
    "busy_upstream",
    "memory_per_connection_bytes",
    "first_event_p50_ns",
];

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{QUIET, report};
    use super::*;
    use crate::load::Errors;

    #[test]
    fn a_line_for_each_round() {
        let csv = report(QUIET, 200, Errors::default()).csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[2].starts_with("nginx,,1 000 requests a second,1,1000,1000.0,"),
            "{csv}"
        );
        assert!(
            lines
                .iter()
                .all(|line| line.split(',').count() == COLUMNS.len())
        );
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
