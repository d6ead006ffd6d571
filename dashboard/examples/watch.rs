//! Runs the dashboard on synthetic snapshots, with a simulated supervisor: `cargo run -p dashboard
//! --example watch`.
//!
//! For looking at it and trying the keys without a cluster. Nothing it shows is measured.
//! `PER_SECOND=10` sets how many snapshots come in a second (4), to see what drawing them costs.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use dashboard::{
    ControlState, Depth, Exit, Options, Palette, Progress, Publisher, Request, Summary, Theme, feed,
    is_terminal, run,
};
use dashboard_testing::{city_map, normal, panes, records};

fn main() -> std::io::Result<()> {
    if !is_terminal() {
        println!("{}", dashboard::headless::snapshot_text(&normal(0)));
        return Ok(());
    }
    let variable = |name| std::env::var(name).ok();
    let (no_color, colorterm, term) = (variable("NO_COLOR"), variable("COLORTERM"), variable("TERM"));
    let depth = Depth::of_environment(no_color.as_deref(), colorterm.as_deref(), term.as_deref());
    let (publisher, feed) = feed();
    let (ask, asked) = channel();
    std::thread::spawn(move || supervise(&publisher, &asked));
    let theme = Theme { palette: Palette::Dark, depth, ..Theme::default() };
    let options = Options { theme, panes: panes(), save_in: PathBuf::new(), ..Options::default() };
    let outcome = run(&feed, |request| drop(ask.send(request)), &options)?;
    if let Some(last) = &outcome.last {
        print!("{}", Summary::of(last, outcome.ran_ms).text());
    }
    match outcome.exit {
        Exit::Quit => Ok(()),
        Exit::Signal(signal) => std::process::exit(128 + signal),
        Exit::Panicked | Exit::Gone => std::process::exit(1),
    }
}

/// Some snapshots a second; each command is accepted with the next one and observed five later.
fn supervise(publisher: &Publisher, asked: &Receiver<Request>) {
    publisher.map(city_map());
    let mut commands: Vec<(u64, u64)> = Vec::new();
    let mut read = None;
    let per_second = std::env::var("PER_SECOND").ok().and_then(|text| text.parse().ok()).unwrap_or(4_u64);
    let pause = Duration::from_millis(1_000 / per_second.clamp(1, 1_000));
    for step in 0_u64.. {
        match asked.recv_timeout(pause) {
            Ok(Request::Control(command)) => commands.push((command.id, step)),
            Ok(Request::Read(query)) => read = query,
            // These snapshots come at their own pace.
            Ok(Request::PollEvery(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        assert!(step < 20 || std::env::var_os("PANIC").is_none(), "the environment asked for a panic");
        let mut snapshot = normal(step);
        snapshot.controls = commands
            .iter()
            .map(|(id, since)| {
                let progress = if step < since + 5 { Progress::Accepted } else { Progress::Observed };
                ControlState { id: *id, progress, note: None }
            })
            .collect();
        snapshot.records = read.as_ref().map(|query| records(query).into());
        publisher.snapshot(snapshot);
    }
}
