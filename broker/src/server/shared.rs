//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use super::arrival::Room;
use super::clock::{self, Clock};
use super::purgatory::Purgatory;
use crate::api::{Changed, MEMORY_SHARES, Outcome};
use crate::coordinator::Token;
use crate::log::CleanerConfig;
use crate::node::Node;

/// When nothing of a large request has come for so long, its client is gone or means no good.
pub(super) const LARGE_REQUEST_STALL: Duration = Duration::from_secs(30);

/// So many requests are handled elsewhere at a time: each takes a thread, and memory for an answer.
const ELSEWHERE_AT_ONCE: usize = 4;

/// The broker and its purgatory, as seen by connections and by housekeeping.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) node: Node,
    pub(super) clock: Clock,
    pub(super) purgatory: Purgatory,
    pub(super) large_requests: Room,
    /// Turns of the requests that are handled elsewhere.
    pub(super) elsewhere: Arc<Semaphore>,
    /// What those of them have together that may take much memory.
    pub(super) memory: Arc<Semaphore>,
    /// The logs changed since housekeeping last looked at them.
    pub(super) logs_dirty: AtomicBool,
    pub(super) logs_changed: Notify,
    pub(super) cleaner: CleanerConfig,
    /// Housekeeping has looked at the logs; one may have become dirty enough to be compacted.
    pub(super) logs_kept: Notify,
    /// When housekeeping will look at the groups, ms since 1970.
    pub(super) groups_due_ms: AtomicI64,
    pub(super) groups_changed: Notify,
    last_token: AtomicU64,
}

impl Shared {
    pub(super) fn new(node: Node, clock: Clock) -> Self {
        // The largest that is allowed must fit, if alone.
        let room = node.config.queued_request_bytes.max(node.config.max_request_bytes + 4);
        Self {
            large_requests: Room::new(room, LARGE_REQUEST_STALL),
            elsewhere: Arc::new(Semaphore::new(ELSEWHERE_AT_ONCE)),
            memory: Arc::new(Semaphore::new(MEMORY_SHARES as usize)),
            node,
            clock,
            purgatory: Purgatory::default(),
            logs_dirty: AtomicBool::new(false),
            logs_changed: Notify::new(),
            cleaner: CleanerConfig::new([clock::random(), clock::random()]),
            logs_kept: Notify::new(),
            groups_due_ms: AtomicI64::new(i64::MAX),
            groups_changed: Notify::new(),
            last_token: AtomicU64::new(0),
        }
    }

    /// A name for one more request.
    pub(super) fn next_token(&self) -> Token {
        Token(self.last_token.fetch_add(1, Ordering::Relaxed))
    }

    /// Passes on what a request did to others, and wakes housekeeping if something is due earlier
    /// than it knows.
    pub(super) fn propagate(&self, outcome: &mut Outcome) {
        self.purgatory.deliver(std::mem::take(&mut outcome.effects));
        match outcome.changed {
            Changed::Nothing => {}
            Changed::Logs => self.logs_have_changed(),
            Changed::Groups => self.groups_have_changed(),
            Changed::Offsets => {
                self.groups_have_changed();
                self.logs_have_changed();
            }
        }
    }

    fn groups_have_changed(&self) {
        let due_ms = self.node.groups().next_deadline_ms().unwrap_or(i64::MAX);
        if due_ms < self.groups_due_ms.load(Ordering::Acquire) {
            self.groups_changed.notify_one();
        }
    }

    pub(super) fn logs_have_changed(&self) {
        if !self.logs_dirty.load(Ordering::Relaxed) && !self.logs_dirty.swap(true, Ordering::AcqRel) {
            self.logs_changed.notify_one();
        }
    }
}
