//! Which cores client, proxy and upstream run on: on a virtual machine a factor of ten, more than any proxy is.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// Where client, proxy and upstream run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// All on one core: what a request costs, without what waking another core costs.
    #[default]
    Same,
    /// The proxy on a core of its own: what it can carry.
    Split,
    /// Wherever the system puts them.
    Free,
}

impl std::fmt::Display for Placement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Same => "client, proxy and upstream on one core",
            Self::Split => "the proxy on a core of its own, client and upstream on another",
            Self::Free => "on any core",
        })
    }
}

impl std::str::FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "same" => Ok(Self::Same),
            "split" => Ok(Self::Split),
            "free" => Ok(Self::Free),
            _ => Err("same, split or free".to_owned()),
        }
    }
}

/// The cores this process had at the beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cores(Vec<usize>);

impl Cores {
    pub(crate) fn of_this_process() -> Self {
        let allowed = sched_getaffinity(None).ok();
        let allowed = allowed.map_or_else(Vec::new, |set| {
            (0..CpuSet::MAX_CPU)
                .filter(|core| set.is_set(*core))
                .collect()
        });
        Self(allowed)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Puts the calling thread, a client or an upstream, where it belongs.
    pub(crate) fn place_this_thread(&self, placement: Placement) {
        self.place(None, placement, self.0.last());
    }

    /// Puts a thread of the proxy where it belongs.
    pub(crate) fn place_proxy(&self, thread: u32, placement: Placement) {
        let core = match placement {
            Placement::Split => self.0.first(),
            _ => self.0.last(),
        };
        let thread = i32::try_from(thread).ok().and_then(Pid::from_raw);
        if thread.is_some() {
            self.place(thread, placement, core);
        }
    }

    /// The calling thread may run everywhere again.
    pub(crate) fn release_this_thread(&self) {
        self.place(None, Placement::Free, None);
    }

    fn place(&self, thread: Option<Pid>, placement: Placement, core: Option<&usize>) {
        let mut set = CpuSet::new();
        match (placement, core) {
            (Placement::Free, _) | (_, None) => self.0.iter().for_each(|core| set.set(*core)),
            (_, Some(core)) => set.set(*core),
        }
        // A thread that is gone by now needs no place.
        let _ = sched_setaffinity(thread, &set);
    }
}
