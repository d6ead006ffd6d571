//! As every Unix does: by ps(1). The processors are not asked, and no thread is below others.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Process, Processors};

/// Elsewhere a priority is that of the whole process, and some of its threads are urgent.
pub(crate) fn lower_priority(_steps: i32) {}

/// What the process `pid` uses. CPU time is as exact as its `ps` is: seconds, or hundredths.
pub(crate) fn process(pid: u32) -> Result<Process> {
    let ps = Command::new("ps").args(["-o", "rss=", "-o", "time=", "-p", &pid.to_string()]).output();
    let said = ps.context("could not run ps, which tells what a process uses")?.stdout;
    let (rss_mb, cpu_s) = rss_and_time(&String::from_utf8_lossy(&said))
        .with_context(|| format!("there is no process {pid} to measure (ps -p {pid})"))?;
    Ok(Process { cpu_s, rss_mb, peak_mb: None })
}

/// Each system says it in its own way.
pub(crate) fn processors() -> Option<Processors> {
    None
}

/// Kibibytes, and days, hours, minutes and seconds, such as `1024 1-02:03:04` or `1024 3:04.05`.
fn rss_and_time(said: &str) -> Option<(f64, f64)> {
    let (kib, time) = said.trim().split_once(char::is_whitespace)?;
    let (days, time) = time.trim().split_once('-').unwrap_or(("0", time.trim()));
    let seconds = time.split(':').try_fold(0.0, |sum, part| Some(60.0 * sum + part.parse::<f64>().ok()?))?;
    Some((kib.parse::<f64>().ok()? * 1024.0 / 1e6, 86_400.0 * days.parse::<f64>().ok()? + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ps_knows_this_process_and_none_that_is_not_there() {
        let ours = process(std::process::id()).unwrap();
        assert!(ours.rss_mb > 0.1 && ours.cpu_s >= 0.0 && ours.peak_mb.is_none(), "{ours:?}");
        assert!(process(u32::MAX >> 1).unwrap_err().to_string().contains("there is no process"));
        lower_priority(1);
        assert_eq!(processors(), None);
    }

    #[test]
    fn what_ps_says_is_read_in_the_forms_of_linux_and_of_macos() {
        assert_eq!(rss_and_time("  2000 00:01:02\n"), Some((2.048, 62.0)));
        assert_eq!(rss_and_time("2000 1-02:00:00\n"), Some((2.048, 93_600.0)));
        assert_eq!(rss_and_time("  2000   3:04.25\n"), Some((2.048, 184.25)));
        assert_eq!(rss_and_time("\n"), None);
        assert_eq!(rss_and_time("2000 soon\n"), None);
    }
}
