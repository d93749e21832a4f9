//! What processes use, as `/proc` tells it; nothing where there is none.

use std::fs;

/// A process, as far as a measurement cares.
pub struct Stat {
    /// Its command.
    pub name: String,
    /// Who started it.
    pub parent: u32,
    /// Ticks of 1/100 s that it has used.
    pub own_ticks: u64,
    /// Ticks that its children had used when they ended.
    pub ended_ticks: u64,
}

/// The process of that number, or `self`.
pub fn stat(process: impl std::fmt::Display) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (front, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // After the command: state, parent, …, user and system time of its own and of its children.
    Some(Stat {
        name: front.split_once('(')?.1.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: number(11)? + number(12)?,
        ended_ticks: number(13)? + number(14)?,
    })
}

/// CPU seconds that a process has used.
pub fn cpu_seconds(process: impl std::fmt::Display) -> f64 {
    stat(process).map_or(0, |stat| stat.own_ticks) as f64 / 100.0
}

/// CPU seconds of this process so far.
pub fn own_cpu_seconds() -> f64 {
    cpu_seconds("self")
}

/// The most memory that a process had, in bytes.
pub fn peak_memory(process: impl std::fmt::Display) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).map_or(0, |kilobytes| kilobytes << 10)
}
