//! How every command writes: data to standard output, words to standard error, and both harmless.
//!
//! Names, records and messages from outside are part of what is written, and a terminal obeys some
//! characters ([`text`] tells which). So nothing here is written but through [`stdout`] and `say!`:
//! the first escapes what is left of them, the second a line feed too, since it writes one line.
//!
//! # Simplifications
//! - What clap says of a wrong option quotes it as it was typed: it comes from whoever reads it.

use std::io::{self, Write};

use anyhow::Result;
use text::{SafeWriter, escape, fit};

/// The longest line on standard error, in cells: an error may quote a record of a megabyte.
const LONGEST_LINE: u16 = 4_000;

/// Writes a line to standard error, as `eprintln!` does, but harmless.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::output::write_to_stderr(&format!($($words)*))
    };
}

/// What `say!` does. If nothing reads standard error any more, the words are lost.
pub(crate) fn write_to_stderr(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", fit(&escape(words), LONGEST_LINE));
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
