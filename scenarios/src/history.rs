//! The history before a show, as files: lines of a record, from which processors learn before their
//! first answer.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use events::Event;

use crate::control::Interrupted;
use crate::lines::{self, Parsed};

/// Hands every event of recorded histories to `take`, one file after the other, as long as it is
/// `wanted`: a process that is told to end in the middle of learning must neither make others wait
/// nor answer with half a history.
pub(crate) fn read_histories(
    histories: &[PathBuf],
    wanted: &dyn Fn() -> bool,
    mut take: impl FnMut(&Event),
) -> Result<()> {
    histories.iter().try_for_each(|path| read_history(path, wanted, &mut take))
}

fn read_history(path: &Path, wanted: &dyn Fn() -> bool, take: &mut impl FnMut(&Event)) -> Result<()> {
    let file = File::open(path).with_context(|| format!("could not read the history {}", path.display()))?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    while file.read_until(b'\n', &mut line).with_context(|| format!("could not read {}", path.display()))? > 0
    {
        number += 1;
        let parsed = lines::parse(&line).with_context(|| format!("{} line {number}", path.display()))?;
        if let Parsed::Event(event) = parsed {
            take(&event);
        }
        line.clear();
        if number % 1_024 == 0 && !wanted() {
            return Err(Interrupted.into());
        }
    }
    Ok(())
}

/// Writes a history as lines of a record.
pub(crate) fn write_history(history: impl Iterator<Item = Event>, to: &Path) -> Result<()> {
    let file = File::create(to).with_context(|| format!("could not write {}", to.display()))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let mut scratch = Vec::new();
    for event in history {
        lines::write(&mut file, &event, &mut scratch)?;
    }
    file.flush().with_context(|| format!("could not write {}", to.display()))
}
