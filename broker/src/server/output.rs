//! Answers on their way into a socket.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::kernel;
use super::stream::Stream;
use crate::api::Frame;
use crate::log::FileRegion;

/// Records up to this size are copied into the answer, so that all goes out in one system call.
/// Larger ones go from the page cache to the socket inside the kernel, where it offers that.
const COPY_AT_MOST: usize = 64 << 10;

/// What waits to be written, in order.
#[derive(Debug, Default)]
pub(super) struct Output {
    chunks: VecDeque<Chunk>,
    sent_bytes: u64,
}

#[derive(Debug)]
enum Chunk {
    Bytes { bytes: Vec<u8>, written: usize },
    File(FileRegion),
}

impl Output {
    /// Bytes of memory that wait to be written; regions of files take none.
    pub(super) fn pending_bytes(&self) -> usize {
        let pending = |chunk: &Chunk| match chunk {
            Chunk::Bytes { bytes, written } => bytes.len() - written,
            Chunk::File(_) => 0,
        };
        self.chunks.iter().map(pending).sum()
    }

    /// Bytes that the socket has taken so far.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Adds an answer. Fails when records can't be read; the answer is unfinished then, and so is
    /// the connection.
    pub(super) fn push(&mut self, frame: Frame) -> io::Result<()> {
        let Frame { bytes, regions } = frame;
        if regions.is_empty() && self.chunks.is_empty() {
            self.chunks.push_back(Chunk::Bytes { bytes, written: 0 });
            return Ok(());
        }
        let mut done = 0;
        for (at, region) in regions {
            self.tail().extend_from_slice(&bytes[done..at]);
            done = at;
            if region.len <= COPY_AT_MOST || region.file.as_fd().is_none() {
                region.read_to(self.tail())?;
            } else {
                self.chunks.push_back(Chunk::File(region));
            }
        }
        if done < bytes.len() {
            self.tail().extend_from_slice(&bytes[done..]);
        }
        Ok(())
    }

    /// The bytes at the end, to be added to.
    fn tail(&mut self) -> &mut Vec<u8> {
        if !matches!(self.chunks.back(), Some(Chunk::Bytes { .. })) {
            self.chunks.push_back(Chunk::Bytes { bytes: Vec::new(), written: 0 });
        }
        match self.chunks.back_mut() {
            Some(Chunk::Bytes { bytes, .. }) => bytes,
            _ => unreachable!("a chunk of bytes was just pushed if there was none"),
        }
    }

    /// Writes until all is written or the socket takes no more.
    pub(super) fn poll_flush(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match stream {
            Stream::Plain(socket) => self.poll_flush_plain(socket, cx),
            Stream::Tls(tls) => self.poll_flush_tls(tls, cx),
        }
    }

    /// What is encrypted passes through our memory: a region of a file does so in pieces.
    fn poll_flush_tls(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(chunk) = self.chunks.front_mut() {
            match chunk {
                Chunk::Bytes { bytes, written } => {
                    if *written < bytes.len() {
                        let sent = ready!(Pin::new(&mut *stream).poll_write(cx, &bytes[*written..]))?;
                        *written += sent;
                        self.sent_bytes += sent as u64;
                    }
                    if *written == bytes.len() {
                        self.chunks.pop_front();
                    }
                }
                Chunk::File(region) => {
                    let piece = region.take_front(COPY_AT_MOST);
                    if region.len == 0 {
                        self.chunks.pop_front();
                    }
                    let mut bytes = Vec::new();
                    piece.read_to(&mut bytes)?;
                    self.chunks.push_front(Chunk::Bytes { bytes, written: 0 });
                }
            }
        }
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_flush_plain(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(chunk) = self.chunks.front() {
            let more_follows = self.chunks.len() > 1;
            let (sent, whole) = match chunk {
                Chunk::Bytes { bytes, written } => {
                    let rest = &bytes[*written..];
                    let sent = ready!(poll_send(stream, cx, rest, more_follows))?;
                    (sent, sent == rest.len())
                }
                Chunk::File(region) => {
                    let sent = ready!(poll_send_file(stream, cx, region))?;
                    (sent, sent == region.len)
                }
            };
            self.sent_bytes += sent as u64;
            if whole {
                self.chunks.pop_front();
                continue;
            }
            match self.chunks.front_mut() {
                Some(Chunk::Bytes { written, .. }) => *written += sent,
                Some(Chunk::File(region)) => {
                    region.position += sent as u64;
                    region.len -= sent;
                }
                None => unreachable!("the loop's condition has seen this chunk"),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends bytes. Whether more follow is of use to the kernel.
fn poll_send(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
    more: bool,
) -> Poll<io::Result<usize>> {
    if !more {
        return Pin::new(stream).poll_write(cx, bytes);
    }
    poll_io(stream, cx, |stream| kernel::send_some(stream, bytes))
}

/// Sends part of a file.
fn poll_send_file(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    region: &FileRegion,
) -> Poll<io::Result<usize>> {
    poll_io(stream, cx, |stream| {
        let file = region.file.as_fd().expect("only regions of files with a descriptor are sent this way");
        match kernel::send_file(stream, file, region.position, region.len)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            sent => Ok(sent),
        }
    })
}

fn poll_io(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut send: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(Interest::WRITABLE, || send(stream)) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            result => return Poll::Ready(result),
        }
    }
}
