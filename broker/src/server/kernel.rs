//! What of sending only Linux's kernel offers, and the same by what every Unix has.
//!
//! The feature `portable` chooses the second form on Linux too, so that it is tested where we are
//! (`make test`).
//!
//! Checked in rustix 1.1 for macOS: it has neither `sendfile` (that of macOS is another call) nor
//! `SendFlags::MORE` and `SendFlags::NOSIGNAL`. What else the broker calls is there: `flock`,
//! `getrlimit` and `setrlimit`, `pread`, `pwritev`, `statvfs`, `uname`, and of a socket's options
//! keepalive with its idle time, interval and count. The standard library of aarch64-apple-darwin
//! agrees: `cargo check` passes with it.

#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(super) use linux::{send_file, send_some};
#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
pub(super) use portable::{send_file, send_some};

#[cfg(all(target_os = "linux", not(feature = "portable")))]
mod linux {
    use std::io;
    use std::os::fd::BorrowedFd;

    use rustix::net::SendFlags;
    use tokio::net::TcpStream;

    /// Sends bytes that others follow: the kernel is told, so that it fills its packets.
    pub(in crate::server) fn send_some(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
    }

    /// Sends up to `len` bytes of a file without reading them. 0 is the file's end.
    pub(in crate::server) fn send_file(
        socket: &TcpStream,
        file: BorrowedFd<'_>,
        mut position: u64,
        len: usize,
    ) -> io::Result<usize> {
        Ok(rustix::fs::sendfile(socket, file, Some(&mut position), len)?)
    }
}

#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
mod portable {
    use std::io;
    use std::os::fd::BorrowedFd;

    use tokio::net::TcpStream;

    /// How much of a file is read before it is sent.
    const PIECE: usize = 16 << 10;

    /// Sends bytes that others follow.
    pub(in crate::server) fn send_some(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        // Rust's programs ignore SIGPIPE, so that a peer that has gone is an error here too.
        Ok(rustix::io::write(socket, bytes)?)
    }

    /// Reads up to `len` bytes of a file and sends what the socket takes. 0 is the file's end.
    pub(in crate::server) fn send_file(
        socket: &TcpStream,
        file: BorrowedFd<'_>,
        position: u64,
        len: usize,
    ) -> io::Result<usize> {
        let mut piece = [0; PIECE];
        let read = rustix::io::pread(file, &mut piece[..len.min(PIECE)], position)?;
        if read == 0 { Ok(0) } else { send_some(socket, &piece[..read]) }
    }
}
