//! The settings of the dashboard in a file of the person's own: `freshet/settings.toml` below
//! `XDG_CONFIG_HOME`, or below `~/.config`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dashboard::Settings;

use crate::xdg;

/// The most bytes of such a file: a person writes less.
const MOST_BYTES: u64 = 64 << 10;

/// Where the file is, or would be; none where the environment names no place for it.
pub(crate) fn file() -> Option<PathBuf> {
    xdg::folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("settings.toml"))
}

/// What the file says, and what is wrong with it in a sentence: then nothing of it counts.
pub(crate) fn read(file: &Path) -> (Settings, Option<String>) {
    let wrong = |words: String| (Settings::default(), Some(format!("{}{words}", file.display())));
    match std::fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return (Settings::default(), None),
        Ok(about) if about.len() > MOST_BYTES || !about.is_file() => {
            return wrong(" is no settings file, and is not read".to_owned());
        }
        Ok(_) | Err(_) => {}
    }
    match std::fs::read_to_string(file) {
        Err(error) => wrong(format!(" can't be read: {error}")),
        Ok(text) => match Settings::read(&text) {
            Ok(settings) => (settings, None),
            Err((line, problem)) => wrong(format!(", line {line}: {problem}; nothing of it counts")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_says_nothing_and_one_that_is_wrong_says_where() {
        let folder = tempfile::tempdir().expect("a folder of the test's own");
        let file = folder.path().join("settings.toml");
        assert_eq!(read(&file), (Settings::default(), None));
        std::fs::write(&file, "mouse = false\n").expect("its folder is there");
        assert_eq!(read(&file), (Settings { mouse: Some(false), ..Settings::default() }, None));
        std::fs::write(&file, "mouse = false\ntheme = pink\n").expect("its folder is there");
        let (settings, notice) = read(&file);
        assert_eq!(settings, Settings::default());
        assert!(notice.is_some_and(|words| words.contains("settings.toml, line 2: theme is")));
        assert!(read(folder.path()).1.is_some_and(|words| words.contains("no settings file")));
    }
}
