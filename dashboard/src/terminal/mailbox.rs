//! The queue of everything that can happen, for the one thread that draws: the dashboard's
//! `select`.
//!
//! Snapshots replace each other, because only the newest matters; keys queue up, because each one
//! does.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::snapshot::{CityMap, Snapshot};
use crate::state::keys::Key;

/// Key presses beyond this many are dropped.
const MAX_EVENTS: usize = 1_024;

/// What comes from the terminal and the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TerminalEvent {
    Key(Key),
    /// A text was pasted.
    Paste(String),
    Resize(u16, u16),
    /// The left button went down at this column and row.
    Click(u16, u16),
    /// The wheel was turned there, by so many rows.
    Wheel(u16, u16, isize),
    /// Whether the terminal's window has the keyboard.
    Focus(bool),
    Signal(i32),
    /// The program was stopped, and goes on.
    Continued,
    /// Some thread panicked; the terminal has been restored already.
    Panicked,
    /// Nothing more can be read from the terminal.
    Gone,
}

#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) map: Option<Arc<CityMap>>,
    pub(crate) events: VecDeque<TerminalEvent>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.map.is_none() && self.events.is_empty()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    arrival: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Mail> {
        // No change here can be left half done, so a panic while the lock was held does no harm.
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, event: TerminalEvent) {
        let mut mail = self.lock();
        if mail.events.len() < MAX_EVENTS {
            mail.events.push_back(event);
        }
        self.arrival.notify_one();
    }

    /// [`Mailbox::push`] for a panic hook, which must not wait for a lock that its own thread may
    /// hold.
    pub(crate) fn try_push(&self, event: TerminalEvent) {
        if let Ok(mut mail) = self.mail.try_lock() {
            mail.events.push_back(event);
        }
        self.arrival.notify_one();
    }

    /// Everything that has arrived; waits for the first thing, at most so long.
    pub(crate) fn take(&self, at_most: Duration) -> Mail {
        let waiting = self.arrival.wait_timeout_while(self.lock(), at_most, |mail| mail.is_empty());
        let (mut mail, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *mail)
    }
}

/// Makes the two ends of the channel from the observer of the cluster to the dashboard.
pub fn feed() -> (Publisher, Feed) {
    let mailbox = Arc::new(Mailbox::default());
    (Publisher { mailbox: Arc::clone(&mailbox) }, Feed { mailbox })
}

/// The observer's end; for any thread, and never blocks.
#[derive(Clone, Debug)]
pub struct Publisher {
    mailbox: Arc<Mailbox>,
}

impl Publisher {
    /// Hands over a new snapshot; one that was not drawn yet is replaced.
    pub fn snapshot(&self, snapshot: impl Into<Arc<Snapshot>>) {
        let snapshot = snapshot.into();
        self.mailbox.lock().snapshot = Some(snapshot);
        self.mailbox.arrival.notify_one();
    }

    /// Hands over the streets, once.
    pub fn map(&self, map: impl Into<Arc<CityMap>>) {
        let map = map.into();
        self.mailbox.lock().map = Some(map);
        self.mailbox.arrival.notify_one();
    }
}

/// The dashboard's end.
#[derive(Debug)]
pub struct Feed {
    pub(crate) mailbox: Arc<Mailbox>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_snapshot_waits_but_every_key_does() {
        let (publisher, feed) = feed();
        for taken_at_ms in [1, 2, 3] {
            publisher.snapshot(Snapshot { taken_at_ms, ..Snapshot::default() });
            feed.mailbox.push(TerminalEvent::Key(Key::Char('j')));
        }
        let mail = feed.mailbox.take(Duration::from_mins(1));
        assert_eq!(mail.snapshot.map(|snapshot| snapshot.taken_at_ms), Some(3));
        assert_eq!(mail.events.len(), 3);
        assert!(feed.mailbox.take(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_snapshot_wakes_the_one_who_waits() {
        let (publisher, feed) = feed();
        let waiting =
            std::thread::spawn(move || feed.mailbox.take(Duration::from_mins(1)).snapshot.is_some());
        publisher.snapshot(Snapshot::default());
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn keys_that_are_not_taken_do_not_fill_the_memory() {
        let mailbox = Mailbox::default();
        for _ in 0..MAX_EVENTS * 2 {
            mailbox.push(TerminalEvent::Key(Key::Enter));
        }
        assert_eq!(mailbox.take(Duration::ZERO).events.len(), MAX_EVENTS);
    }
}
