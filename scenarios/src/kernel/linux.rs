//! As Linux offers it: `/proc`, and a priority for each thread.

use std::fs;

use anyhow::{Context as _, Result};

use super::{Process, Processors};

/// `/proc` counts CPU time in hundredths of a second whatever the kernel itself ticks at
/// (`USER_HZ`, proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Lowers the priority of this thread, and of those that it will start.
pub(crate) fn lower_priority(steps: i32) {
    let _ = rustix::process::nice(steps);
}

/// What the process `pid` uses. CPU time is in steps of 10 ms.
pub(crate) fn process(pid: u32) -> Result<Process> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        fs::read_to_string(&path).with_context(|| format!("there is no process {pid} to measure ({path})"))
    };
    let malformed = || format!("/proc/{pid} is not as proc(5) says");
    let status = read("status")?;
    Ok(Process {
        cpu_s: cpu_seconds(&read("stat")?).with_context(malformed)?,
        rss_mb: megabytes(&status, "VmRSS:").with_context(malformed)?,
        peak_mb: Some(megabytes(&status, "VmHWM:").with_context(malformed)?),
    })
}

/// What the processors have done.
pub(crate) fn processors() -> Option<Processors> {
    processor_time(&fs::read_to_string("/proc/stat").ok()?)
}

/// The line `cpu` of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal.
/// What follows, the time of guests, is part of the first two.
fn processor_time(stat: &str) -> Option<Processors> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> =
        line.split_ascii_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: f64 = ticks.iter().sum();
    Some(Processors { busy_s: (all - idle) / TICKS_PER_SECOND, all_s: all / TICKS_PER_SECOND })
}

/// Fields 14 and 15, `utime` and `stime`. The second field is the program's name in parentheses,
/// which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) as f64 / TICKS_PER_SECOND)
}

/// The value of `name` in a status file, in kibibytes.
fn megabytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib as f64 * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_moves_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) S 1 2"), None);
    }

    #[test]
    fn memory_is_in_megabytes() {
        let status = "Name:\ta\nVmHWM:\t   2000 kB\nVmRSS:\t   1000 kB\nVmData:\t 9 kB\n";
        assert_eq!(megabytes(status, "VmRSS:"), Some(1.024));
        assert_eq!(megabytes(status, "VmHWM:"), Some(2.048));
        assert_eq!(megabytes("Name:\ta\n", "VmRSS:"), None);
    }

    #[test]
    fn processors_are_busy_when_they_neither_idle_nor_wait_for_a_disk() {
        let stat = "cpu  1000 0 100 5000 300 0 0 0 77 0\ncpu0 1 2 3 4\n";
        assert_eq!(processor_time(stat), Some(Processors { busy_s: 11.0, all_s: 64.0 }));
        assert_eq!(processor_time("cpu0 1 2 3 4 5\n"), None);
        assert_eq!(processor_time("cpu  1 2 3\n"), None);
        assert!(processors().is_some_and(|now| now.busy_s > 0.0 && now.all_s >= now.busy_s));
    }
}
