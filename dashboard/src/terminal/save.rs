//! Saves the screen as an SVG, and the settings.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::settings::Settings;
use crate::terminal::Screen;

impl Screen<'_> {
    /// Saves what is on the screen. Returns a sentence about what came of it.
    pub(super) fn save_screen(&self) -> String {
        notice("the screen", self.write_screen())
    }

    /// Saves the settings. Returns a sentence about what came of it.
    pub(super) fn save_settings(&self) -> String {
        notice("the settings", self.write_settings())
    }

    /// Writes what is set now, also what is as it always is: the file says what there is.
    fn write_settings(&self) -> io::Result<&Path> {
        let nowhere = || io::Error::other("neither XDG_CONFIG_HOME nor HOME is set");
        let path = self.options.settings_file.as_deref().ok_or_else(nowhere)?;
        let settings = Settings::of(&self.state, self.options.theme.glyphs);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, settings.write())?;
        Ok(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a saved screen is named after wall-clock time")]
    fn write_screen(&self) -> io::Result<PathBuf> {
        let seconds =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let path = self.options.save_in.join(format!("freshet-{seconds}.svg"));
        std::fs::write(&path, crate::svg::of_buffer(&self.drawn, &self.theme()))?;
        Ok(path)
    }
}

fn notice(what: &str, saved: io::Result<impl AsRef<Path>>) -> String {
    match saved {
        Ok(path) => format!("saved {}", path.as_ref().display()),
        Err(error) => format!("could not save {what}: {error}"),
    }
}
