//! The report as one self-contained page: no script, no font, nothing fetched.

mod chart;

use std::fmt::Write as _;

use self::chart::{Axis, Chart, Curve};
use super::{Contender, Measured, Report, Round, Worth};
use crate::estimate::median_of;
use crate::sweep;

impl Report {
    /// One HTML file with the curves, the costs, the connections, what the figures are worth, and what a repetition needs.
    #[must_use]
    pub fn html(&self) -> String {
        let mut body = String::new();
        let profile = &self.profile;
        push(
            &mut body,
            format_args!(
                "<h1>proxyproof bench: {}</h1>\n<p>{}. {} rounds of {} ms, interleaved; {}.</p>\n",
                escaped(&profile.name),
                escaped(profile.about.trim_end_matches('.')),
                profile.rounds,
                profile.round_ms,
                escaped(&profile.placement.to_string()),
            ),
        );
        self.verdict_of(&mut body);
        if self.verdict != Worth::Void {
            self.legend(&mut body);
            for figure in self.growth() {
                growth(&figure, &mut body);
            }
            for (index, measure) in profile.measures.iter().enumerate() {
                let model = match measure.rate {
                    _ if measure.ask.holds() => "held: connections on which nothing happens",
                    None => "closed: every connection asks again once it is answered",
                    Some(_) => "open: latency counts from the moment a request was to be sent",
                };
                push(
                    &mut body,
                    format_args!(
                        "<section>\n<h2>{}</h2>\n<p>{model}</p>\n",
                        escaped(&measure.name)
                    ),
                );
                self.section(index, &mut body);
                body.push_str("</section>\n");
            }
        }
        self.repetition(&mut body);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>proxyproof bench: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            escaped(&profile.name)
        )
    }

    fn verdict_of(&self, body: &mut String) {
        let (class, words) = match self.verdict {
            Worth::Valid => ("valid", "valid: nothing speaks against these figures"),
            Worth::Suspect => ("suspect", "suspect: something may have moved these figures"),
            Worth::Void => ("void", "void: these figures are not shown"),
        };
        push(
            body,
            format_args!("<div class=\"verdict {class}\"><strong>{words}</strong>"),
        );
        if !self.reasons.is_empty() {
            body.push_str("<ul>");
            for reason in &self.reasons {
                push(body, format_args!("<li>{}</li>", escaped(reason)));
            }
            body.push_str("</ul>");
        }
        push(
            body,
            format_args!(
                "<p>Other programs took {:.0} % of the cores' time; the machine was elsewhere {:.0} % of it.</p></div>\n",
                self.validity.foreign_cpu * 100.0,
                self.validity.lost_time * 100.0
            ),
        );
    }

    fn legend(&self, body: &mut String) {
        body.push_str("<ul class=\"legend\">");
        for (index, contender) in self.contenders.iter().enumerate() {
            let version = contender.version.as_deref().unwrap_or_default();
            let memory = match contender.peak_memory {
                0 => String::new(),
                bytes => format!(", {:.1} MiB at its peak", bytes as f64 / f64::from(1 << 20)),
            };
            push(
                body,
                format_args!(
                    "<li><i class=\"c{}\"></i>{} {}{memory}</li>",
                    index % COLOURS,
                    escaped(&contender.name),
                    escaped(version)
                ),
            );
        }
        body.push_str("</ul>\n");
    }

    fn section(&self, index: usize, body: &mut String) {
        let of_measure = |contender: &'_ Contender| contender.measures.get(index).cloned();
        let measured: Vec<(&Contender, Measured)> = self
            .contenders
            .iter()
            .filter_map(|contender| Some((contender, of_measure(contender)?)))
            .collect();
        if self.profile.measures[index].ask.holds() {
            return held(&measured, body);
        }
        let streams = measured.iter().any(|(_, one)| one.event_delay.is_some());
        let each = |curve: &dyn Fn(usize, &Measured) -> Option<Curve>| {
            let all = measured.iter().enumerate();
            all.filter_map(|(colour, (_, one))| curve(colour % COLOURS, one))
                .collect()
        };
        let by_percentile = Chart {
            title: match streams {
                true => "delay of an event by percentile",
                false => "latency by percentile",
            },
            x: Axis::Percentile,
            y: Axis::Microseconds,
            curves: each(&|colour, one| {
                let latencies = match streams {
                    true => one.event_delays(),
                    false => one.latencies().ok(),
                };
                Some(Curve::of_percentiles(colour, &latencies?))
            }),
        };
        let (title, figure): (&str, fn(&Round) -> f64) = match streams {
            true => ("median delay of an event by round", |round| {
                round.event_delay.unwrap_or(0) as f64
            }),
            false => ("median latency by round", |round| round.p50 as f64),
        };
        let by_round = Chart {
            title,
            x: Axis::Round,
            y: Axis::Microseconds,
            curves: each(&|colour, one| Some(Curve::by_round(colour, &one.series(figure)))),
        };
        body.push_str("<div class=\"charts\">\n");
        body.push_str(&by_percentile.svg());
        if streams {
            let timeline = Chart {
                title: "delays of the events of one stream, by milliseconds since its first",
                x: Axis::Milliseconds,
                y: Axis::Microseconds,
                curves: each(&|colour, one| {
                    (!one.timeline.is_empty()).then(|| Curve::of_timeline(colour, &one.timeline))
                }),
            };
            body.push_str(&timeline.svg());
        }
        body.push_str(&by_round.svg());
        body.push_str("</div>\n");
        if streams {
            events(&measured, body);
        } else {
            table(&measured, body);
        }
        costs(if streams { "stream" } else { "request" }, &measured, body);
    }

    fn repetition(&self, body: &mut String) {
        let machine = &self.machine;
        let kind = if machine.virtual_machine {
            "a virtual machine"
        } else {
            "no virtual machine"
        };
        let profile = serde_json::to_string_pretty(&self.profile).unwrap_or_default();
        let names: Vec<&str> = self
            .contenders
            .iter()
            .skip(1)
            .map(|contender| contender.name.as_str())
            .collect();
        push(
            body,
            format_args!(
                "<section>\n<h2>To repeat it</h2>\n<p><code>proxyproof bench {} {}</code>, proxyproof {} (built with <code>{}</code>), on {}, {} cores, {kind}, kernel {}.</p>\n\
             <details><summary>the profile</summary><pre>{}</pre></details>\n</section>\n",
                escaped(&names.join(" ")),
                escaped(&sweep::option(&self.profile)),
                escaped(&self.proxyproof),
                escaped(&self.build),
                escaped(&machine.cpu),
                machine.cores,
                escaped(&machine.kernel),
                escaped(&profile)
            ),
        );
    }
}

/// Connections on which nothing happens.
fn held(measured: &[(&Contender, Measured)], body: &mut String) {
    body.push_str(
        "<div class=\"wide\"><table>\n<tr><th></th><th>held</th><th>MiB of the proxy for 1 000</th>\
         <th>CPU of the proxy for 1 000, ms/s</th></tr>\n",
    );
    for (contender, measured) in measured.iter().skip(1) {
        let median = |figure: fn(&Round) -> f64| median_of(measured.series(figure)).unwrap_or(0.0);
        let held = median(|round| round.completed as f64);
        push(
            body,
            format_args!(
                "<tr><th>{}</th><td>{held:.0}</td><td>{:.2}</td><td>{:.2}</td></tr>\n",
                escaped(&contender.name),
                median(|round| round.memory_each) * 1000.0 / f64::from(1 << 20),
                median(|round| round.busy_proxy) * 1e6 / held.max(1.0),
            ),
        );
    }
    body.push_str("</table></div>\n");
}

/// The figures of a sweep, one row a measure.
fn growth(rows: &[Vec<String>], body: &mut String) {
    body.push_str("<div class=\"wide\"><table>\n");
    for (number, row) in rows.iter().enumerate() {
        body.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let tag = if number == 0 || column == 0 {
                "th"
            } else {
                "td"
            };
            push(body, format_args!("<{tag}>{}</{tag}>", escaped(cell)));
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</table></div>\n");
}

fn table(measured: &[(&Contender, Measured)], body: &mut String) {
    let uploads = measured.iter().any(|(_, one)| one.uploads().is_some());
    body.push_str(
        "<div class=\"wide\"><table>\n<tr><th></th><th>min</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>\
         <th>requests/s</th><th>connections/1k, c / u</th><th>errors</th>",
    );
    body.push_str(match uploads {
        true => "<th>uploads</th></tr>\n",
        false => "</tr>\n",
    });
    for (contender, measured) in measured {
        row(contender, measured, body);
    }
    body.push_str("</table></div>\n");
    body.push_str(NOTE);
    body.push_str("<p class=\"note\">Connections for 1 000 requests: opened by the client / accepted by the upstream.</p>\n");
}

/// Streams: when the first event came, how late each was, and how many came together.
fn events(measured: &[(&Contender, Measured)], body: &mut String) {
    body.push_str(
        "<div class=\"wide\"><table>\n<tr><th></th><th>first event, p50</th><th>p90</th><th>delay of an event, p50</th><th>p90</th>\
         <th>p99</th><th>max</th><th>together</th><th>events</th><th>streams</th><th>errors</th></tr>\n",
    );
    for (contender, measured) in measured {
        let first = measured.first_event.unwrap_or_default();
        let delay = measured.event_delay.unwrap_or_default();
        cells(
            &contender.name,
            [
                carried(first.p50),
                carried(first.p90),
                carried(delay.p50),
                carried(delay.p90),
                carried(delay.p99),
                micros(delay.max),
                format!("{:.1} %", measured.share_together() * 100.0),
                delay.count.to_string(),
                measured.latency.count.to_string(),
                measured.errors.total().to_string(),
            ],
            body,
        );
    }
    body.push_str("</table></div>\n");
    body.push_str(NOTE);
    body.push_str("<p class=\"note\">Together: events that came in one read with the one before, which the upstream wrote apart.</p>\n");
}

fn row(contender: &Contender, measured: &Measured, body: &mut String) {
    let of = &measured.latency;
    let mean = |figure: fn(&Round) -> f64| {
        let series = measured.series(figure);
        series.iter().sum::<f64>() / series.len().max(1) as f64
    };
    let figures = [
        micros(of.min),
        carried(of.p50),
        carried(of.p90),
        carried(of.p99),
        carried(of.p999),
        micros(of.max),
        format!("{:.0}", mean(|round| round.rate)),
        format!(
            "{:.0} / {:.0}",
            mean(|round| round.client_connections),
            mean(|round| round.upstream_connections)
        ),
        measured.errors.total().to_string(),
    ];
    let uploads = measured.uploads().map(str::to_owned);
    cells(&contender.name, figures.into_iter().chain(uploads), body);
}

fn cells(name: &str, cells: impl IntoIterator<Item = String>, body: &mut String) {
    push(body, format_args!("<tr><th>{}</th>", escaped(name)));
    for cell in cells {
        push(body, format_args!("<td>{cell}</td>"));
    }
    body.push_str("</tr>\n");
}

fn micros(nanos: u64) -> String {
    format!("{:.1}", nanos as f64 / 1e3)
}

fn carried(nanos: Option<u64>) -> String {
    nanos.map_or_else(String::new, micros)
}

/// CPU a request or stream, stacked by side.
fn costs(what: &str, measured: &[(&Contender, Measured)], body: &mut String) {
    let cost = |measured: &Measured| {
        let mean = |figure: fn(&Round) -> f64| {
            let series = measured.series(figure);
            series.iter().sum::<f64>() / series.len().max(1) as f64 / 1e3
        };
        [
            mean(|round| round.cpu_client),
            mean(|round| round.cpu_proxy),
            mean(|round| round.cpu_upstream),
        ]
    };
    let all: Vec<(&str, [f64; 3])> = measured
        .iter()
        .map(|(contender, measured)| (contender.name.as_str(), cost(measured)))
        .collect();
    let longest = all.iter().map(|(_, sides)| sides.iter().sum::<f64>());
    let longest = longest.fold(f64::MIN_POSITIVE, f64::max);
    push(body, format_args!("<h3>CPU a {what}</h3>\n"));
    body.push_str(
        "<ul class=\"legend sides\"><li><i class=\"client\"></i>client</li>\
         <li><i class=\"proxy\"></i>proxy</li><li><i class=\"upstream\"></i>upstream</li></ul>\n<div class=\"costs\">\n",
    );
    for (name, sides) in all {
        push(
            body,
            format_args!("<span>{}</span><div class=\"bar\">", escaped(name)),
        );
        for (side, micros) in ["client", "proxy", "upstream"].iter().zip(sides) {
            push(
                body,
                format_args!(
                    "<i class=\"{side}\" style=\"width:{:.2}%\" title=\"{side} {micros:.1} us\"></i>",
                    micros / longest * 100.0
                ),
            );
        }
        push(
            body,
            format_args!(
                "</div><span>{}</span>\n",
                sides.map(|micros| format!("{micros:.1}")).join(" + ") + " us"
            ),
        );
    }
    body.push_str("</div>\n");
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes every line");
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const NOTE: &str = "<p class=\"note\">Microseconds, over all rounds; a percentile that too few samples carry is missing.</p>\n";

/// As many as can be told apart, in light and dark.
const COLOURS: usize = 6;

const STYLE: &str = "
:root { --ink:#1b1f24; --paper:#fff; --soft:#5d6672; --line:#d7dce2; --good:#1a7f37; --doubt:#9a6700; --bad:#cf222e;
  --side:#8b949e; --c0:#57606a; --c1:#0969da; --c2:#bc4c00; --c3:#1a7f37; --c4:#8250df; --c5:#bf3989; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6edf3; --paper:#0d1117; --soft:#9aa4af; --line:#30363d; --good:#3fb950;
  --doubt:#d29922; --bad:#f85149; --side:#6e7681; --c0:#9aa4af; --c1:#58a6ff; --c2:#f0883e; --c3:#3fb950; --c4:#bc8cff; --c5:#f778ba; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:15px/1.5 system-ui, sans-serif; }
main { max-width:1100px; margin:0 auto; padding:1.5rem 1rem 4rem; }
h1 { font-size:1.5rem; margin:0 0 .3rem; } h2 { font-size:1.2rem; margin:2.2rem 0 .1rem; } h3 { font-size:1rem; margin:1.2rem 0 .4rem; }
p { margin:.3rem 0; } section > p, .note { color:var(--soft); }
.verdict { border-left:4px solid; padding:.5rem .9rem; margin:1rem 0; } .verdict ul { margin:.3rem 0; padding-left:1.2rem; }
.verdict p { color:var(--soft); }
.valid { border-color:var(--good); } .suspect { border-color:var(--doubt); } .void { border-color:var(--bad); }
.legend { list-style:none; display:flex; flex-wrap:wrap; gap:.3rem 1.3rem; padding:0; margin:1rem 0 0; }
.legend { position:sticky; top:0; background:var(--paper); padding:.3rem 0; } .legend.sides { position:static; margin:0; }
.legend i { display:inline-block; width:1.1em; height:.3em; margin-right:.5em; vertical-align:middle; }
i.c0 { background:var(--c0); } i.c1 { background:var(--c1); } i.c2 { background:var(--c2); } i.c3 { background:var(--c3); }
i.c4 { background:var(--c4); } i.c5 { background:var(--c5); }
path.c0 { stroke:var(--c0); } path.c1 { stroke:var(--c1); } path.c2 { stroke:var(--c2); } path.c3 { stroke:var(--c3); }
path.c4 { stroke:var(--c4); } path.c5 { stroke:var(--c5); }
.charts { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap:1rem; }
svg { width:100%; height:auto; } svg path { fill:none; stroke-width:2; } svg line { stroke:var(--line); }
svg text { fill:var(--soft); font-size:11px; font-family:inherit; } svg text.title { fill:var(--ink); font-size:13px; }
.wide { overflow-x:auto; } table { border-collapse:collapse; font-variant-numeric:tabular-nums; }
th, td { padding:.25rem .7rem; border-bottom:1px solid var(--line); text-align:right; font-weight:normal; white-space:nowrap; }
th:first-child { text-align:left; } tr:first-child th { color:var(--soft); }
.costs { display:grid; grid-template-columns:max-content 1fr max-content; gap:.35rem .8rem; align-items:center; font-variant-numeric:tabular-nums; }
.bar { display:flex; height:1.1em; } .bar i { display:block; } .client { background:var(--side); } .proxy { background:var(--ink); }
.upstream { background:var(--line); }
pre { overflow-x:auto; border:1px solid var(--line); padding:.7rem; font-size:13px; } code { font-size:.95em; overflow-wrap:anywhere; }
@media (max-width:560px) { .costs { grid-template-columns:1fr; } .costs .bar { order:0; } }
";

#[cfg(test)]
mod tests {
    use super::super::tests::{QUIET, report};
    use super::*;
    use crate::load::Errors;

    #[test]
    fn the_page_stands_by_itself() {
        let html = report(QUIET, 200, Errors::default()).html();
        for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        for inside in [
            "<svg",
            "nginx",
            "p99.9",
            "To repeat it",
            "prefers-color-scheme",
        ] {
            assert!(html.contains(inside), "{inside}");
        }
    }

    #[test]
    fn a_void_run_shows_no_figures() {
        let errors = Errors {
            wrong: 40,
            ..Errors::default()
        };
        let html = report(QUIET, 200, errors).html();
        assert!(html.contains("40 of 1040 requests failed"), "{html}");
        assert!(!html.contains("<svg") && !html.contains("<table"), "{html}");
    }

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("<a b=\"c&d\">"), "&lt;a b=&quot;c&amp;d&quot;&gt;");
    }
}
