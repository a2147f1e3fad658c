//! What the machine does: CPU of threads, memory, and what others take.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The machine a run was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The processor as it calls itself.
    pub cpu: String,
    /// How many cores this process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// Whether a hypervisor is under it.
    pub virtual_machine: bool,
}

impl Machine {
    pub(crate) fn this(cores: usize) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let value = |name: &str| {
            let line = info.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        Self {
            cpu: value("model name").unwrap_or_else(|| "unknown".to_owned()),
            cores,
            kernel: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            virtual_machine: value("flags").is_some_and(|flags| flags.contains(" hypervisor")),
        }
    }
}

/// The CPU time of all threads of these processes, in nanoseconds; 0 where the system keeps no account of it.
pub(crate) fn cpu_of(processes: &[u32]) -> u64 {
    let of = |process: &u32| -> u64 { threads(*process).iter().map(|(_, cpu)| cpu).sum() };
    processes.iter().map(of).sum()
}

/// A thread of some process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Thread {
    process: u32,
    number: u32,
}

impl Thread {
    pub(crate) fn this() -> Self {
        let number = rustix::thread::gettid().as_raw_nonzero().get();
        Self {
            process: std::process::id(),
            number: number.unsigned_abs(),
        }
    }

    /// Its CPU time, in nanoseconds.
    pub(crate) fn cpu(self) -> u64 {
        let Self { process, number } = self;
        schedstat(Path::new(&format!("/proc/{process}/task/{number}")))
    }
}

/// The CPU time of this process, in nanoseconds; threads that ended are in it.
pub(crate) fn own_cpu() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

/// The threads of a process, with the CPU time of each.
pub(crate) fn threads(process: u32) -> Vec<(u32, u64)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    let thread = |entry: fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, schedstat(&entry.path())))
    };
    entries.flatten().filter_map(thread).collect()
}

/// The first number of `schedstat`: time on a CPU, in nanoseconds. Clock ticks are too coarse.
fn schedstat(task: &Path) -> u64 {
    let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The peak of the resident memory of these processes together, in bytes (`VmHWM`).
pub(crate) fn peak_memory(processes: &[u32]) -> u64 {
    memory(processes, "VmHWM:")
}

/// The resident memory of these processes together as it is now, in bytes (`VmRSS`).
pub(crate) fn resident_memory(processes: &[u32]) -> u64 {
    memory(processes, "VmRSS:")
}

fn memory(processes: &[u32], which: &str) -> u64 {
    let of = |process: &u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with(which))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    processes.iter().filter_map(of).sum::<u64>() << 10
}

/// The time all cores were busy since the start of the machine.
pub(crate) fn busy() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    // user, nice, system, irq, softirq, steal; idle and iowait are 3 and 4.
    let ticks: u64 = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|index| fields.get(*index))
        .sum();
    Some(Duration::from_millis(
        ticks * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// The share of a spin that went to somebody else, hypervisor or neighbour.
pub(crate) fn lost_share(spin: Duration) -> f64 {
    let began = Instant::now();
    let (mut last, mut lost) = (began, Duration::ZERO);
    while last.duration_since(began) < spin {
        let now = Instant::now();
        let gap = now.duration_since(last);
        if gap > HICCUP {
            lost += gap;
        }
        last = now;
    }
    lost.as_secs_f64() / last.duration_since(began).as_secs_f64()
}

/// Longer than any interrupt takes, shorter than any time slice.
const HICCUP: Duration = Duration::from_micros(5);
