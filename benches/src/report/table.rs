//! The table of a terminal.

use std::fmt::Write as _;

use super::{Contender, MEASURING, Measured, Report, Round, Worth};
use crate::estimate::{Estimate, median_of};
use crate::profile::{Ask, Measure};

/// What another build would change.
fn quicker(build: &str) -> String {
    match build {
        MEASURING | "unknown" => String::new(),
        _ => format!(" (client and mocks cost less with `{MEASURING}`)"),
    }
}

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let profile = &report.profile;
    let worth = match report.verdict {
        Worth::Valid => "valid",
        Worth::Suspect => "suspect",
        Worth::Void => "void",
    };
    let machine = if report.machine.virtual_machine {
        ", a virtual machine"
    } else {
        ""
    };
    let cores = report.machine.cores;
    line(
        &mut text,
        &format!(
            "{worth} · {} · {} rounds of {} ms, interleaved\n{} · {cores} cores{machine} · built with `{}`{}",
            profile.name,
            profile.rounds,
            profile.round_ms,
            profile.placement,
            report.build,
            quicker(&report.build),
        ),
    );
    for reason in &report.reasons {
        line(&mut text, &format!("  {reason}"));
    }
    if report.verdict == Worth::Void {
        line(
            &mut text,
            "\nNo figures: they would say nothing about the proxies.",
        );
        return text;
    }
    for (index, measure) in profile.measures.iter().enumerate() {
        let model = match (measure.ask.holds(), measure.rate) {
            (true, _) => "",
            (false, Some(_)) => ", open",
            (false, None) => ", closed",
        };
        line(&mut text, &format!("\n{}{model}", measure.name));
        let streams = report
            .contenders
            .iter()
            .any(|c| c.measures[index].event_delay.is_some());
        if streams {
            events(&mut text, report, index);
        } else if measure.ask.holds() {
            held(&mut text, report, index);
        } else {
            requests(&mut text, report, index);
        }
        verdicts(&mut text, report, index);
    }
    for figure in report.growth() {
        text.push('\n');
        columns(&mut text, &figure);
    }
    memory(&mut text, report);
    let measures = || profile.measures.iter();
    let asks = |wanted: fn(&Measure) -> bool| measures().any(wanted);
    let mut legend = Vec::new();
    if asks(|measure| measure.ask == Ask::Events) {
        legend.push(OF_EVENTS);
    }
    if asks(|measure| measure.ask.holds()) {
        legend.push(OF_HELD);
    }
    if asks(|measure| measure.ask != Ask::Events && !measure.ask.holds()) {
        legend.push(OF_REQUESTS);
    }
    if asks(|measure| measure.body > 0) {
        legend.push(OF_UPLOADS);
    }
    legend.push(OF_ALL);
    legend.iter().for_each(|told| line(&mut text, told));
    text
}

/// Connections on which nothing happens.
fn held(text: &mut String, report: &Report, index: usize) {
    let mut rows = vec![row(["", "held", "MiB per 1 000", "CPU ms/s per 1 000"])];
    for contender in report.contenders.iter().skip(1) {
        let measured = &contender.measures[index];
        let median = |figure: fn(&Round) -> f64| median_of(measured.series(figure)).unwrap_or(0.0);
        rows.push(row([
            contender.name.clone(),
            format!("{:.0}", median(|round| round.completed as f64)),
            format!(
                "{:.2}",
                median(|round| round.memory_each) * 1000.0 / f64::from(1 << 20)
            ),
            format!("{:.2}", median(idle_cpu) * 1000.0),
        ]));
    }
    columns(text, &rows);
}

/// The proxy's CPU, as a share of a core, for 1 000 connections.
fn idle_cpu(round: &Round) -> f64 {
    round.busy_proxy * 1000.0 / round.completed.max(1) as f64
}

fn requests(text: &mut String, report: &Report, index: usize) {
    let body = report.profile.measures[index].body;
    let mut rows = vec![row([
        "",
        "min us",
        "p50 us",
        "added p50 us",
        "p99 us",
        "max ms",
        "req/s",
        "CPU us c/p/u",
        "conns/1k c/u",
        if body > 0 { "MiB/s" } else { "" },
        if body > 0 { "uploads" } else { "" },
    ])];
    for contender in &report.contenders {
        let measured = &contender.measures[index];
        let latency = &measured.latency;
        let cpu = |figure: fn(&Round) -> f64| {
            median_of(measured.series(figure)).map_or(0.0, |cpu| cpu / 1000.0)
        };
        let is_direct = contender.name == report.contenders[0].name;
        let proxy = if is_direct {
            "-".to_owned()
        } else {
            format!("{:.1}", cpu(|r| r.cpu_proxy))
        };
        let rate = median_of(measured.series(|round| round.rate)).unwrap_or(0.0);
        let connections = [
            measured.series(|round| round.client_connections),
            measured.series(|round| round.upstream_connections),
        ]
        .map(|series| median_of(series).unwrap_or(0.0));
        rows.push(row([
            contender.name.clone(),
            micros(Some(latency.min)),
            micros(latency.p50),
            added(report, contender, index),
            micros(latency.p99),
            format!("{:.1}", latency.max as f64 / 1e6),
            format!("{rate:.0}"),
            format!(
                "{:.1} / {proxy} / {:.1}",
                cpu(|r| r.cpu_client),
                cpu(|r| r.cpu_upstream)
            ),
            loud(connections),
            if body > 0 {
                format!("{:.0}", rate * body as f64 / f64::from(1 << 20))
            } else {
                String::new()
            },
            measured.uploads().unwrap_or_default().to_owned(),
        ]));
    }
    columns(text, &rows);
}

fn row<const N: usize>(cells: [impl Into<String>; N]) -> Vec<String> {
    cells.map(Into::into).into()
}

/// Names to the left, figures to the right, as wide as the widest.
fn columns(text: &mut String, rows: &[Vec<String>]) {
    let count = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut told = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            match column {
                0 => told.push_str(&format!("{cell:width$}")),
                _ => told.push_str(&format!("  {cell:>width$}")),
            }
        }
        line(text, &told);
    }
}

/// A connection for every second request or more, on either side, is worth an exclamation mark.
fn loud([client, upstream]: [f64; 2]) -> String {
    let mark = match client.max(upstream) >= 500.0 {
        true => " (!)",
        false => "",
    };
    format!("{client:.0} / {upstream:.0}{mark}")
}

fn events(text: &mut String, report: &Report, index: usize) {
    let mut rows = vec![row([
        "",
        "first us",
        "delay p50 us",
        "p99 us",
        "max ms",
        "together",
        "events",
        "streams",
        "CPU us/stream",
    ])];
    for contender in &report.contenders {
        let measured = &contender.measures[index];
        let delay = measured.event_delay.unwrap_or_default();
        let cpu = median_of(measured.series(|round| round.cpu_proxy)).unwrap_or(0.0);
        rows.push(row([
            contender.name.clone(),
            micros(measured.first_event.and_then(|first| first.p50)),
            micros(delay.p50),
            micros(delay.p99),
            format!("{:.1}", delay.max as f64 / 1e6),
            format!("{:.1} %", measured.share_together() * 100.0),
            delay.count.to_string(),
            measured.latency.count.to_string(),
            format!("{:.0}", cpu / 1000.0),
        ]));
    }
    columns(text, &rows);
}

/// What the proxy adds to the direct path, with its interval.
fn added(report: &Report, contender: &Contender, index: usize) -> String {
    let direct = &report.contenders[0];
    if contender.name == direct.name {
        return String::new();
    }
    let p50 = |round: &Round| round.p50 as f64 / 1000.0;
    let rounds = contender.measures[index].series(p50);
    let added = Estimate::of_differences(&rounds, &direct.measures[index].series(p50));
    added.map_or(String::new(), |added| {
        // A tenth of a microsecond means nothing beside hundreds.
        let digits = usize::from(added.median.abs() < 100.0);
        let Estimate { median, low, high } = added;
        format!("{median:+.digits$} [{low:.digits$}, {high:.digits$}]")
    })
}

/// Every candidate after the first against the first.
fn verdicts(text: &mut String, report: &Report, index: usize) {
    let ask = report.profile.measures[index].ask;
    let [_, baseline, others @ ..] = report.contenders.as_slice() else {
        return;
    };
    for contender in others {
        let (mine, base) = (&contender.measures[index], &baseline.measures[index]);
        let said = |what: &str, figure: fn(&Round) -> f64| {
            let ratio = Estimate::of_ratios(&mine.series(figure), &base.series(figure))?;
            Some(if ratio.allows(1.0) {
                format!(
                    "{what}: no difference shown [{:.2}, {:.2}]",
                    ratio.low, ratio.high
                )
            } else {
                format!(
                    "{what}: {:.2}x [{:.2}, {:.2}]",
                    ratio.median, ratio.low, ratio.high
                )
            })
        };
        let delay = |round: &Round| round.event_delay.unwrap_or(0) as f64;
        let figures = match ask {
            Ask::Events => vec![
                said("first event", |round| round.first_event.unwrap_or(0) as f64),
                said("event delay p50", delay),
                said("CPU of the proxy", |round| round.cpu_proxy),
            ],
            _ if ask.holds() => vec![
                said("memory", |round| round.memory_each),
                said("CPU of the proxy", idle_cpu).filter(|_| {
                    let loud = |one: &Measured| median_of(one.series(idle_cpu)) > Some(NOTHING);
                    loud(mine) || loud(base)
                }),
            ],
            _ => vec![
                said("min", |round| round.min as f64),
                said("p50", |round| round.p50 as f64),
                said("CPU of the proxy", |round| round.cpu_proxy),
            ],
        };
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        let (one, other) = (&contender.name, &baseline.name);
        line(text, &format!("  {one} against {other}"));
        line(text, &format!("    {}", figures.join(" · ")));
    }
}

fn memory(text: &mut String, report: &Report) {
    let peak = |contender: &Contender| {
        format!(
            "{} {:.1} MiB",
            contender.name,
            contender.peak_memory as f64 / f64::from(1 << 20)
        )
    };
    let peaks: Vec<String> = report.contenders.iter().skip(1).map(peak).collect();
    line(
        text,
        &format!("\npeak memory of the proxy: {}", peaks.join(" · ")),
    );
}

fn micros(nanos: Option<u64>) -> String {
    nanos.map_or_else(
        || "-".to_owned(),
        |nanos| format!("{:.1}", nanos as f64 / 1000.0),
    )
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes every line");
}

/// Of a core: less is the clock's noise, and a ratio of it says nothing.
const NOTHING: f64 = 0.001;

const OF_REQUESTS: &str = "\
CPU us c/p/u: CPU a request of client, proxy and upstream
conns/1k c/u: connections for 1 000 requests, opened by the client and accepted by the upstream";

const OF_EVENTS: &str = "\
first: p50 of the time from a stream's request to its first event
delay: from the end of the upstream's write of an event to the client's read; without a proxy it can be 0
together: events that came in one read with the one before, which the upstream wrote apart
CPU us/stream: CPU of the proxy for a stream";

const OF_HELD: &str = "\
MiB per 1 000: growth of the proxy's resident memory for 1 000 connections; CPU of the proxy while nothing happens on them";

const OF_UPLOADS: &str = "\
MiB/s: bodies that the upstream has read whole; buffered: the upstream got nothing before the client had sent all";

const OF_ALL: &str = "\
[ ]: 95 % confidence interval of the median over the rounds; p99 and max are over all rounds";
