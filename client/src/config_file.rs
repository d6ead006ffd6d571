//! The configuration of a Kafka client as clouds hand it out: a properties file in the words of
//! Java's clients, or of librdkafka's.
//!
//! Taken from it is how the cluster is reached: where it is, TLS, the login. How a program reads
//! and writes is for that program to say, and what ours rely on (groups, commits, assignment) must
//! not change under them.
//!
//! Java's clients and librdkafka call the same things by other names ([`translate`]). What
//! librdkafka can't do is refused with what to do instead, before any connection is tried. A name
//! that is not known is passed over, and told of: it may belong to some other client. One that
//! differs by a slip from a name that is taken is refused.
//!
//! The file holds secrets. No error quotes a value that could be one, nor the name on a line that
//! is no property: it may be a part of a password.
//!
//! # Simplifications
//! - A login is by user and password. Kerberos, OAuth and the ways of single clouds are not there.
//! - Values that Java's clients look up elsewhere (`config.providers`) are taken as they stand.

mod jaas;
mod names;
mod properties;
mod translate;

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) use names::is_secret;
use names::{Kind, kind, nearest};
use properties::Entry;

/// How a cluster is reached, as a file says.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigFile {
    path: PathBuf,
    servers: Option<String>,
    properties: Vec<(String, String)>,
    ours: Vec<String>,
    foreign: Vec<String>,
    unknown: Vec<String>,
    is_exposed: bool,
}

/// A file that says nothing that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigFileError {
    /// It could not be read.
    #[error("could not read the client's configuration {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// What it says is wrong, or can't be done here.
    #[error("{}{}: {what}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong, and what to write instead.
        what: String,
    },
}

/// What is wrong with a file, and what to write instead.
#[derive(Debug)]
struct Problem {
    line: Option<usize>,
    what: String,
}

impl Problem {
    fn at(entry: &Entry, what: String) -> Self {
        Self { line: Some(entry.line), what }
    }
}

impl ConfigFile {
    /// Reads the file at `path`. What librdkafka is built without is refused.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        Self::read_for(path, cfg!(feature = "ssl"))
    }

    /// Reads the file at `path` for [`direct`](crate::direct) connections alone.
    pub fn read_for_direct(path: &Path) -> Result<Self, ConfigFileError> {
        Self::read_for(path, true)
    }

    fn read_for(path: &Path, has_tls: bool) -> Result<Self, ConfigFileError> {
        let unreadable = |reason: String| ConfigFileError::Unreadable { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
        let file = Self::parse(path, &text, has_tls);
        let file = file.map_err(|Problem { line, what }| ConfigFileError::Refused {
            path: path.to_owned(),
            line,
            what,
        })?;
        let is_exposed = file.properties.iter().any(|(name, _)| is_secret(name)) && others_may_read(path);
        Ok(Self { is_exposed, ..file })
    }

    fn parse(path: &Path, text: &str, has_tls: bool) -> Result<Self, Problem> {
        let entries = properties::parse(text).map_err(|properties::BadEscape { line }| Problem {
            line: Some(line),
            what: "\\u is followed by four hexadecimal digits; a backslash itself is written \\\\".to_owned(),
        })?;
        let (mut connection, mut ours, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        let mut unknown = Vec::new();
        for entry in &entries {
            match kind(&entry.key) {
                Some(Kind::Connection) => connection.push(entry),
                Some(Kind::Ours) => ours.push(entry.key.clone()),
                Some(Kind::Foreign) => foreign.push(entry.key.clone()),
                None => {
                    check_unknown(entry)?;
                    unknown.push(entry.key.clone());
                }
            }
        }
        let given = translate::Given::new(connection);
        let servers = given.servers()?.map(str::to_owned);
        let properties = given.properties(has_tls)?;
        Ok(Self { path: path.to_owned(), servers, properties, ours, foreign, unknown, is_exposed: false })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bootstrap servers, if it names them.
    pub fn servers(&self) -> Option<&str> {
        self.servers.as_deref()
    }

    /// What the author of the file should know: a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let path = self.path.display();
        let mut all = Vec::new();
        if self.is_exposed {
            all.push(format!(
                "{path} holds a secret that other users of this machine can read: `chmod 600 {path}`"
            ));
        }
        if !self.ours.is_empty() {
            all.push(format!(
                "{path}: freshet decides itself about {}; that is passed over",
                self.ours.join(", ")
            ));
        }
        if !self.unknown.is_empty() {
            all.push(format!(
                "{path}: freshet has no use for {}; that is passed over",
                self.unknown.join(", ")
            ));
        }
        all
    }

    /// The names of what was passed over because it makes no difference here.
    pub fn passed_over(&self) -> &[String] {
        &self.foreign
    }

    /// librdkafka's properties.
    pub(crate) fn properties(&self) -> &[(String, String)] {
        &self.properties
    }
}

/// Without values, of which some are secret.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile")
            .field("path", &self.path)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

/// Refuses a name that is not known where it is a slip, or where the line is no property. Only the
/// name of a property is ever told: what stands on another line may be a part of a password.
fn check_unknown(entry: &Entry) -> Result<(), Problem> {
    if let Some(known) = nearest(&entry.key) {
        let what = format!("freshet does not know this property: did you mean {known}?");
        return Err(Problem::at(entry, what));
    }
    let in_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    if entry.key.contains('.') && entry.key.chars().all(in_a_name) && !entry.value.is_empty() {
        return Ok(());
    }
    let what = "this is no property of a Kafka client: write key=value, with a backslash at the end of a line \
                that goes on";
    Err(Problem::at(entry, what.to_owned()))
}

fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

#[cfg(test)]
mod tests;
