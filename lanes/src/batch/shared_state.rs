//! What windows that are run one after the other need not find out each for itself.
//!
//! The state that a processor has when its window begins is a function of the log: all records that
//! belong before, in the order of their turns
//! ([`Cuts::event_time_order`](super::super::window::Cuts::event_time_order)).
//! For the next window these are the same and some more, so of the first of them, up to the first
//! record that does *not* belong before this window, it is known already that the next window's
//! will begin with the same ones in the same order. A processor learns that common beginning once;
//! each window has a copy of it go on from there.
//!
//! ```text
//!   in the order of turns:   . . . . . . . . . . . . o . o o o o o o o o o
//!   before the window (.)    |--- learnt once ------|  ^ learnt by the window's copy alone
//! ```
//!
//! One thing can prove it wrong: a partition that was read to its end while others went on, into
//! which a record came later whose turn would have been among those that were learnt. Then
//! everything is learnt again from the beginning.
//!
//! # Simplifications
//! - Learning stops at the first record that is early, too, such as one of the next hour from a
//!   clock that is ahead. Where one stands at the head of a partition until its hour has come, the
//!   windows before that read what lies behind it each for itself: slower, and the same.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;

use events::Timestamp;

use super::super::commit_metadata::PartitionId;
use super::super::window::{Assignment, Cuts};
use super::publish::OnTopics;
use crate::arrival::Arrival;
use processor::Processor;

/// What the windows of one command have in common. They must be run in the order of time, by no
/// other process meanwhile.
pub struct SharedState<'a> {
    factory: &'a dyn Fn() -> Box<dyn Processor>,
    /// The end of the last window: what is later belongs to none.
    until: Timestamp,
    /// For each task its processor; none while nothing is known.
    tasks: RefCell<HashMap<usize, Learnt>>,
    /// What was on the topics when the first window was published: no other process publishes
    /// meanwhile.
    pub(super) on_topics: RefCell<Option<OnTopics>>,
}

impl<'a> SharedState<'a> {
    /// For windows up to `until`, whose processors come from `factory`.
    pub fn new(factory: &'a dyn Fn() -> Box<dyn Processor>, until: Timestamp) -> Self {
        let (tasks, on_topics) = Default::default();
        Self { factory, until, tasks, on_topics }
    }

    /// Begins a window: each of `stretches` is shortened by what was learnt of it. None for
    /// processors that can't be copied.
    pub(super) fn begin(
        &self,
        task: usize,
        stretches: &mut [(PartitionId, i64, i64)],
        cuts: &Cuts,
    ) -> Option<Learning<'_>> {
        let mut tasks = self.tasks.borrow_mut();
        let fits =
            |learnt: &&mut Learnt| stretches.iter().all(|(place, from, _)| learnt.fits(*place, *from, cuts));
        if tasks.get_mut(&task).as_ref().is_none_or(|learnt| !fits(learnt)) {
            let processor = (self.factory)();
            processor.fork()?;
            let places = stretches.iter().map(|(place, from, _)| (*place, LearntRange::new(*from))).collect();
            tasks.insert(task, Learnt { processor, places, newest: i64::MIN, records: 0 });
        }
        let learnt = RefMut::map(tasks, |tasks| tasks.get_mut(&task).expect("it was there, or put there"));
        for (place, from, _) in stretches {
            *from = learnt.places[place].next;
        }
        Some(Learning { newest_before: learnt.newest, learnt, until: self.until, goes_on: true })
    }

    /// Forgets what was learnt.
    pub(super) fn forget(&self) {
        self.tasks.borrow_mut().clear();
    }

    /// A copy of a task's processor, and whether it has learnt anything.
    pub(super) fn fork(&self, task: usize) -> Option<(Box<dyn Processor>, bool)> {
        let tasks = self.tasks.borrow();
        let learnt = tasks.get(&task)?;
        Some((learnt.processor.fork()?, learnt.records > 0))
    }
}

/// A processor that has learnt the beginning of the log.
struct Learnt {
    processor: Box<dyn Processor>,
    places: HashMap<PartitionId, LearntRange>,
    /// The latest turn among what it has learnt.
    newest: i64,
    records: u64,
}

/// How much of a partition was learnt.
struct LearntRange {
    /// Where the history began.
    from: i64,
    /// The first offset that is not learnt.
    next: i64,
    /// Whether there was nothing more when others went on: what comes may have a turn among those
    /// that are over.
    ended: bool,
}

impl LearntRange {
    fn new(from: i64) -> Self {
        Self { from, next: from, ended: false }
    }
}

impl Learnt {
    /// Whether all that was learnt of a partition lies before this window too, and its past begins
    /// at the same record.
    fn fits(&self, place: PartitionId, from: i64, cuts: &Cuts) -> bool {
        let settled = cuts.0[&place].done;
        let settles = |next: i64| {
            settled.is_some_and(|done| next <= done.end.max(from) && self.newest < done.until.ms())
        };
        self.places.get(&place).is_some_and(|reach| reach.from == from && settles(reach.next))
    }
}

/// What becomes of a record that is read for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It was learnt, or is no window's: it need not be read again.
    Learnt,
    /// It is for this window to deal with.
    Left,
    /// It should have been learnt before others that were: begin again.
    TooLate,
}

/// The reading of one window by one task.
pub(super) struct Learning<'a> {
    learnt: RefMut<'a, Learnt>,
    newest_before: i64,
    until: Timestamp,
    /// Whether everything so far belongs before the window.
    goes_on: bool,
}

impl Learning<'_> {
    /// How many records were learnt so far.
    pub(super) fn records(&self) -> u64 {
        self.learnt.records
    }

    /// Takes the record whose turn it is. `silent` names the partitions of which there is nothing
    /// more.
    pub(super) fn take(
        &mut self,
        arrival: &Arrival,
        cuts: &Cuts,
        silent: &dyn Fn() -> Vec<PartitionId>,
    ) -> Step {
        let place = (arrival.topic, arrival.partition);
        let learnt = &mut *self.learnt;
        let turn = cuts.event_time_order(arrival);
        let reach = learnt.places.get_mut(&place).expect("every partition of the task has its place");
        // Without a turn of its own a record says nothing of those behind it.
        if reach.ended && turn != i64::MIN {
            if turn <= self.newest_before {
                return Step::TooLate;
            }
            reach.ended = false;
        }
        if !self.goes_on {
            return Step::Left;
        }
        let event = arrival.content.as_ref().ok();
        match cuts.assignment(arrival) {
            Assignment::Earlier => {
                reach.next = arrival.offset + 1;
                if let Some(event) = event {
                    learnt.processor.learn(event);
                    learnt.newest = learnt.newest.max(turn);
                    learnt.records += 1;
                }
                Step::Learnt
            }
            Assignment::Later if event.and_then(events::Event::ts) >= Some(self.until) => {
                reach.next = arrival.offset + 1;
                Step::Learnt
            }
            Assignment::This | Assignment::Later => {
                self.stop(&silent(), Some(place));
                Step::Left
            }
        }
    }

    /// There is nothing more to read.
    pub(super) fn end(mut self, silent: &[PartitionId]) {
        if self.goes_on {
            self.stop(silent, None);
        }
    }

    fn stop(&mut self, silent: &[PartitionId], but: Option<PartitionId>) {
        self.goes_on = false;
        for place in silent.iter().filter(|place| Some(**place) != but) {
            if let Some(reach) = self.learnt.places.get_mut(place) {
                reach.ended = true;
            }
        }
    }
}
