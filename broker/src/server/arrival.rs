//! Room for large requests while they arrive.
//!
//! A request is kept in memory until it is whole, and who announces a large one may never finish
//! it: twenty clients with half a request of 100 MB would hold two gigabytes. So large requests
//! share a room (`queued.max.request.bytes`); one that does not fit waits in its client's socket,
//! and one that stands still gives its place to others.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// A request up to this size needs no room: it is as much as a connection may read at once.
const SMALL_BYTES: usize = 1 << 20;

/// The room is counted in these.
const UNIT_BYTES: usize = 1 << 10;

/// The room, shared by all connections.
#[derive(Clone, Debug)]
pub(super) struct Room {
    units: Arc<Semaphore>,
    stall: Duration,
}

impl Room {
    /// Room for so many bytes. A request of which nothing comes for as long as `stall` loses its
    /// place.
    pub(super) fn new(bytes: usize, stall: Duration) -> Self {
        let units = bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self { units: Arc::new(Semaphore::new(units)), stall }
    }
}

type Waiting = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// The place of one connection's request that has begun to arrive.
#[derive(Default)]
pub(super) struct Arrival {
    waiting: Option<Waiting>,
    place: Option<OwnedSemaphorePermit>,
    stall: Option<Pin<Box<Sleep>>>,
}

impl Arrival {
    /// Whether there is room for `size` bytes; if not, this task is woken when there is.
    pub(super) fn poll_place(&mut self, room: &Room, size: usize, cx: &mut Context<'_>) -> Poll<()> {
        if size <= SMALL_BYTES || self.place.is_some() {
            return Poll::Ready(());
        }
        let units = u32::try_from(size.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let waiting =
            self.waiting.get_or_insert_with(|| Box::pin(Arc::clone(&room.units).acquire_many_owned(units)));
        match waiting.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(place) => {
                self.waiting = None;
                self.place = Some(place.expect("nobody closes the room"));
                self.progressed(room);
                Poll::Ready(())
            }
        }
    }

    /// Some of it has come.
    pub(super) fn progressed(&mut self, room: &Room) {
        if self.place.is_some() {
            self.stall = Some(Box::pin(sleep(room.stall)));
        }
    }

    /// Whether it has stood still for too long; this task is woken when it has.
    pub(super) fn poll_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        self.stall.as_mut().is_some_and(|stall| stall.as_mut().poll(cx).is_ready())
    }

    /// It is whole. Its place is kept by who keeps the request.
    pub(super) fn end(&mut self) -> Option<OwnedSemaphorePermit> {
        std::mem::take(self).place
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_large_request_that_stands_still_gives_its_place_to_the_next() {
        let room = Room::new(4 << 20, Duration::from_millis(1));
        let (mut first, mut second, mut small) = <(Arrival, Arrival, Arrival)>::default();
        poll_fn(|cx| first.poll_place(&room, 3 << 20, cx)).await;
        let mut waits =
            async || poll_fn(|cx| Poll::Ready(second.poll_place(&room, 3 << 20, cx).is_pending())).await;
        assert!(waits().await, "two of three megabytes do not fit into four");
        poll_fn(|cx| small.poll_place(&room, SMALL_BYTES, cx)).await;
        poll_fn(|cx| if first.poll_stalled(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
        assert!(waits().await, "the place is given up with its connection");
        drop(first.end());
        assert!(!waits().await);
    }
}
