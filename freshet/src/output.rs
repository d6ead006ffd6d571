//! How every command writes: data to standard output, words to standard error, and both harmless.
//!
//! Names, records and messages from outside are part of what is written, and a terminal obeys some
//! characters ([`text`] tells which). So nothing here is written but through [`stdout`] and `say!`:
//! the first escapes what is left of them, the second a line feed too, since it writes one line.
//!
//! # Simplifications
//! - What clap says of a variable of the environment quotes it as it is: who reads it has set it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::os::fd::AsFd;

use anyhow::Result;
use dashboard::Severity;
use serde_json::value::RawValue;
use text::{SafeWriter, escape, fit, text_width};

use crate::screen_lines;

/// The longest line on standard error, in cells: an error may quote a record of a megabyte.
const LONGEST_LINE: u16 = 4_000;

/// Writes a line to standard error, as `eprintln!` does, but harmless.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::output::write_to_stderr(&format!($($words)*))
    };
}

/// What `say!` does. If nothing reads standard error any more, the words are lost; while the
/// dashboard has the terminal, it shows them.
pub(crate) fn write_to_stderr(words: &str) {
    let harmless = escape(words);
    let line = fit(&harmless, LONGEST_LINE);
    if !screen_lines::send(&line, Severity::Info) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// Standard output, harmless: see [`SafeWriter`].
pub(crate) fn stdout() -> SafeWriter<io::StdoutLock<'static>> {
    SafeWriter::new(io::stdout().lock())
}

/// Writes to standard output; a reader who has seen enough (`| head`) is no error.
pub(crate) fn print(
    write: impl FnOnce(&mut SafeWriter<io::StdoutLock<'static>>) -> io::Result<()>,
) -> Result<()> {
    match write(&mut stdout()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// How wide a text is where standard output is not a terminal, in cells.
const USUAL_WIDTH: u16 = 80;
/// The narrowest terminal for which a text is wrapped: no word fits into less.
const NARROWEST: u16 = 20;

/// How many cells a line of standard output has: those of the terminal, or 80.
pub(crate) fn width() -> u16 {
    width_of(io::stdout())
}

/// How many cells a line of `stream` has: those of the terminal, or 80.
pub(crate) fn width_of(stream: impl AsFd) -> u16 {
    let window = rustix::termios::tcgetwinsize(stream);
    // A terminal that does not know its size says 0.
    window.map_or(USUAL_WIDTH, |window| if window.ws_col == 0 { USUAL_WIDTH } else { window.ws_col })
}

/// A paragraph in lines of at most `width` cells, broken between words, and not between a number
/// and its %; all but the first line begin with `indent` blanks.
pub(crate) fn paragraph(text: &str, width: u16, indent: usize) -> String {
    let width = usize::from(width.max(NARROWEST));
    let (mut out, mut used) = (String::new(), 0);
    let text = escape(text).replace(" %", "\u{a0}%");
    for word in text.split_ascii_whitespace().map(|word| word.replace('\u{a0}', " ")) {
        let cells = usize::from(text_width(&word));
        if out.is_empty() {
            used = cells;
        } else if used + 1 + cells <= width {
            out.push(' ');
            used += 1 + cells;
        } else {
            out.push('\n');
            out += &" ".repeat(indent);
            used = indent + cells;
        }
        out += &word;
    }
    out + "\n"
}

/// A JSON value that is laid out over several lines, on one. Between two tokens a line feed, a
/// carriage return or a tab means nothing, and inside a string there is none.
pub(crate) fn one_line(value: &RawValue) -> Cow<'_, RawValue> {
    const SPACES: [char; 3] = ['\n', '\r', '\t'];
    if !value.get().contains(SPACES) {
        return Cow::Borrowed(value);
    }
    let flat = RawValue::from_string(value.get().replace(SPACES, ""));
    Cow::Owned(flat.expect("without spaces between its tokens it is the same JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_between_words() {
        let text = "nothing is lost and nothing was answered twice";
        let lines = "nothing is lost and\n  nothing was\n  answered twice\n";
        assert_eq!(paragraph(text, 20, 2), lines);
        assert_eq!(paragraph(text, 3, 2), lines, "a terminal so narrow breaks the lines itself");
        assert_eq!(paragraph("of all swipes 93.213 % had it", 20, 2), "of all swipes\n  93.213 % had it\n");
        assert_eq!(paragraph("", 80, 0), "\n");
        assert_eq!(paragraph("a\u{1b}[2J", 80, 0), "a\\u{1b}[2J\n");
    }

    /// A file of records has one a line, however its writer laid the value out.
    #[test]
    fn a_value_over_several_lines_is_written_on_one() {
        let flat = |text| one_line(serde_json::from_str(text).expect("JSON")).get().to_owned();
        assert_eq!(flat("{\r\n\t\"a\": [1,\n2]\n}"), "{\"a\": [1,2]}");
        assert_eq!(flat(r#"{"a":"x\ny"}"#), r#"{"a":"x\ny"}"#, "what is escaped is part of the value");
    }
}
