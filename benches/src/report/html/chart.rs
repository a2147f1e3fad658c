//! Curves as SVG.

use hdrhistogram::Histogram;

use super::push;
use crate::load::carried;

/// Curves on common axes.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<Curve>,
}

/// What an axis counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// The usual axis of percentiles: each nine as wide as the one before.
    Percentile,
    /// Rounds, from 1.
    Round,
    /// Milliseconds, from 0.
    Milliseconds,
    /// Nanoseconds on a logarithmic axis, told in microseconds.
    Microseconds,
}

/// One contender's, in the units of the axes.
pub(super) struct Curve {
    colour: usize,
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// Latency over `log10(1 / (1 - quantile))`, as far as samples carry it.
    pub(super) fn of_percentiles(colour: usize, latencies: &Histogram<u64>) -> Self {
        let points = (0..=STEPS).map_while(|step| {
            let nines = f64::from(step) / f64::from(STEPS) * NINES;
            let value = carried(latencies, 1.0 - 10_f64.powf(-nines))?;
            Some((nines, log(value as f64)))
        });
        Self {
            colour,
            points: points.collect(),
        }
    }

    /// The delay of each event over the moment of its write.
    pub(super) fn of_timeline(colour: usize, events: &[[u64; 2]]) -> Self {
        let point = |[written, delay]: &[u64; 2]| (*written as f64 / 1e6, log(*delay as f64));
        Self {
            colour,
            points: events.iter().map(point).collect(),
        }
    }

    pub(super) fn by_round(colour: usize, values: &[f64]) -> Self {
        let points = values.iter().enumerate();
        let points = points.map(|(round, value)| (round as f64 + 1.0, log(*value)));
        Self {
            colour,
            points: points.collect(),
        }
    }
}

impl Chart {
    pub(super) fn svg(&self) -> String {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let (left, right) = match self.x {
            Axis::Percentile | Axis::Milliseconds => {
                (0.0, points().map(|point| point.0).fold(1.0, f64::max))
            }
            _ => (1.0, points().map(|point| point.0).fold(2.0, f64::max)),
        };
        let low = points().map(|point| point.1).fold(f64::MAX, f64::min);
        let high = points().map(|point| point.1).fold(f64::MIN, f64::max);
        let (low, high) = if low > high {
            (3.0, 4.0)
        } else {
            (low.floor(), high.ceil().max(low.floor() + 1.0))
        };
        let x = |value: f64| LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT);
        let y =
            |value: f64| HEIGHT - BELOW - (value - low) / (high - low) * (HEIGHT - ABOVE - BELOW);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\"><text class=\"title\" x=\"0\" y=\"14\">{0}, {1}</text>\n",
            self.title,
            match self.y {
                Axis::Microseconds => "us",
                Axis::Percentile | Axis::Round | Axis::Milliseconds => "",
            }
        );
        for (value, name) in decades(low, high) {
            let at = y(value);
            push(
                &mut svg,
                format_args!(
                    "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\n",
                    WIDTH - RIGHT,
                    LEFT - 6.0,
                    at + 4.0
                ),
            );
        }
        for (value, name) in self.marks(left, right) {
            let at = x(value);
            push(
                &mut svg,
                format_args!(
                    "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{ABOVE}\" y2=\"{:.1}\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>\n",
                    HEIGHT - BELOW,
                    HEIGHT - BELOW + 16.0
                ),
            );
        }
        for curve in &self.curves {
            let mut line = String::new();
            for (index, point) in curve.points.iter().enumerate() {
                let letter = if index == 0 { 'M' } else { 'L' };
                push(
                    &mut line,
                    format_args!("{letter}{:.1} {:.1}", x(point.0), y(point.1)),
                );
            }
            push(
                &mut svg,
                format_args!("<path class=\"c{}\" d=\"{line}\"/>\n", curve.colour),
            );
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn marks(&self, left: f64, right: f64) -> Vec<(f64, String)> {
        match self.x {
            Axis::Percentile => ["0", "90", "99", "99.9", "99.99", "99.999"]
                .iter()
                .enumerate()
                .map(|(nines, name)| (nines as f64, format!("p{name}")))
                .filter(|(nines, _)| *nines <= right + 1e-9)
                .collect(),
            _ => {
                let least = ((right - left) / 8.0).max(1.0);
                let step = match self.x {
                    Axis::Milliseconds => rounded_up(least),
                    _ => least.ceil(),
                };
                std::iter::successors(Some(left), |round| Some(round + step))
                    .take_while(|round| *round <= right)
                    .map(|round| (round, format!("{round:.0}")))
                    .collect()
            }
        }
    }
}

/// To 1, 2 or 5 times a power of ten.
fn rounded_up(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let fits = factors.into_iter().find(|factor| *factor >= step);
    fits.unwrap_or(step)
}

/// Lines at powers of ten of a microsecond, and between them where there are few.
fn decades(low: f64, high: f64) -> Vec<(f64, String)> {
    let between: &[f64] = if high - low <= 2.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let mut lines = Vec::new();
    let mut decade = low;
    while decade <= high {
        for factor in between {
            let value = decade + factor.log10();
            if value <= high + 1e-9 {
                let micros = 10_f64.powf(value - 3.0);
                let name = if micros < 1.0 {
                    format!("{micros:.1}")
                } else {
                    format!("{micros:.0}")
                };
                lines.push((value, name));
            }
        }
        decade += 1.0;
    }
    lines
}

/// A delay below a microsecond, which one without a proxy can be, is one.
fn log(nanos: f64) -> f64 {
    nanos.max(1000.0).log10()
}

const STEPS: u32 = 120;
/// Up to p99.999.
const NINES: f64 = 5.0;
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const ABOVE: f64 = 26.0;
const BELOW: f64 = 26.0;
