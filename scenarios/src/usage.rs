//! The CPU time and memory of a process, as Linux counts them.

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
    fn we_use_something() {
        let usage = Usage::of_ourselves().unwrap();
        assert!(usage.cpu_s >= 0.0 && usage.rss_mb > 0.5, "{usage:?}");
        let error = Usage::of(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("no process 4294967295"), "{error}");
    }
}
