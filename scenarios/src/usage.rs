//! The CPU time and memory of a process, and how busy the processors are, as Linux counts them.

use std::fs;

use anyhow::{Context as _, Result};

/// `/proc` counts CPU time in hundredths of a second whatever the kernel itself ticks at
/// (`USER_HZ`, proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time and memory of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Seconds of CPU time, its own and the kernel's on its behalf, of all its threads since it
    /// began. In steps of 10 ms.
    pub cpu_s: f64,
    /// Memory it holds now, in megabytes (10⁶ bytes).
    pub rss_mb: f64,
    /// The most it has held so far, in megabytes.
    pub peak_mb: f64,
}

impl Usage {
    /// Asks the kernel about the process `pid`.
    pub fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path)
                .with_context(|| format!("there is no process {pid} to measure ({path})"))
        };
        let malformed = || format!("/proc/{pid} is not as proc(5) says");
        let status = read("status")?;
        Ok(Self {
            cpu_s: cpu_seconds(&read("stat")?).with_context(malformed)?,
            rss_mb: megabytes(&status, "VmRSS:").with_context(malformed)?,
            peak_mb: megabytes(&status, "VmHWM:").with_context(malformed)?,
        })
    }

    /// Of this process.
    pub fn of_ourselves() -> Result<Self> {
        Self::of(std::process::id())
    }
}

/// How long the processors have worked since the machine was started, all of them together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessorTime {
    /// Seconds in which a processor worked for anybody.
    pub busy_s: f64,
    /// These and the seconds in which one idled.
    pub all_s: f64,
}

impl ProcessorTime {
    /// Asks the kernel; none where it does not say.
    pub fn now() -> Option<Self> {
        processor_time(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The share of the time since `before` in which the processors worked, from 0 to 1; none if no
    /// time has passed.
    pub fn busy_since(self, before: Self) -> Option<f64> {
        let all_s = self.all_s - before.all_s;
        (all_s > 0.0).then(|| ((self.busy_s - before.busy_s) / all_s).clamp(0.0, 1.0))
    }
}

/// The line `cpu` of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal.
/// What follows, the time of guests, is part of the first two.
fn processor_time(stat: &str) -> Option<ProcessorTime> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> =
        line.split_ascii_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: f64 = ticks.iter().sum();
    Some(ProcessorTime { busy_s: (all - idle) / TICKS_PER_SECOND, all_s: all / TICKS_PER_SECOND })
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
        let stat = |user: u64, idle: u64, iowait: u64| {
            let stat = format!("cpu  {user} 0 100 {idle} {iowait} 0 0 0 77 0\ncpu0 1 2 3 4\n");
            processor_time(&stat).unwrap()
        };
        let before = stat(1_000, 5_000, 300);
        assert_eq!(before, ProcessorTime { busy_s: 11.0, all_s: 64.0 });
        assert_eq!(stat(1_175, 5_010, 315).busy_since(before), Some(0.875));
        assert_eq!(before.busy_since(before), None);
        assert_eq!(processor_time("cpu0 1 2 3 4 5\n"), None);
        assert_eq!(processor_time("cpu  1 2 3\n"), None);
        assert!(ProcessorTime::now().is_some_and(|now| now.busy_s > 0.0 && now.all_s >= now.busy_s));
    }

    #[test]
    fn we_use_something() {
        let usage = Usage::of_ourselves().unwrap();
        assert!(usage.cpu_s >= 0.0 && usage.rss_mb > 0.5, "{usage:?}");
        let error = Usage::of(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("no process 4294967295"), "{error}");
    }
}
