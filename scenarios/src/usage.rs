//! The CPU time and memory of a process, and how busy the processors are.

use anyhow::Result;

use crate::kernel;

/// CPU time and memory of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Seconds of CPU time, its own and the kernel's on its behalf, of all its threads since it
    /// began.
    pub cpu_s: f64,
    /// Memory it holds now, in megabytes (10⁶ bytes).
    pub rss_mb: f64,
    /// The most it has held so far, in megabytes; none where nobody counts it.
    pub peak_mb: Option<f64>,
}

impl Usage {
    /// Asks the operating system about the process `pid`.
    pub fn of(pid: u32) -> Result<Self> {
        let kernel::Process { cpu_s, rss_mb, peak_mb } = kernel::process(pid)?;
        Ok(Self { cpu_s, rss_mb, peak_mb })
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
    /// Asks the operating system; none where it does not say.
    pub fn now() -> Option<Self> {
        kernel::processors().map(|kernel::Processors { busy_s, all_s }| Self { busy_s, all_s })
    }

    /// The share of the time since `before` in which the processors worked, from 0 to 1; none if no
    /// time has passed.
    pub fn busy_since(self, before: Self) -> Option<f64> {
        let all_s = self.all_s - before.all_s;
        (all_s > 0.0).then(|| ((self.busy_s - before.busy_s) / all_s).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_busy_for_a_share_of_the_time_that_has_passed() {
        let before = ProcessorTime { busy_s: 11.0, all_s: 64.0 };
        assert_eq!(ProcessorTime { busy_s: 12.75, all_s: 66.0 }.busy_since(before), Some(0.875));
        assert_eq!(before.busy_since(before), None);
    }

    #[test]
    fn we_use_something() {
        let usage = Usage::of_ourselves().unwrap();
        assert!(usage.cpu_s >= 0.0 && usage.rss_mb > 0.5, "{usage:?}");
        let error = Usage::of(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("no process 4294967295"), "{error}");
    }
}
