//! What the operating system is asked and told about processes: as Linux offers it, and as every
//! Unix does.
//!
//! The feature `portable` chooses the second form on Linux too, so that it is tested where we are
//! (`make test`).
//!
//! Checked in rustix 1.1 for macOS: `nice` is there and means the whole process, where on Linux it
//! is one thread. What else the show calls is there and means the same: `statvfs`, `getrlimit`,
//! `kill_process` and the terminal's calls. There is no `/proc`, and `ps` writes minutes and
//! hundredths where that of Linux writes hours and seconds.

#[cfg(all(target_os = "linux", not(feature = "portable")))]
mod linux;
#[cfg(any(test, not(all(target_os = "linux", not(feature = "portable")))))]
mod portable;

#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(crate) use linux::{lower_priority, process, processors};
#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
pub(crate) use portable::{lower_priority, process, processors};

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Process {
    /// Seconds of CPU time of all its threads since it began.
    pub(crate) cpu_s: f64,
    /// Memory that it holds now, in megabytes (10⁶ bytes).
    pub(crate) rss_mb: f64,
    /// The most that it has held so far; none where it is not counted.
    pub(crate) peak_mb: Option<f64>,
}

/// Seconds of all processors since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Processors {
    /// In which they worked.
    pub(crate) busy_s: f64,
    /// These and those in which they idled.
    pub(crate) all_s: f64,
}
