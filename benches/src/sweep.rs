//! How a proxy's cost grows with one quantity: [`Sweep`].

use rustix::process::{Resource, getrlimit};

use crate::contest::SPARE;
use crate::placement::Placement;
use crate::profile::{Ask, Measure, Profile};

/// What is made larger and larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Keepalive connections: 1 to 10 000, or as many as there are descriptors for.
    Connections,
    /// Routes of the site: those of the deployment, and up to 10 000 more.
    Routes,
    /// The size of an upload: nothing to 16 MiB.
    Body,
    /// The distance of the events of 100 streams: 100 ms to 1 ms.
    Events,
    /// Streams of events that were begun, and open WebSockets, on which nothing happens: as many as there are descriptors for.
    Idle,
}

impl Sweep {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Connections,
        Self::Routes,
        Self::Body,
        Self::Events,
        Self::Idle,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Routes => "routes",
            Self::Body => "body",
            Self::Events => "events",
            Self::Idle => "idle",
        }
    }

    /// The benchmark that measures it.
    #[must_use]
    pub fn profile(self) -> Profile {
        let (measures, rounds, fresh_every) = match self {
            Self::Connections => (up_to(10_000).map(connections).collect(), 4, 4),
            Self::Routes => ([0, 10, 100, 1000, 10_000].map(routes).to_vec(), 4, 4),
            Self::Body => (
                [0, 1 << 10, 64 << 10, 1 << 20, 16 << 20].map(body).to_vec(),
                4,
                4,
            ),
            Self::Events => ([100, 20, 5, 1].map(events).to_vec(), 4, 4),
            Self::Idle => {
                let idle = |ask| {
                    up_to(10_000)
                        .filter(|many| *many >= 100)
                        .map(move |many| idle(many, ask))
                };
                let measures = idle(Ask::IdleStreams).chain(idle(Ask::IdleSockets));
                (measures.collect(), 3, 3)
            }
        };
        Profile {
            name: format!("{PREFIX}{}", self.name()),
            about: "How cost grows".to_owned(),
            placement: Placement::Same,
            rounds,
            round_ms: 400,
            warmup_ms: 150,
            fresh_every,
            measures,
        }
    }
}

/// What of a command asks for this benchmark.
pub(crate) fn option(profile: &Profile) -> String {
    let sweeps = Sweep::ALL.into_iter();
    let sweep = sweeps.map(Sweep::name).find(|name| is_of(profile, name));
    match sweep {
        Some(name) => format!("--sweep {name}"),
        None => format!("--profile {}", profile.name),
    }
}

/// Whether its measures differ in one quantity.
pub(crate) fn is_one(profile: &Profile) -> bool {
    Sweep::ALL.iter().any(|sweep| is_of(profile, sweep.name()))
}

fn is_of(profile: &Profile, name: &str) -> bool {
    profile.name.strip_prefix(PREFIX) == Some(name)
}

/// Of the names of profiles.
const PREFIX: &str = "sweep-";

fn connections(many: usize) -> Measure {
    let plural = if many == 1 { "" } else { "s" };
    Measure::new(format!("{} connection{plural}", grouped(many)), many)
}

fn routes(more: usize) -> Measure {
    Measure {
        routes: more,
        ..Measure::new(format!("{} more routes", grouped(more)), 32)
    }
}

fn body(size: usize) -> Measure {
    let told = match size {
        0 => "an empty body".to_owned(),
        1..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    };
    Measure {
        ask: Ask::Upload,
        body: size,
        ..Measure::new(told, 4)
    }
}

fn events(interval_ms: u64) -> Measure {
    Measure {
        ask: Ask::Events,
        event_interval_us: Some(interval_ms * 1000),
        ..Measure::new(format!("100 streams, an event every {interval_ms} ms"), 100)
    }
}

fn idle(many: usize, ask: Ask) -> Measure {
    let what = match ask {
        Ask::IdleSockets => "WebSockets",
        _ => "event streams",
    };
    Measure {
        ask,
        ..Measure::new(format!("{} {what}", grouped(many)), many)
    }
}

/// Powers of ten, and in the place of those that are too many as many as this process has descriptors for.
fn up_to(most: usize) -> impl Iterator<Item = usize> {
    let room = room();
    let powers = (0..)
        .map(|power| 10_usize.pow(power))
        .take_while(move |many| *many <= most);
    let mut full = false;
    powers
        .map(move |many| many.min(room))
        .take_while(move |many| !std::mem::replace(&mut full, *many == room))
}

/// Client, proxy and upstream are processes of their own with the same limit, and each connection has two ends in the proxy.
fn room() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    (limit.saturating_sub(APART) / 2).max(1)
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Descriptors for what is closing while other connections open, at both ends of a proxy, and for everything else.
const APART: usize = 2 * SPARE + 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_a_profile_that_could_have_been_written() {
        for sweep in Sweep::ALL {
            let text = toml::to_string(&sweep.profile()).unwrap();
            assert_eq!(
                Profile::parse("sweep.toml", &text).unwrap(),
                sweep.profile(),
                "{text}"
            );
            assert!(sweep.profile().measures.len() >= 3);
            assert_eq!(
                option(&sweep.profile()),
                format!("--sweep {}", sweep.name())
            );
            assert!(is_one(&sweep.profile()));
        }
    }

    #[test]
    fn other_profiles_are_named() {
        let quick = Profile::named("quick").unwrap();
        assert_eq!(option(&quick), "--profile quick");
        assert!(!is_one(&quick));
    }

    #[test]
    fn as_many_as_there_is_room_for() {
        let all: Vec<usize> = up_to(1000).collect();
        assert_eq!(&all[..2], [1, 10]);
        assert!(all.windows(2).all(|two| two[0] < two[1]), "{all:?}");
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!(grouped(100), "100");
    }
}
