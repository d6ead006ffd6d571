//! What a person wants the same each time, in a file: written when they say so, and read at the
//! start.
//!
//! ```toml
//! # How the dashboard of freshet looks; `save the settings` in its palette writes this.
//! theme = "light"
//! glyphs = "block"
//! layout = "panes"
//! pane = "payments"
//! mouse = false
//! poll_ms = 1000
//! ```
//!
//! # Simplifications
//! - Of TOML it is a line for each key, with comments and empty lines between: nothing here needs
//!   tables, and a person finds what is wrong by the line.

use std::fmt::Write;

use crate::state::palette::Palette;
use crate::state::pane::Pane;
use crate::state::{Audience, MouseOwner, POLL_STEPS, State};
use crate::view::theme::Glyphs;

/// How the screen is divided at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLayout {
    /// As many panes as the window has room for.
    Panes,
    /// One, as after `z`.
    One,
    /// The view for a projector, as after `P`.
    Projector,
}

impl StartLayout {
    const ALL: [(&'static str, StartLayout); 3] =
        [("panes", StartLayout::Panes), ("one", StartLayout::One), ("projector", StartLayout::Projector)];

    fn named(name: &str) -> Option<StartLayout> {
        Self::ALL.iter().find(|(its, _)| *its == name).map(|(_, layout)| *layout)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, layout)| *layout == self).expect("every layout has a name").0
    }
}

/// What is set; `None`: nothing is said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The colours.
    pub theme: Option<Palette>,
    /// The characters.
    pub glyphs: Option<Glyphs>,
    /// How the screen is divided.
    pub layout: Option<StartLayout>,
    /// The pane that has the focus; one that is not here leaves it to the first business.
    pub pane: Option<Pane>,
    /// Whether the mouse is the dashboard's.
    pub mouse: Option<bool>,
    /// How often the cluster is asked, in milliseconds; one of the steps of `[` and `]`.
    pub poll_ms: Option<u64>,
}

impl Settings {
    /// What a file says, for the dashboard to begin again as `state` is now.
    pub(crate) fn of(state: &State, glyphs: Glyphs) -> Settings {
        let layout = match state.audience {
            Audience::Projector => StartLayout::Projector,
            Audience::Desk if state.zoomed => StartLayout::One,
            Audience::Desk => StartLayout::Panes,
        };
        Settings {
            theme: Some(state.palette()),
            glyphs: Some(glyphs),
            layout: Some(layout),
            pane: Some(state.focus()),
            mouse: Some(state.mouse == MouseOwner::Dashboard),
            poll_ms: Some(POLL_STEPS[state.poll_step].0),
        }
    }

    /// Makes a new state begin so; colours and characters are those of the theme.
    pub(crate) fn begin(&self, state: &mut State) {
        if self.mouse == Some(false) {
            state.mouse = MouseOwner::Terminal;
        }
        state.poll_step = POLL_STEPS.iter().position(|(ms, _)| Some(*ms) == self.poll_ms).unwrap_or(0);
        match self.layout {
            Some(StartLayout::Panes) | None => {}
            Some(StartLayout::One) => state.zoomed = true,
            Some(StartLayout::Projector) => state.audience = Audience::Projector,
        }
        if let Some(at) = state.panes.iter().position(|its| Some(its.pane) == self.pane) {
            state.focus_on(at);
        }
    }

    /// Reads a file's text. `Err` has the line, from 1, and what is wrong with it: nothing of such
    /// a file counts.
    pub fn read(text: &str) -> Result<Settings, (usize, String)> {
        let mut settings = Settings::default();
        for (at, line) in text.lines().enumerate() {
            // No value holds this sign.
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            settings.take(line).map_err(|problem| (at + 1, problem))?;
        }
        Ok(settings)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once('=').ok_or("it is no `key = value`")?;
        let (key, value) = (key.trim(), value.trim());
        let quoted = || value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        match key {
            "theme" => {
                let theme = quoted().and_then(Palette::named);
                self.theme =
                    Some(theme.ok_or("theme is \"dark\", \"light\", \"high-contrast\" or \"mono\"")?);
            }
            "glyphs" => {
                let glyphs = quoted().and_then(Glyphs::named);
                self.glyphs = Some(glyphs.ok_or("glyphs is \"braille\", \"block\" or \"ascii\"")?);
            }
            "layout" => {
                let layout = quoted().and_then(StartLayout::named);
                self.layout = Some(layout.ok_or("layout is \"panes\", \"one\" or \"projector\"")?);
            }
            "pane" => {
                let pane = quoted().and_then(Pane::with_tab);
                self.pane = Some(pane.ok_or_else(|| {
                    let tabs: Vec<_> = Pane::ALL.iter().map(|pane| pane.spec().tab).collect();
                    format!("pane is one of {}, in quotes", tabs.join(", "))
                })?);
            }
            "mouse" => self.mouse = Some(value.parse().map_err(|_| "mouse is true or false")?),
            "poll_ms" => {
                let step = POLL_STEPS.iter().find(|(ms, _)| value.parse() == Ok(*ms));
                self.poll_ms = Some(step.ok_or("poll_ms is 250, 500, 1000 or 2000")?.0);
            }
            _ => {
                let keys = "theme, glyphs, layout, pane, mouse and poll_ms";
                return Err(format!("there are {keys}, and no other key"));
            }
        }
        Ok(())
    }

    /// The text of a file that says the same.
    pub fn write(&self) -> String {
        let mut text =
            "# How the dashboard of freshet looks; `save the settings` in its palette writes this.\n"
                .to_owned();
        let mut line = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                writeln!(text, "{key} = {value}").expect("a String takes anything");
            }
        };
        line("theme", self.theme.map(|theme| format!("\"{}\"", theme.name())));
        line("glyphs", self.glyphs.map(|glyphs| format!("\"{}\"", glyphs.name())));
        line("layout", self.layout.map(|layout| format!("\"{}\"", layout.name())));
        line("pane", self.pane.map(|pane| format!("\"{}\"", pane.spec().tab)));
        line("mouse", self.mouse.map(|mouse| mouse.to_string()));
        line("poll_ms", self.poll_ms.map(|ms| ms.to_string()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let all = Settings {
            theme: Some(Palette::HighContrast),
            glyphs: Some(Glyphs::Ascii),
            layout: Some(StartLayout::Projector),
            pane: Some(Pane::Payments),
            mouse: Some(false),
            poll_ms: Some(2_000),
        };
        assert_eq!(Settings::read(&all.write()), Ok(all));
        assert_eq!(Settings::read(&Settings::default().write()), Ok(Settings::default()));
        assert_eq!(Settings::read(""), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, words) in [
            ("theme = \"dark\"\n\ntheme = dark", 3, "theme is \"dark\""),
            ("# a comment\nmouse = yes", 2, "true or false"),
            ("poll_ms = 7", 1, "250, 500"),
            ("layout = \"small\"", 1, "\"projector\""),
            ("pane = city", 1, "city, payments"),
            ("[screen]", 1, "no `key = value`"),
            ("colour = 1", 1, "no other key"),
        ] {
            let (at, problem) = Settings::read(text).unwrap_err();
            assert!(at == line && problem.contains(words), "{text}: {at} {problem}");
        }
    }

    #[test]
    fn a_dashboard_begins_as_it_was_when_the_settings_were_saved() {
        let panes = Pane::of_show([Pane::City, Pane::Payments, Pane::Shop]);
        for text in [
            "layout = \"one\"\npane = \"payments\"\nmouse = false\npoll_ms = 2000",
            "layout = \"projector\"\npane = \"lag\"\nmouse = true\npoll_ms = 250",
        ] {
            let wanted = Settings::read(text).expect("a file of settings");
            let mut state = State::new(Palette::Dark, &panes);
            wanted.begin(&mut state);
            let saved = Settings::of(&state, Glyphs::Braille);
            let looks = Settings { theme: Some(Palette::Dark), glyphs: Some(Glyphs::Braille), ..wanted };
            assert_eq!(saved, looks);
        }
        // A pane that is not part of this show leaves the focus where it was.
        let mut state = State::new(Palette::Dark, &panes);
        Settings { pane: Some(Pane::Markets), ..Settings::default() }.begin(&mut state);
        assert_eq!(state.focus(), State::new(Palette::Dark, &panes).focus());
    }
}
