//! Where a show is seen: the dashboard, or a line a second where there is no terminal.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use dashboard::{Depth, Exit, Glyphs, Notice, Options, Palette, Pane, Settings, Theme};
use streets::Map;
use text::escape;

use super::preferences;
use crate::cli::{Format, ScreenArgs};
use crate::output::{print, stdout};
use crate::screen_lines::ScreenLines;
use scenarios::business::Business;
use scenarios::control;
use scenarios::controller::{SNAPSHOT_EVERY, ShowController};
use scenarios::ride_share::city_map;

/// Where it is seen.
pub(crate) enum Screen {
    /// On a terminal.
    Terminal(Options),
    /// As text on standard output.
    Lines(Format),
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Its time was over.
    Time,
    /// `q` was pressed.
    Quit,
    /// Ctrl-C, or another signal.
    Interrupted,
    /// The reader of standard output has gone.
    Unread,
}

impl Screen {
    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// The dashboard with the panes of these businesses if there is a terminal and no lines are
    /// asked for.
    pub(crate) fn choose(
        headless: bool,
        format: Format,
        args: &ScreenArgs,
        businesses: &[&Business],
    ) -> Result<Self> {
        let file = preferences::file();
        let (settings, notice) = file.as_deref().map_or_else(Default::default, preferences::read);
        let theme = theme(args, &settings)?;
        if headless || format == Format::Jsonl {
            return Ok(Self::Lines(format));
        }
        if !dashboard::is_terminal() {
            say!("this is not a terminal: a line a second instead of the dashboard");
            return Ok(Self::Lines(format));
        }
        Ok(Self::Terminal(Options {
            theme,
            panes: panes(businesses),
            save_in: PathBuf::new(),
            settings,
            settings_file: file,
            notice,
        }))
    }

    /// Shows the controller's snapshots until it is ended.
    pub(crate) fn run(
        &self,
        controller: &mut ShowController,
        map: &Map,
        time: Option<Duration>,
    ) -> Result<Left> {
        match self {
            Self::Terminal(options) => on_terminal(controller, map, options, time),
            Self::Lines(format) => in_lines(controller, *format, time),
        }
    }

    /// A line for the person at a terminal from which the dashboard has just gone.
    pub(crate) fn say(&self, words: &str) {
        if matches!(self, Self::Terminal(_)) {
            say!("{words}");
        }
    }

    /// Prints the summary of a show.
    pub(crate) fn summary(&self, text: &str, json: &serde_json::Value) -> Result<()> {
        print(|out| match self {
            Self::Lines(Format::Jsonl) => writeln!(out, "{json}"),
            Self::Lines(Format::Text) | Self::Terminal(_) => write!(out, "{text}"),
        })
    }
}

/// The panes of a show of these businesses, in the order of their numbers. A pane has one number on
/// every screen that shows the usual businesses: what may stand beside them comes last.
pub(crate) fn panes(businesses: &[&Business]) -> Vec<Pane> {
    let (usual, others): (Vec<&Business>, Vec<&Business>) =
        businesses.iter().partition(|business| business.in_every_show);
    let [usual, others] = [usual, others].map(|of| of.into_iter().map(|business| business.pane));
    if usual.len() == 0 {
        return Pane::of_show(others);
    }
    Pane::of_show(usual).into_iter().chain(others).collect()
}

/// The look that was asked for, or else that of the settings, in the colours that the terminal has.
pub(crate) fn theme(args: &ScreenArgs, settings: &Settings) -> Result<Theme> {
    let palette = match &args.theme {
        None => settings.theme.unwrap_or_default(),
        Some(name) => Palette::named(name).with_context(|| {
            format!("there is no theme `{name}`: pass dark, light, high-contrast or mono")
        })?,
    };
    let variable = |name| std::env::var(name).ok();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable);
    let term = variable("TERM");
    let glyphs = match &args.glyphs {
        None => settings.glyphs.unwrap_or_else(|| {
            Glyphs::of_environment(locale.each_ref().map(Option::as_deref), term.as_deref())
        }),
        Some(name) => Glyphs::named(name)
            .with_context(|| format!("there is no set of glyphs `{name}`: pass braille, block or ascii"))?,
    };
    let depth = Depth::of_environment(
        variable("NO_COLOR").as_deref(),
        variable("COLORTERM").as_deref(),
        term.as_deref(),
    );
    Ok(Theme { palette, depth, glyphs })
}

#[expect(clippy::disallowed_methods, reason = "the edge: a show's time is measured in wall-clock time")]
fn on_terminal(
    controller: &mut ShowController,
    map: &Map,
    options: &Options,
    time: Option<Duration>,
) -> Result<Left> {
    let (publisher, feed) = dashboard::feed();
    publisher.map(city_map(map));
    let (ask, requests) = channel();
    let (stop, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut lines = ScreenLines::take();
    let outcome = thread::scope(|scope| {
        let (stop, over) = (&stop, &over);
        scope.spawn(move || {
            let mut shown = None::<Instant>;
            while !stop.load(Ordering::Relaxed) {
                controller.take_in(SNAPSHOT_EVERY / 4);
                controller.obey(&requests);
                lines.news().into_iter().for_each(|notice| controller.show.note(notice));
                if shown.is_none_or(|shown| shown.elapsed() >= SNAPSHOT_EVERY) {
                    shown = Some(Instant::now());
                    publisher.snapshot(controller.snapshot());
                }
                if time.is_some_and(|time| controller.lasted() >= time) && !over.swap(true, Ordering::Relaxed)
                {
                    // The thread that draws can be ended by a signal from outside; so it is.
                    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGTERM);
                }
            }
        });
        let outcome = dashboard::run(&feed, |request| drop(ask.send(request)), options);
        stop.store(true, Ordering::Relaxed);
        outcome
    });
    Ok(match outcome.context("could not draw on the terminal")?.exit {
        Exit::Quit => Left::Quit,
        Exit::Signal(_) if over.load(Ordering::Relaxed) => Left::Time,
        Exit::Signal(signal) => {
            control::note_signal(signal);
            Left::Interrupted
        }
        Exit::Gone => Left::Interrupted,
        Exit::Panicked => bail!("a thread of the dashboard panicked: its message stands above"),
    })
}

#[expect(clippy::disallowed_methods, reason = "the edge: a line a second is a second of the wall")]
fn in_lines(controller: &mut ShowController, format: Format, time: Option<Duration>) -> Result<Left> {
    const LINE_EVERY: Duration = Duration::from_secs(1);
    let orders = control::orders(false)?;
    let mut due = Instant::now() + LINE_EVERY;
    let mut told = 0;
    loop {
        controller.take_in(SNAPSHOT_EVERY / 4);
        if orders.try_recv().is_ok() {
            return Ok(Left::Interrupted);
        }
        let now = Instant::now();
        if now >= due {
            // A second that was missed is not made up for.
            while due <= now {
                due += LINE_EVERY;
            }
            let snapshot = controller.snapshot();
            let mut lines = Vec::new();
            // Of the timeline only what is new; how many were dropped keeps the count right.
            let ever = snapshot.timeline.dropped + snapshot.timeline.notices.len() as u64;
            let new = (ever - told).min(snapshot.timeline.notices.len() as u64) as usize;
            told = ever;
            for notice in &snapshot.timeline.notices[snapshot.timeline.notices.len() - new..] {
                lines.push(match format {
                    Format::Text => words(notice),
                    Format::Jsonl => dashboard::headless::event_json(notice),
                });
            }
            lines.push(match format {
                Format::Text => dashboard::headless::snapshot_text(&snapshot),
                Format::Jsonl => dashboard::headless::snapshot_json(&snapshot),
            });
            match writeln!(stdout(), "{}", lines.join("\n")) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Left::Unread),
                other => other?,
            }
        }
        if time.is_some_and(|time| controller.lasted() >= time) {
            return Ok(Left::Time);
        }
    }
}

fn words(notice: &Notice) -> String {
    format!("  * {}: {}", escape(&notice.subject), escape(&notice.text))
}

#[cfg(test)]
mod tests {
    use scenarios::businesses::ALL;
    use scenarios::markets::MARKETS;

    use super::*;

    #[test]
    fn a_pane_has_one_number_on_every_screen() {
        let usual: Vec<&Business> = ALL.iter().copied().filter(|business| business.in_every_show).collect();
        let [of_a_demo, of_a_cluster] = [&usual[..], ALL].map(panes);
        assert_eq!(of_a_cluster[..of_a_demo.len()], of_a_demo, "7 is the lanes wherever one looks");
        assert_eq!(of_a_cluster.last(), Some(&Pane::Markets));
        let [.., markets, lanes, events] = panes(&[&MARKETS])[..] else { panic!("three and more") };
        assert_eq!([markets, lanes, events], [Pane::Markets, Pane::Lanes, Pane::Events]);
    }
}
