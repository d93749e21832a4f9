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

/// The process of this machine that listens on that TCP port, as far as this user may see.
pub fn listener(port: u16) -> Option<u32> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN; the tenth field is the socket's inode.
            let listens = fields.get(3) == Some(&"0A") && fields.get(1)?.ends_with(&format!(":{port:04X}"));
            listens.then(|| format!("socket:[{}]", fields.get(9).copied().unwrap_or_default()))
        })
    })?;
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.into_iter().find(|process| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.to_str() == Some(&socket))
    })
}
