//! What the steps of a window by hand leave for each other.
//!
//! ```text
//! extract --> past.jsonl,    --> transform --> rows.jsonl, --> load, publish
//!             records.jsonl,                   answers.jsonl,
//!             extract.json                     transform.json
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use events::{DeadLetter, Event, Topic};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::WindowError;
use super::super::arrival::Arrival;
use crate::warehouse::Run;

/// A step of a window's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The window's records from the log to files.
    Extract,
    /// Records to rows and answers.
    Transform,
    /// Rows to the database.
    Load,
    /// Answers to their topics.
    Publish,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Stage; 4] = [Stage::Extract, Stage::Transform, Stage::Load, Stage::Publish];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Load => "load",
            Self::Publish => "publish",
        }
    }

    /// What is done afterwards.
    fn stages_after(self) -> &'static [Stage] {
        let place = Self::ALL.iter().position(|stage| *stage == self).unwrap_or(0);
        &Self::ALL[place + 1..]
    }
}

/// What `extract` has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// The run, with the number of its records and where it was cut.
    #[serde(flatten)]
    pub run: Run,
    /// Records before the window, from which the processors get their state.
    pub past: u64,
    /// Records that were read from the log for all that.
    #[serde(default)]
    pub read: u64,
    /// Partitions of the inputs.
    pub partitions: i32,
}

/// A record in `past.jsonl` and `records.jsonl`: a line as `freshet record` writes it, with its
/// place. What can't be read is its letter.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dead_letter: Option<DeadLetter>,
}

/// A record as it is read again.
pub(super) struct FileRecord {
    pub(super) partition: i32,
    pub(super) content: Result<Event, Box<DeadLetter>>,
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the folder, and takes away what says that `stage` or a later one is done.
    pub(super) fn begin(&self, stage: Stage) -> Result<(), WindowError> {
        fs::create_dir_all(&self.folder).map_err(|error| wrong(&self.folder, &error))?;
        for stage in [stage].iter().chain(stage.stages_after()) {
            let path = self.path(&format!("{}.json", stage.name()));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(&path, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says that `stage` is done, all or nothing.
    pub(super) fn done(&self, stage: Stage, what: &impl Serialize) -> Result<(), WindowError> {
        let (path, aside) =
            (self.path(&format!("{}.json", stage.name())), self.path(&format!("{}.json.new", stage.name())));
        let mut text = serde_json::to_vec_pretty(what).expect("plain values");
        text.push(b'\n');
        fs::write(&aside, text).and_then(|()| fs::rename(&aside, &path)).map_err(|error| wrong(&path, &error))
    }

    /// What `stage` said when it was done.
    pub(super) fn left_by<T: DeserializeOwned>(&self, stage: Stage) -> Result<T, WindowError> {
        let path = self.path(&format!("{}.json", stage.name()));
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WindowError::StageMissing {
                    stage: stage.name(),
                    folder: self.folder.display().to_string(),
                });
            }
            Err(error) => return Err(wrong(&path, &error)),
        };
        serde_json::from_slice(&text).map_err(|error| wrong(&path, &io::Error::other(error)))
    }

    pub(super) fn create(&self, name: &str) -> Result<LineWriter, WindowError> {
        let path = self.path(name);
        let file = File::create(&path).map_err(|error| wrong(&path, &error))?;
        Ok(LineWriter { path, to: BufWriter::with_capacity(1 << 18, file) })
    }

    pub(super) fn open(&self, name: &str) -> Result<LineReader, WindowError> {
        let path = self.path(name);
        let file = File::open(&path).map_err(|error| wrong(&path, &error))?;
        Ok(LineReader { path, from: BufReader::with_capacity(1 << 18, file), line: Vec::new(), number: 0 })
    }
}

/// A file that is being written.
pub(super) struct LineWriter {
    path: PathBuf,
    to: BufWriter<File>,
}

impl LineWriter {
    pub(super) fn record(&mut self, arrival: &Arrival) -> Result<(), WindowError> {
        // JSON has line breaks between its tokens only, and there they mean nothing.
        let bytes: Vec<u8> = arrival
            .bytes
            .as_deref()
            .unwrap_or_default()
            .iter()
            .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte })
            .collect();
        // An extra field may hold what is no text: then the event alone counts.
        let written = match &arrival.content {
            Ok(event) => serde_json::from_slice::<&RawValue>(&bytes)
                .map(RawValue::to_owned)
                .or_else(|_| RawValue::from_string(String::from_utf8_lossy(&event.to_json()).into_owned()))
                .map_err(io::Error::from)
                .map_err(|error| wrong(&self.path, &error))
                .map(Some)?,
            Err(_) => None,
        };
        let value = written.as_deref();
        self.line(&Line {
            topic: arrival.topic.name(),
            partition: arrival.partition,
            offset: arrival.offset,
            value,
            dead_letter: arrival.content.as_ref().err().map(|letter| (**letter).clone()),
        })
    }

    /// An answer to a question of `partition`.
    pub(super) fn answer(&mut self, partition: i32, answer: &Event) -> Result<(), WindowError> {
        let json = String::from_utf8(answer.to_json()).expect("JSON is UTF-8");
        let value: &RawValue = serde_json::from_str(&json).expect("what was just written");
        self.line(&Line {
            topic: answer.topic().name(),
            partition,
            offset: 0,
            value: Some(value),
            dead_letter: None,
        })
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), WindowError> {
        let written = serde_json::to_writer(&mut self.to, line).map_err(io::Error::from);
        written.and_then(|()| self.to.write_all(b"\n")).map_err(|error| wrong(&self.path, &error))
    }

    /// Writes by itself.
    pub(super) fn with(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), WindowError> {
        write(&mut self.to).map_err(|error| wrong(&self.path, &error))
    }

    pub(super) fn close(mut self) -> Result<(), WindowError> {
        self.to.flush().map_err(|error| wrong(&self.path, &error))
    }
}

/// A file that is being read.
pub(super) struct LineReader {
    path: PathBuf,
    from: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl LineReader {
    /// The next record or answer; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<FileRecord>, WindowError> {
        self.line.clear();
        if self.from.read_until(b'\n', &mut self.line).map_err(|error| wrong(&self.path, &error))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let taken = read(&self.line).map_err(|reason| {
            wrong(&self.path, &io::Error::other(format!("line {}: {reason}", self.number)))
        })?;
        Ok(Some(taken))
    }

    /// Reads by itself.
    pub(super) fn with<T>(
        mut self,
        read: impl FnOnce(&mut BufReader<File>) -> io::Result<T>,
    ) -> Result<T, WindowError> {
        read(&mut self.from).map_err(|error| wrong(&self.path, &error))
    }
}

fn read(line: &[u8]) -> Result<FileRecord, String> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if line.partition < 0 {
        return Err(format!("{} is no partition", line.partition));
    }
    let content = match (line.value, line.dead_letter) {
        (Some(value), None) => {
            let topic =
                Topic::named(line.topic).ok_or_else(|| format!("{} is no topic of ours", line.topic))?;
            Ok(Event::parse(topic, value.get().as_bytes()).map_err(|broken| broken.to_string())?)
        }
        (None, Some(letter)) => Err(Box::new(letter)),
        _ => return Err("a line has either a value or a dead letter".to_owned()),
    };
    Ok(FileRecord { partition: line.partition, content })
}

fn wrong(path: &Path, error: &io::Error) -> WindowError {
    WindowError::StageFile { path: path.display().to_string(), reason: error.to_string() }
}
