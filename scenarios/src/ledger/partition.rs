//! One partition of questions: the state of each, by its offset.

use std::collections::{BTreeMap, VecDeque};

use events::Replay;

use super::states::{State, States};
use super::{Expected, Sums};

/// The most questions of a partition whose state is kept.
pub(super) const REMEMBERED: usize = 2_000_000;
/// The most rounds of a partition that are told apart.
const MOST_ROUNDS: u32 = 1_000;
/// The most committed offsets of a partition that wait until their answers have been read.
const PENDING_COMMITS: usize = 1_000;

/// The answers that a question waits for.
#[derive(Debug, Clone, Copy)]
struct Owed {
    /// How many are missing.
    left: u16,
    /// How many it expects.
    all: u16,
    /// Whether an earlier round had given all of them.
    was_answered: bool,
}

/// What was read about one partition of questions.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// The first question that counts.
    first: i64,
    /// The offset of the first of `states`.
    base: i64,
    states: States,
    /// Those of `states` that wait, and for how many answers.
    waiting: BTreeMap<i64, Owed>,
    /// The sum of these answers. Some millions wait for a consumer that is paused, and the screen
    /// asks every second.
    missing: u64,
    /// One past the newest question that was read or is known to exist.
    end: i64,
    /// How many questions there are more than records.
    extra: u64,
    answered: u64,
    /// The answers of earlier rounds to questions that the group has been sent back to.
    replayed: u64,
    /// Where the answers of this round begin: see [`Replay`].
    round: i64,
    /// How many rounds there were.
    rounds: u32,
    /// One past the last question that an earlier round had answered.
    answered_before: i64,
    /// One past the last question that this round has answered.
    reached: i64,
    dead_lettered: u64,
    repeated: u64,
    nothing_owed: u64,
    doubled: u64,
    /// The group's committed offsets, oldest first, each with the end of the answers at that time:
    /// the questions before the offset were answered before that end.
    committed: VecDeque<(i64, i64)>,
    /// The newest committed offset whose answers have all been read.
    passed: i64,
}

impl Partition {
    /// Nothing before `offset` counts. Once something was read it is too late for that.
    pub(super) fn begin(&mut self, offset: i64) {
        if !self.states.is_empty() {
            return;
        }
        self.first = offset.max(0);
        self.end = self.first;
    }

    /// The place and the state of the question at `offset`, if it is kept.
    fn state(&mut self, offset: i64) -> Option<(usize, State)> {
        if offset < self.first {
            return None;
        }
        if self.states.is_empty() {
            self.base = offset;
        }
        while offset < self.base && self.states.len() < REMEMBERED {
            self.base -= 1;
            self.states.push_front();
        }
        let place = offset - self.base;
        // A header may name any number: one far beyond what was read is invalid.
        if place < 0 || place >= self.states.len() as i64 + REMEMBERED as i64 {
            return None;
        }
        while self.states.len() as i64 <= place {
            self.states.push_back();
        }
        while self.states.len() > REMEMBERED {
            self.states.pop_front();
            self.base += 1;
        }
        let place = usize::try_from(offset - self.base).ok()?;
        Some((place, self.states.get(place)?))
    }

    /// The record at `offset` has been read, and expects so many answers.
    pub(super) fn question(&mut self, offset: i64, owed: Expected) {
        self.advance(offset + 1);
        let Some((place, known)) = self.state(offset) else { return };
        let early = match known {
            State::Unread => 0,
            State::Early(answers) => answers,
            // The question or its dead letter was read before.
            State::Uncounted(_)
            | State::Waiting
            | State::Answered(_)
            | State::DeadLettered
            | State::Repeated
            | State::NoneExpected
            | State::NoneAllowed
            | State::Unknown => return,
        };
        let (state, owed) = match owed {
            Expected::Answers(0) => (State::NoneAllowed, 0),
            Expected::Answers(owed) if owed > early => (State::Waiting, owed),
            Expected::Answers(owed) => (State::Answered(owed), owed),
            // Its answer was read before it.
            Expected::Nothing | Expected::Repeated if early > 0 => (State::Answered(0), 1),
            Expected::Nothing => (State::NoneExpected, 0),
            Expected::Unknown if early > 0 => (State::Uncounted(early), early),
            Expected::Unknown => (State::Unknown, 0),
            Expected::Repeated => (State::Repeated, 0),
        };
        self.states.set(place, state);
        self.extra -= more_than_one(early);
        self.extra += more_than_one(owed);
        // Only now it shows that some were too many.
        let too_many = u64::from(early.saturating_sub(owed));
        self.answered -= too_many;
        self.doubled += too_many;
        match state {
            State::Waiting => {
                self.missing += u64::from(owed - early);
                let missing = Owed { left: owed - early, all: owed, was_answered: false };
                let before = self.waiting.insert(offset, missing);
                assert!(before.is_none(), "the question at {offset} waits although it was not read");
            }
            State::Repeated => self.repeated += 1,
            State::NoneExpected | State::NoneAllowed | State::Unknown => self.nothing_owed += 1,
            State::Unread
            | State::Early(_)
            | State::Uncounted(_)
            | State::Answered(_)
            | State::DeadLettered => {}
        }
    }

    /// The log is known to go up to `end`: letters about what comes before count from now on.
    fn advance(&mut self, end: i64) {
        let place = |offset: i64| usize::try_from(offset - self.base).unwrap_or(0).min(self.states.len());
        let (from, to) = (place(self.end), place(end));
        if from < to {
            self.dead_lettered += self.states.dead_letters(from, to) as u64;
        }
        self.end = self.end.max(end);
    }

    /// An answer names the record at `offset`, which expects `most` answers at most.
    pub(super) fn answer(&mut self, offset: i64, most: u16) {
        if self.state(offset).is_none() {
            return;
        }
        self.reached = self.reached.max(offset + 1);
        let Some((place, known)) = self.state(offset) else { return };
        match known {
            State::Early(answers) if answers < most => {
                self.states.set(place, State::Early(answers + 1));
                self.extra += 1;
                self.answered += 1;
            }
            State::Uncounted(answers) if answers < most => {
                self.states.set(place, State::Uncounted(answers + 1));
                self.extra += 1;
                self.answered += 1;
            }
            State::Early(_) | State::Uncounted(_) | State::Answered(_) | State::NoneAllowed => {
                self.doubled += 1;
            }
            State::Waiting => self.answer_waiting(offset),
            State::Unread => {
                self.states.set(place, State::Early(1));
                self.answered += 1;
            }
            State::DeadLettered => {
                self.states.set(place, State::Answered(1));
                self.answered += 1;
            }
            State::Repeated => {
                self.states.set(place, State::Answered(0));
                self.repeated -= 1;
                self.answered += 1;
            }
            State::NoneExpected => {
                self.states.set(place, State::Answered(0));
                self.nothing_owed -= 1;
                self.answered += 1;
            }
            State::Unknown => {
                self.states.set(place, State::Uncounted(1));
                self.nothing_owed -= 1;
                self.answered += 1;
            }
        }
    }

    /// Whether an answer to the question at `offset` is given once more: an earlier round gave one.
    pub(super) fn is_again(&self, offset: i64) -> bool {
        offset < self.answered_before
    }

    fn answer_waiting(&mut self, offset: i64) {
        let owed = self.waiting.get_mut(&offset).expect("what waits is among those that wait");
        owed.left -= 1;
        self.missing -= 1;
        self.answered += 1;
        let Owed { left, all, .. } = *owed;
        if left == 0 {
            self.waiting.remove(&offset);
            if let Some((place, _)) = self.state(offset) {
                self.states.set(place, State::Answered(all));
            }
        }
    }

    /// The group's offset was reset, and it answers again from `replay.from` on: what it had
    /// answered there is a question again, and each round is judged by itself. Once for each round;
    /// one that is older than the present one changes nothing.
    pub(super) fn replay(&mut self, replay: Replay) {
        // A header may name any round: each costs a look at every state.
        if replay.at <= self.round || self.rounds >= MOST_ROUNDS {
            return;
        }
        self.round = replay.at;
        self.rounds += 1;
        // What was committed before says nothing about this round.
        self.committed.clear();
        self.passed = self.passed.min(replay.from);
        self.leave(replay.from);
        self.reached = 0;
        let first = usize::try_from(replay.from.max(self.base) - self.base).unwrap_or(usize::MAX);
        for at in first..self.states.len() {
            let offset = self.base + at as i64;
            let Some(state) = self.states.get(at) else { break };
            let (state, answers) = match state {
                State::Early(answers) => {
                    self.extra -= more_than_one(answers);
                    (State::Unread, answers)
                }
                State::Uncounted(answers) => {
                    self.extra -= more_than_one(answers);
                    self.nothing_owed += 1;
                    (State::Unknown, answers)
                }
                State::Answered(0) => {
                    self.nothing_owed += 1;
                    (State::NoneExpected, 1)
                }
                State::Answered(answers) => {
                    self.waiting.insert(offset, Owed { left: answers, all: answers, was_answered: true });
                    self.missing += u64::from(answers);
                    (State::Waiting, answers)
                }
                State::Waiting => {
                    let owed = self.waiting.get_mut(&offset).expect("what waits is among those that wait");
                    let answers = owed.all - owed.left;
                    owed.left = owed.all;
                    self.missing += u64::from(answers);
                    (State::Waiting, answers)
                }
                State::Unread
                | State::DeadLettered
                | State::Repeated
                | State::NoneExpected
                | State::NoneAllowed
                | State::Unknown => continue,
            };
            self.states.set(at, state);
            if answers > 0 {
                self.answered_before = self.answered_before.max(offset + 1);
            }
            self.answered -= u64::from(answers);
            self.replayed += u64::from(answers);
        }
    }

    /// The next round begins at `from`, past questions to which this one never came: those that an
    /// earlier one had answered stay answered.
    fn leave(&mut self, from: i64) {
        let before = self.waiting.range(..from).map(|(&offset, &owed)| (offset, owed));
        let skipped: Vec<_> = before.filter(|&(offset, owed)| self.is_skipped(offset, owed)).collect();
        for (offset, Owed { left, all, .. }) in skipped {
            self.waiting.remove(&offset);
            self.missing -= u64::from(left);
            self.answered += u64::from(left);
            self.replayed -= u64::from(left);
            if let Some((place, _)) = self.state(offset) {
                self.states.set(place, State::Answered(all));
            }
        }
    }

    /// A dead letter names the record at `offset`.
    pub(super) fn dead_letter(&mut self, offset: i64) {
        let Some((place, known)) = self.state(offset) else { return };
        match known {
            State::Early(_) | State::Uncounted(_) | State::Answered(_) | State::DeadLettered => return,
            State::Waiting => {
                self.states.set(place, State::DeadLettered);
                self.give_up(offset);
            }
            State::Unread => self.states.set(place, State::DeadLettered),
            State::Repeated => {
                self.states.set(place, State::DeadLettered);
                self.repeated -= 1;
            }
            State::NoneExpected | State::NoneAllowed | State::Unknown => {
                self.states.set(place, State::DeadLettered);
                self.nothing_owed -= 1;
            }
        }
        // A letter may name a record that does not exist: it counts once its question is read.
        self.dead_lettered += u64::from(offset < self.end);
    }

    /// The record at `offset` expects no further answers: the missing ones count as one question.
    fn give_up(&mut self, offset: i64) {
        let left = self.waiting.remove(&offset).map_or(0, |owed| owed.left);
        self.missing -= u64::from(left);
        self.extra -= more_than_one(left);
    }

    /// Retention may have deleted the answers to questions before `offset`.
    pub(super) fn forget_before(&mut self, offset: i64) {
        let forgotten: Vec<i64> = self.waiting.range(..offset).map(|(&forgotten, _)| forgotten).collect();
        for forgotten in forgotten {
            self.give_up(forgotten);
            if let Some((place, _)) = self.state(forgotten) {
                self.states.set(place, State::Unread);
            }
        }
    }

    /// The group has committed `offset`; after that the answers ended at `answers_end`, and they
    /// have been read up to `answers_read`.
    pub(super) fn committed(&mut self, offset: i64, answers_end: i64, answers_read: i64) {
        if self.round > 0 && answers_end <= self.round {
            // It was committed before the offset was reset.
            return;
        }
        let newest = self.committed.back().map_or(self.passed, |(newest, _)| *newest);
        if offset < newest {
            // A group whose offset was reset processes everything again.
            self.committed.clear();
            self.passed = self.passed.min(offset);
        }
        if offset != newest && self.committed.len() < PENDING_COMMITS {
            self.committed.push_back((offset, answers_end));
        }
        while self.committed.front().is_some_and(|(_, answers_end)| *answers_end <= answers_read) {
            self.passed = self.committed.pop_front().map_or(self.passed, |(offset, _)| offset);
        }
    }

    /// The offsets of questions before the committed offset without an answer.
    pub(super) fn lost(&self) -> impl Iterator<Item = i64> {
        self.lost_ones().map(|(offset, _)| offset)
    }

    fn lost_ones(&self) -> impl Iterator<Item = (i64, Owed)> {
        self.passed_over().filter(|&(offset, owed)| !self.is_skipped(offset, owed))
    }

    /// The questions before the committed offset that another reset has skipped.
    fn skipped(&self) -> impl Iterator<Item = (i64, Owed)> {
        self.passed_over().filter(|&(offset, owed)| self.is_skipped(offset, owed))
    }

    /// The questions that the committed offset has passed without their answers in this round.
    fn passed_over(&self) -> impl Iterator<Item = (i64, Owed)> {
        self.waiting.range(..self.passed).map(|(&offset, &owed)| (offset, owed))
    }

    /// Whether a question that waits has its answer from an earlier round, and this round has not
    /// come to it: where it was passed over, a reset did it.
    fn is_skipped(&self, offset: i64, owed: Owed) -> bool {
        owed.was_answered && offset >= self.reached
    }

    /// Adds all but the lost questions to `sums`, and gives their number.
    pub(super) fn add_to(&self, sums: &mut Sums) -> u64 {
        let left = |of: &mut dyn Iterator<Item = (i64, Owed)>| of.map(|(_, owed)| u64::from(owed.left)).sum();
        let (lost, skipped): (u64, u64) = (left(&mut self.lost_ones()), left(&mut self.skipped()));
        let in_flight = self.missing - lost - skipped;
        let answered = self.answered + skipped;
        let known = answered + self.dead_lettered + self.repeated + self.nothing_owed + lost + in_flight;
        // An answer may have been read before its question.
        let produced = ((self.end - self.first) as u64 + self.extra).max(known);
        sums.produced += produced;
        sums.answered += answered;
        sums.replayed += self.replayed - skipped;
        sums.in_flight += in_flight;
        sums.dead_lettered += self.dead_lettered;
        sums.repeated += self.repeated;
        sums.nothing_owed += self.nothing_owed;
        sums.expired += produced - known;
        sums.doubled += self.doubled;
        lost
    }

    /// How many states are kept.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.states.len()
    }
}

/// A record that counts as several questions adds all but the first.
fn more_than_one(questions: u16) -> u64 {
    u64::from(questions.saturating_sub(1))
}
