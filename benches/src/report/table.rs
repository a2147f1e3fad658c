//! The table of a terminal.

use std::fmt::Write as _;

use super::{Contender, Report, Round, Worth};
use crate::estimate::{Estimate, median_of};

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
            "{worth} · {} · {} rounds of {} ms, interleaved\n{} · {cores} cores{machine}",
            profile.name, profile.rounds, profile.round_ms, profile.placement
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
        let model = if measure.rate.is_some() {
            "open"
        } else {
            "closed"
        };
        line(&mut text, &format!("\n{}, {model}", measure.name));
        let streams = report
            .contenders
            .iter()
            .any(|c| c.measures[index].event_delay.is_some());
        if streams {
            events(&mut text, report, index);
        } else {
            requests(&mut text, report, index);
        }
        verdicts(&mut text, report, index, streams);
    }
    memory(&mut text, report);
    let streams = report.contenders.iter().any(|contender| {
        let mut measures = contender.measures.iter();
        measures.any(|measured| measured.event_delay.is_some())
    });
    line(&mut text, if streams { OF_EVENTS } else { OF_REQUESTS });
    text
}

fn requests(text: &mut String, report: &Report, index: usize) {
    let width = name_width(report);
    line(
        text,
        &format!(
            "{:width$}{:>8}{:>8}{:>21}{:>8}{:>8}{:>8}{:>21}{:>11}",
            "",
            "min us",
            "p50 us",
            "added p50 us",
            "p99 us",
            "max ms",
            "req/s",
            "CPU us c/p/u",
            "conns/1k"
        ),
    );
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
        let rate = median_of(measured.series(|round| round.rate));
        let connections = median_of(measured.series(|round| round.upstream_connections));
        let row = format!(
            "{:width$}{:>8}{:>8}{:>21}{:>8}{:>8.1}{:>8.0}{:>21}{:>11}",
            contender.name,
            micros(Some(latency.min)),
            micros(latency.p50),
            added(report, contender, index),
            micros(latency.p99),
            latency.max as f64 / 1e6,
            rate.unwrap_or(0.0),
            format!(
                "{:.1} / {proxy} / {:.1}",
                cpu(|r| r.cpu_client),
                cpu(|r| r.cpu_upstream)
            ),
            connections.map_or(String::new(), loud),
        );
        line(text, &row);
    }
}

/// A connection for every second request or more is worth an exclamation mark.
fn loud(connections: f64) -> String {
    let mark = if connections >= 500.0 { " (!)" } else { "" };
    format!("{connections:.0}{mark}")
}

fn events(text: &mut String, report: &Report, index: usize) {
    let width = name_width(report);
    line(
        text,
        &format!(
            "{:width$}{:>10}{:>18}{:>10}{:>10}{:>10}",
            "", "events", "delay p50 us", "p99 us", "max ms", "streams"
        ),
    );
    for contender in &report.contenders {
        let measured = &contender.measures[index];
        let delay = measured.event_delay.unwrap_or_default();
        line(
            text,
            &format!(
                "{:width$}{:>10}{:>18}{:>10}{:>10.1}{:>10}",
                contender.name,
                delay.count,
                micros(delay.p50),
                micros(delay.p99),
                delay.max as f64 / 1e6,
                measured.latency.count,
            ),
        );
    }
}

/// The longest name.
fn name_width(report: &Report) -> usize {
    let names = report.contenders.iter();
    names
        .map(|contender| contender.name.chars().count())
        .max()
        .unwrap_or(0)
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
fn verdicts(text: &mut String, report: &Report, index: usize, streams: bool) {
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
        let figures: Vec<String> = if streams {
            let delay = |round: &Round| round.event_delay.unwrap_or(0) as f64;
            said("event delay p50", delay).into_iter().collect()
        } else {
            [
                said("min", |round| round.min as f64),
                said("p50", |round| round.p50 as f64),
                said("CPU of the proxy", |round| round.cpu_proxy),
            ]
            .into_iter()
            .flatten()
            .collect()
        };
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

const OF_REQUESTS: &str = "\
CPU us c/p/u: CPU a request of client, proxy and upstream
conns/1k: connections that the upstream accepted for 1 000 requests
[ ]: 95 % confidence interval of the median over the rounds; p99 and max are over all rounds";

const OF_EVENTS: &str = "\
delay: from the end of the upstream's write of an event to the client's read; without a proxy it can be 0
[ ]: 95 % confidence interval of the median over the rounds; p99 and max are over all rounds";
