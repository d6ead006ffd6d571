//! What a database can have against a run, in sentences.

use thiserror::Error;

/// Why the database did not take a run, or did not answer a question. What is wrong comes first: a
/// narrow screen cuts off the end. `database` is what `--database` said, without a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WarehouseError {
    /// No server answers at that address, or the server has closed the connection.
    #[error("cannot reach the database {database}: {reason}; start it, or name another with --database")]
    Down {
        /// Which.
        database: String,
        /// What the system or the server says.
        reason: String,
    },
    /// The file can't be made or opened, or the server does not let us in.
    #[error("cannot open the database {database}: {reason}; name another with --database")]
    CannotOpen {
        /// Which.
        database: String,
        /// What the database says.
        reason: String,
    },
    /// Somebody holds the write lock.
    #[error(
        "another program has kept the database {database} locked for {seconds} s: end that program, or its open transaction"
    )]
    Locked {
        /// Which.
        database: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Writing is not allowed.
    #[error("cannot write the database {database}: {remedy}, or name another with --database")]
    ReadOnly {
        /// Which.
        database: String,
        /// What has to be done about it.
        remedy: &'static str,
    },
    /// No room.
    #[error(
        "no room left for the database {database}: nothing of this run was loaded; free some space, the run is repeated"
    )]
    Full {
        /// Which.
        database: String,
    },
    /// Not SQLite, or damaged.
    #[error("{database} is not a database, or is damaged: move it away, and a new one is made")]
    NotADatabase {
        /// Which.
        database: String,
    },
    /// Tables of a later version.
    #[error(
        "the database {database} has schema {found}, this program knows {known}: use the newer freshet, or name another with --database"
    )]
    TooNew {
        /// Which.
        database: String,
        /// The version in the database.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// What `--database` says is no address.
    #[error(
        "`{database}` is not the address of a database: {reason}; write a file's name for SQLite, or postgres://user@host:5432/name"
    )]
    NoAddress {
        /// What was said.
        database: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else.
    #[error("the database {database} refused: {reason}")]
    Refused {
        /// Which.
        database: String,
        /// What the database says.
        reason: String,
    },
}

impl WarehouseError {
    /// Whether the same attempt may succeed later: the database comes back, the lock is released,
    /// somebody makes room. A file that is no database, or one of a newer program, stays what
    /// it is.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Down { .. } | Self::Locked { .. } | Self::ReadOnly { .. } | Self::Full { .. })
    }

    /// Which database, as `--database` said, without a password.
    pub fn database(&self) -> &str {
        match self {
            Self::Down { database, .. }
            | Self::CannotOpen { database, .. }
            | Self::Locked { database, .. }
            | Self::ReadOnly { database, .. }
            | Self::Full { database }
            | Self::NotADatabase { database }
            | Self::TooNew { database, .. }
            | Self::NoAddress { database, .. }
            | Self::Refused { database, .. } => database,
        }
    }

    /// Whether it was not reached at all.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Down { .. })
    }
}
