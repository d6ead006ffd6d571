//! `freshet dashboard`: the dashboard alone, attached to any cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use client::{Admin, Since};
use events::HOUR_MS;
use streets::Map;

use super::screen::{self, Left, Screen};
use super::settings;
use crate::cli::DashboardArgs;
use crate::metrics::Metrics;
use scenarios::Interrupted;
use scenarios::business::map;
use scenarios::businesses::ALL;
use scenarios::controller::ShowController;
use scenarios::observe::watch::Watch;
use scenarios::observe::{Show, ShowConfig};
use scenarios::ride_share::city_map;

/// How long a single screen is prepared for: rates and trends need some seconds of looking.
const LOOK: Duration = Duration::from_secs(6);

/// Watches from now on until `q` or Ctrl-C.
pub(crate) fn run(args: &DashboardArgs) -> Result<()> {
    let settings = settings(&args.cluster, "freshet-dashboard")?;
    let map = map(args.map.as_deref())?;
    let mut metrics = Metrics::of(&args.metrics)?;
    // Said at once and in words, not by an empty screen.
    Admin::connect(&settings, Duration::from_secs(5))?;
    let show = Show::new(ShowConfig {
        name: settings.servers().to_owned(),
        bootstrap: settings.servers().to_owned(),
        clock: None,
        seed: None,
        period_ms: HOUR_MS,
        database: None,
        map: Arc::clone(&map),
        businesses: ALL.to_vec(),
        ends: false,
    });
    let watch = Watch::start(&settings, Since::Now)?;
    let admin = Admin::unconnected(&settings, Duration::from_secs(2))?;
    let mut controller =
        ShowController::new(show, watch, admin, None).with_metrics(metrics.as_mut().map(Metrics::of_show));
    metrics.map(Metrics::serve).transpose()?;
    if let Some(file) = &args.snapshot {
        say!("watching {} for {} s", settings.servers(), LOOK.as_secs());
        return snapshot(&mut controller, &map, file, args);
    }
    let screen = Screen::choose(args.headless, args.format, &args.screen, ALL)?;
    match screen.run(&mut controller, &map, None)? {
        Left::Interrupted => Err(Interrupted.into()),
        Left::Time | Left::Quit | Left::Unread => Ok(()),
    }
}

/// Draws one screen without a terminal.
#[expect(clippy::disallowed_methods, reason = "the edge: observing takes wall-clock time")]
fn snapshot(controller: &mut ShowController, map: &Map, file: &Path, args: &DashboardArgs) -> Result<()> {
    let size = size(&args.size)?;
    let until = Instant::now() + LOOK;
    while Instant::now() < until {
        controller.take_in(Duration::from_millis(100));
    }
    let (theme, panes) = (screen::theme(&args.screen, &dashboard::Settings::default())?, screen::panes(ALL));
    let svg = dashboard::render_svg(&controller.snapshot(), Some(&city_map(map)), &panes, size, &theme);
    std::fs::write(file, svg).with_context(|| format!("could not write {}", file.display()))
}

/// `120x40` in columns and rows.
fn size(text: &str) -> Result<(u16, u16)> {
    let parsed =
        text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    match parsed {
        Some((columns @ 1..=1000, rows @ 1..=1000)) => Ok((columns, rows)),
        _ => bail!("--size {text}: write columns and rows, from 1 to 1000, as 120x40"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_columns_and_rows() {
        assert_eq!(size("120x40").unwrap(), (120, 40));
        for text in ["", "120", "120x", "0x40", "120x40x1", "99999x1", "-1x5"] {
            assert!(size(text).unwrap_err().to_string().contains("as 120x40"), "{text}");
        }
    }
}
