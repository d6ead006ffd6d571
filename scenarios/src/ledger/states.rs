//! The states of a partition's questions, a byte each.

use std::collections::{HashMap, VecDeque};

/// The state of the record at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not read: retention has deleted it, or it has yet to arrive.
    Unread,
    /// So many answers to it were read before it was read itself.
    Early(u16),
    /// So many answers to it were read, and how many it expects the records do not show.
    Uncounted(u16),
    /// It has been read, and answers are missing.
    Waiting,
    /// It has all the answers that it expects, or one that was not expected: 0.
    Answered(u16),
    DeadLettered,
    Repeated,
    /// It expects no answer, and an answer would be right.
    NoneExpected,
    /// It expects no answer, and an answer would be one too many.
    NoneAllowed,
    /// How many answers it expects is unknown, and none has come.
    Unknown,
}

/// A number of answers up to this one fits into the byte of its state.
const MOST_IN_A_BYTE: u16 = 79;
/// The state stands beside: it has a larger number.
const BESIDE: u8 = u8::MAX;
/// What has no number comes first.
const PLAIN: [State; 7] = [
    State::Unread,
    State::Waiting,
    State::DeadLettered,
    State::Repeated,
    State::NoneExpected,
    State::NoneAllowed,
    State::Unknown,
];
/// Then what has one, for each of these all that fit.
const COUNTED: [fn(u16) -> State; 3] = [State::Early, State::Uncounted, State::Answered];

impl State {
    /// The state as a byte; [`BESIDE`] if it does not fit into one.
    fn byte(self) -> u8 {
        let counted = |kind: u8, answers: u16| match answers {
            0..=MOST_IN_A_BYTE => PLAIN.len() as u8 + kind * (MOST_IN_A_BYTE as u8 + 1) + answers as u8,
            _ => BESIDE,
        };
        match self {
            Self::Unread => 0,
            Self::Waiting => 1,
            Self::DeadLettered => 2,
            Self::Repeated => 3,
            Self::NoneExpected => 4,
            Self::NoneAllowed => 5,
            Self::Unknown => 6,
            Self::Early(answers) => counted(0, answers),
            Self::Uncounted(answers) => counted(1, answers),
            Self::Answered(answers) => counted(2, answers),
        }
    }

    /// The state that was made a byte, if it is one.
    fn of_byte(byte: u8) -> Option<Self> {
        if let Some(plain) = PLAIN.get(usize::from(byte)) {
            return Some(*plain);
        }
        let number = u16::from(byte) - PLAIN.len() as u16;
        let state = COUNTED.get(usize::from(number / (MOST_IN_A_BYTE + 1)))?;
        Some(state(number % (MOST_IN_A_BYTE + 1)))
    }
}

/// States in the order of their questions. There are millions, and hardly any has a number of
/// answers that does not fit into its byte.
#[derive(Debug, Default)]
pub(super) struct States {
    bytes: VecDeque<u8>,
    /// How many have left at the front, less those that were added there.
    left: i64,
    /// The states that do not fit, by their place plus `left`.
    beside: HashMap<i64, State>,
}

impl States {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The state at a place.
    pub(super) fn get(&self, place: usize) -> Option<State> {
        let byte = *self.bytes.get(place)?;
        State::of_byte(byte).or_else(|| self.beside.get(&(self.left + place as i64)).copied())
    }

    /// Puts another state at a place where there is one.
    pub(super) fn set(&mut self, place: usize, state: State) {
        let byte = state.byte();
        let before = std::mem::replace(&mut self.bytes[place], byte);
        if byte == BESIDE {
            self.beside.insert(self.left + place as i64, state);
        } else if before == BESIDE {
            self.beside.remove(&(self.left + place as i64));
        }
    }

    /// Adds one behind all others that is [unread](State::Unread).
    pub(super) fn push_back(&mut self) {
        self.bytes.push_back(State::Unread.byte());
    }

    /// Adds one before all others that is [unread](State::Unread).
    pub(super) fn push_front(&mut self) {
        self.bytes.push_front(State::Unread.byte());
        self.left -= 1;
    }

    /// Removes the first.
    pub(super) fn pop_front(&mut self) {
        if self.bytes.pop_front() == Some(BESIDE) {
            self.beside.remove(&self.left);
        }
        self.left += 1;
    }

    /// How many of those from one place to before another are dead letters.
    pub(super) fn dead_letters(&self, from: usize, to: usize) -> usize {
        let letter = State::DeadLettered.byte();
        self.bytes.range(from..to).filter(|byte| **byte == letter).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_state() -> impl Strategy<Value = State> {
        let number = prop_oneof![0_u16..4, 76_u16..84, any::<u16>()];
        prop_oneof![
            prop::sample::select(&PLAIN[..]),
            (prop::sample::select(&COUNTED[..]), number).prop_map(|(state, number)| state(number)),
        ]
    }

    proptest! {
        /// Against a list of the states themselves. A question takes a byte, and one whose state
        /// does not fit is found beside it for only as long as it has that state.
        #[test]
        fn states_in_bytes_are_the_states_that_were_put_there(
            steps in prop::collection::vec((0_u8..8, any::<prop::sample::Index>(), any_state()), 0..200),
        ) {
            let (mut states, mut naive) = (States::default(), VecDeque::new());
            for (what, at, state) in steps {
                match what {
                    0 => { states.push_front(); naive.push_front(State::Unread) }
                    1 => { states.pop_front(); naive.pop_front(); }
                    2 | 3 => { states.push_back(); naive.push_back(State::Unread) }
                    _ if naive.is_empty() => {}
                    _ => {
                        let place = at.index(naive.len());
                        states.set(place, state);
                        naive[place] = state;
                    }
                }
                let read: Vec<_> = (0..states.len()).filter_map(|place| states.get(place)).collect();
                prop_assert_eq!(&read, &Vec::from(naive.clone()));
                prop_assert_eq!((states.len(), states.get(states.len())), (naive.len(), None));
                let letters = naive.iter().filter(|state| **state == State::DeadLettered).count();
                prop_assert_eq!(states.dead_letters(0, states.len()), letters);
                let large = naive.iter().filter(|state| state.byte() == BESIDE).count();
                prop_assert_eq!(states.beside.len(), large, "what has left is not kept");
            }
        }
    }
}
