//! Which characters a terminal may obey, and how they are written instead.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Whether a terminal may obey a character, or a reader may not see it.
///
/// These are the control characters of ASCII and of ISO 6429 (C0, DEL, C1), and what Unicode has
/// besides that is not drawn: marks that change the direction of the text, characters without a
/// width, separators of lines and paragraphs, spaces other than the usual one, and code points that
/// mean nothing or whatever a font wants. The standard library keeps that table; combining marks
/// are not in it.
pub fn is_unsafe(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    // Behind a letter: at the beginning of a text, a combining mark counts as well.
    let mut buffer = *b"x\0\0\0\0";
    let length = char.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).expect("a letter and a whole character");
    text.escape_debug().nth(2).is_some()
}

/// A text as part of a line: each unsafe character as Rust writes it, `\u{1b}` or `\n`.
pub fn escape(text: &str) -> Cow<'_, str> {
    replace(text, is_unsafe, |char, out| out.extend(char.escape_default()))
}

fn replace(text: &str, unsafe_here: fn(char) -> bool, write: fn(char, &mut String)) -> Cow<'_, str> {
    let Some(first) = text.find(unsafe_here) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for char in text[first..].chars() {
        if unsafe_here(char) {
            write(char, &mut out);
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// A writer that lets through no unsafe character except the end of a line.
///
/// Each other becomes what JSON writes for it, `\u001b`: a line of JSON stays the same value, and
/// words stay readable. Each write is taken to be of whole characters, as those of `write!`, of
/// `serde_json` and of a `BufWriter` around this are; what is no UTF-8 becomes U+FFFD.
///
/// # Errors
/// Those of the writer inside.
#[derive(Debug)]
pub struct SafeWriter<W>(W);

impl<W: Write> SafeWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        SafeWriter(out)
    }
}

impl<W: Write> Write for SafeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nearly all of what is written, and much of it.
        if bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let text = String::from_utf8_lossy(bytes);
        let is_unsafe = |char| char != '\n' && is_unsafe(char);
        self.0.write_all(replace(&text, is_unsafe, write_as_json).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn write_as_json(char: char, out: &mut String) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("a String takes anything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal may obey or not show, one of each kind.
    const HOSTILE: &str = "\u{0}\u{7}\u{1b}\r\t\u{7f}\u{85}\u{9b}\u{a0}\u{ad}\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\
         \u{200f}\u{2028}\u{2029}\u{202e}\u{2060}\u{2066}\u{feff}\u{fff9}\u{e000}\u{e0041}\u{10ffff}";

    #[test]
    fn what_a_terminal_may_obey_or_not_show_is_unsafe_and_no_other() {
        for char in HOSTILE.chars() {
            assert!(is_unsafe(char), "{char:?}");
        }
        for char in " aZ~'\"\\ßñ\u{301}한背、🚕−–…·│▁\u{fffd}".chars() {
            assert!(!is_unsafe(char), "{char:?}");
        }
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_forge_a_line() {
        assert_eq!(escape("\u{1b}[2Jboo\n"), "\\u{1b}[2Jboo\\n");
        assert!(!escape(HOSTILE).contains(is_unsafe), "{}", escape(HOSTILE));
        assert!(matches!(escape("naïve 🚕 e\u{301} 背包"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_writer_lets_through_only_the_end_of_a_line_and_json_stays_the_same_value() {
        let mut written = SafeWriter::new(Vec::new());
        writeln!(written, "{{\"group\":\"x\u{9b}2J\u{7f}\u{202e}\u{e0041}\"}}").expect("into memory");
        let text = String::from_utf8(written.0).expect("UTF-8");
        assert_eq!(text, "{\"group\":\"x\\u009b2J\\u007f\\u202e\\udb40\\udc41\"}\n");
    }

    #[test]
    fn what_is_no_utf_8_is_written_as_u_fffd() {
        let mut written = SafeWriter::new(Vec::new());
        written.write_all(b"a\xffb\x9b2J\xe2\x80\n").expect("into memory");
        assert_eq!(String::from_utf8(written.0).expect("UTF-8"), "a\u{fffd}b\u{fffd}2J\u{fffd}\n");
    }
}
