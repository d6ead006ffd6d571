//! Asking before what can't be taken back.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Result, bail};
use text::escape;

/// Asks on the terminal whether `what` (such as "delete the topic t") is meant; an error when it is
/// not, or when there is no one to ask. `yes`: it has been said on the command line.
pub(super) fn confirm(what: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        bail!("to {what} can't be undone, and no terminal is here to ask on: add --yes if it is meant");
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}? This can't be undone; type yes: ", escape(&capital(what)))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    bail!("nothing was deleted: the answer was not yes")
}

fn capital(what: &str) -> String {
    let mut chars = what.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_begins_with_a_capital() {
        assert_eq!(capital("delete the topic t"), "Delete the topic t");
        assert_eq!(capital(""), "");
    }
}
