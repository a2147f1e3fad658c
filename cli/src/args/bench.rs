//! `proxyproof bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proxyproof_benches::{Placement, objective::Objective, sweep::Sweep};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{DEFAULT_DEPLOYMENT, one_of};
use crate::exit::EXIT_CODES;

/// Measure what proxies cost, against the direct path and each other
///
/// Every candidate is staged once and asked in turn, round after round; figures are compared round by round, with 95 %
/// confidence intervals of the median. Latency counts from the moment a request was to be sent. A run that something
/// else has disturbed says so, and one that is worth nothing shows no figures.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) question: Option<BenchQuestion>,
    /// Names of candidates, or folders with a candidate.toml; the first is what the others are compared with
    #[arg(value_name = "CANDIDATE", default_value = "reference")]
    pub(crate) candidates: Vec<String>,
    /// What is asked: quick, keepalive, http2, streaming, websocket, uploads, idle, scale, chain, or a TOML file
    #[arg(long, value_name = "NAME", default_value = "quick")]
    pub(crate) profile: String,
    /// How cost grows with connections, routes, body (of uploads), events (how often) or idle (streams and WebSockets)
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["profile", "slo"], value_parser = one_of(Sweep::ALL, Sweep::name))]
    pub(crate) sweep: Option<Sweep>,
    /// Which cores they run on: same, split or free; the profile says it otherwise
    #[arg(long, value_name = "WHERE")]
    pub(crate) placement: Option<Placement>,
    /// How often each takes its turn; the profile says it otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: Option<u32>,
    /// The site around the candidates: a name or a TOML file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_DEPLOYMENT)]
    pub(crate) deployment: String,
    /// End with 6 unless every candidate keeps this: 'p99 < 5ms at 500/s'; without a rate, look for the highest that keeps it
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Option<Objective>,
    /// Begin at this time, as 2026-11-28T12:00:00Z: several machines then ask at once
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) start_at: Option<OffsetDateTime>,
    /// Write everything that was measured to this file, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write a line for each round to this file, as CSV
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) csv: Option<PathBuf>,
    /// Write every latency to this file, as an HdrHistogram V2 interval log
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) hlog: Option<PathBuf>,
    /// Write a page with curves to this file; it needs nothing but a browser
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
}

/// What is done instead of measuring.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchQuestion {
    Compare(CompareArguments),
    Merge(MergeArguments),
}

/// Add logs that `bench --hlog` wrote, as of several machines that asked at once
///
/// Histograms are added, not percentiles: the sum is what one machine would have measured of all requests.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct MergeArguments {
    /// The logs
    #[arg(value_name = "HLOG", required = true)]
    pub(crate) logs: Vec<PathBuf>,
    /// Write the sum to this file, as a log of the same kind
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Compare two reports that `bench --json` wrote
///
/// Latencies are taken by the direct path's of their own run, so that another machine is no change. Ends with 6 when a
/// figure is slower for certain, by more than is allowed.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct CompareArguments {
    /// The earlier report
    pub(crate) old: PathBuf,
    /// The later report
    pub(crate) new: PathBuf,
    /// How much slower is allowed, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub(crate) fail_above: f64,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "a time of RFC 3339, as 2026-11-28T12:00:00Z".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let percent: f64 = number
        .parse()
        .map_err(|_| "a number of percent, as in 5".to_owned())?;
    if (0.0..=1000.0).contains(&percent) {
        Ok(percent)
    } else {
        Err("0 to 1000 percent".to_owned())
    }
}
