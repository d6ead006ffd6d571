//! What a person wants the same each time, in a file: written when they say so, and read at the
//! start.
//!
//! ```toml
//! # How the dashboard of freshet looks; `save the settings` in its palette writes this.
//! theme = "light"
//! glyphs = "block"
//! mouse = false
//! poll_ms = 1000
//! ```
//!
//! # Simplifications
//! - Of TOML it is a line for each key, with comments and empty lines between: nothing here needs
//!   tables, and a person finds what is wrong by the line.

use std::fmt::Write;

use crate::state::POLL_STEPS;
use crate::state::palette::Palette;
use crate::view::theme::Glyphs;

/// What is set; `None`: nothing is said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The colours.
    pub theme: Option<Palette>,
    /// The characters.
    pub glyphs: Option<Glyphs>,
    /// Whether the mouse is the dashboard's.
    pub mouse: Option<bool>,
    /// How often the cluster is asked, in milliseconds; one of the steps of `[` and `]`.
    pub poll_ms: Option<u64>,
}

impl Settings {
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
            "mouse" => self.mouse = Some(value.parse().map_err(|_| "mouse is true or false")?),
            "poll_ms" => {
                let step = POLL_STEPS.iter().find(|(ms, _)| value.parse() == Ok(*ms));
                self.poll_ms = Some(step.ok_or("poll_ms is 250, 500, 1000 or 2000")?.0);
            }
            _ => return Err("there are theme, glyphs, mouse and poll_ms, and no other key".to_owned()),
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
            ("[screen]", 1, "no `key = value`"),
            ("colour = 1", 1, "no other key"),
        ] {
            let (at, problem) = Settings::read(text).unwrap_err();
            assert!(at == line && problem.contains(words), "{text}: {at} {problem}");
        }
    }
}
