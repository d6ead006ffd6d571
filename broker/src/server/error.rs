//! Why a broker did not start, or did not stop in order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::log::StorageError;

/// Why a broker did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Somebody else listens there.
    #[error("{address} is in use by another program: choose another port")]
    AddressInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nobody could come.
    #[error("the broker has no listener, so nobody could reach it")]
    NoListener,
    /// The host is none of this machine.
    #[error(
        "can't listen on {listen}: the host {host:?} is unknown here ({reason}); this machine alone is localhost, all its networks 0.0.0.0"
    )]
    UnknownHost {
        /// What was given.
        listen: String,
        /// The host in it.
        host: String,
        /// What the operating system said.
        reason: String,
    },
    /// Another broker uses the data directory.
    #[error("{} is in use by {holder}: stop it, or use another data directory", data_dir.display())]
    Locked {
        /// The directory.
        data_dir: PathBuf,
        /// Who uses it.
        holder: String,
    },
    /// The data directory can't be made or written to.
    #[error("can't write to the data directory at {}: {source}", path.display())]
    DataDir {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is in the data directory can't be used.
    #[error("can't open the data directory {}: {reason}", data_dir.display())]
    Open {
        /// The directory.
        data_dir: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A listener has TLS, and there is no certificate.
    #[error("the listener {listener} has TLS and needs a certificate")]
    NoCertificate {
        /// The listener.
        listener: String,
    },
    /// A listener wants a login, and there are no users.
    #[error("the listener {listener} wants a login and needs users")]
    NoUsers {
        /// The listener.
        listener: String,
    },
    /// The certificate can't be used, or made.
    #[error("no TLS: {reason}")]
    Certificate {
        /// What is wrong.
        reason: String,
    },
    /// The operating system gives us no thread.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
}

/// The end was not orderly: the next start has to check the tail of the logs.
#[derive(Debug, Error)]
pub enum ShutdownError {
    /// The disk refused something.
    #[error("the broker could not close its logs: {0}")]
    Storage(#[from] StorageError),
    /// A sync that had begun did not come back.
    #[error(
        "the broker could not close its logs: the disk has been busy for {seconds} s; nothing that was acknowledged is lost"
    )]
    DiskBusy {
        /// How long it was waited for.
        seconds: u64,
    },
}
