//! The states of a partition's questions: a byte each, and next to nothing where nearly all are the
//! same, as they are soon after they were answered.

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

/// The states of a chunk. Tests have many chunks.
const CHUNK: usize = if cfg!(test) { 8 } else { 256 };
/// A chunk is packed when so many others follow it: most of its questions are answered then.
const BEHIND: usize = if cfg!(test) { 1 } else { 16 };
/// The most states of a packed chunk that are not as the others.
const MOST_OTHERS: usize = CHUNK / 8;

/// Successive states as bytes.
#[derive(Debug)]
enum Chunk {
    Each(Box<[u8; CHUNK]>),
    /// All are the same, but for these: their place in the chunk, and what they are.
    Packed(u8, Box<[(u8, u8)]>),
}

impl Chunk {
    /// States that are all [unread](State::Unread).
    fn unread() -> Self {
        Self::Packed(State::Unread.byte(), Box::default())
    }

    fn get(&self, at: usize) -> u8 {
        match self {
            Self::Each(bytes) => bytes[at],
            Self::Packed(usual, others) => {
                others.iter().find(|&&(place, _)| usize::from(place) == at).map_or(*usual, |&(_, byte)| byte)
            }
        }
    }

    /// Puts another byte at a place, and gives the one before.
    fn set(&mut self, at: usize, byte: u8) -> u8 {
        let before = self.get(at);
        if before != byte {
            self.each()[at] = byte;
        }
        before
    }

    fn each(&mut self) -> &mut [u8; CHUNK] {
        if let Self::Packed(usual, others) = self {
            let mut bytes = Box::new([*usual; CHUNK]);
            for &(place, byte) in &*others {
                bytes[usize::from(place)] = byte;
            }
            *self = Self::Each(bytes);
        }
        match self {
            Self::Each(bytes) => bytes,
            Self::Packed(..) => unreachable!("it was unpacked just now"),
        }
    }

    /// Packs it if nearly all are the same.
    fn pack(&mut self) {
        let Self::Each(bytes) = self else { return };
        // Any of them, if nearly all are it.
        let usual = bytes[CHUNK / 2];
        let others = (0..=u8::MAX).zip(bytes.iter()).filter(|&(_, byte)| *byte != usual);
        if others.clone().count() <= MOST_OTHERS {
            *self = Self::Packed(usual, others.map(|(place, byte)| (place, *byte)).collect());
        }
    }
}

/// States in the order of their questions. There are millions, and hardly any has a number of
/// answers that does not fit into its byte.
#[derive(Debug, Default)]
pub(super) struct States {
    chunks: VecDeque<Chunk>,
    /// How many places of the first chunk come before the first state.
    before: usize,
    len: usize,
    /// The chunk that is looked at next, for what was answered late.
    look: usize,
    /// How many have left at the front, less those that were added there.
    left: i64,
    /// The states that do not fit, by their place plus `left`.
    beside: HashMap<i64, State>,
}

impl States {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The byte at a place.
    fn byte(&self, place: usize) -> Option<u8> {
        let at = self.before + place;
        (place < self.len).then(|| self.chunks[at / CHUNK].get(at % CHUNK))
    }

    /// Puts another byte at a place, and gives the one before.
    fn replace(&mut self, place: usize, byte: u8) -> u8 {
        assert!(place < self.len, "the state at place {place} of {}", self.len);
        let at = self.before + place;
        self.chunks[at / CHUNK].set(at % CHUNK, byte)
    }

    /// The state at a place.
    pub(super) fn get(&self, place: usize) -> Option<State> {
        State::of_byte(self.byte(place)?).or_else(|| self.beside.get(&(self.left + place as i64)).copied())
    }

    /// Puts another state at a place where there is one.
    pub(super) fn set(&mut self, place: usize, state: State) {
        let byte = state.byte();
        let before = self.replace(place, byte);
        if byte == BESIDE {
            self.beside.insert(self.left + place as i64, state);
        } else if before == BESIDE {
            self.beside.remove(&(self.left + place as i64));
        }
    }

    /// Adds one behind all others that is [unread](State::Unread).
    pub(super) fn push_back(&mut self) {
        if self.before + self.len == self.chunks.len() * CHUNK {
            self.pack_some();
            self.chunks.push_back(Chunk::unread());
        }
        self.len += 1;
    }

    /// Adds one before all others that is [unread](State::Unread).
    pub(super) fn push_front(&mut self) {
        if self.before == 0 {
            self.chunks.push_front(Chunk::unread());
            self.before = CHUNK;
        }
        self.before -= 1;
        self.len += 1;
        self.replace(0, State::Unread.byte());
        self.left -= 1;
    }

    /// Removes the first.
    pub(super) fn pop_front(&mut self) {
        if self.byte(0) == Some(BESIDE) {
            self.beside.remove(&self.left);
        }
        self.left += 1;
        if self.len == 0 {
            return;
        }
        self.len -= 1;
        self.before += 1;
        if self.before == CHUNK {
            self.chunks.pop_front();
            self.before = 0;
        }
    }

    /// Packs what was answered meanwhile, and in turn two of those before it: more than are added.
    fn pack_some(&mut self) {
        let Some(last) = self.chunks.len().checked_sub(BEHIND) else { return };
        self.look = if self.look + 2 < last { self.look + 2 } else { 0 };
        for at in [last, self.look, self.look + 1] {
            if let Some(chunk) = self.chunks.get_mut(at) {
                chunk.pack();
            }
        }
    }

    /// How many of those from one place to before another are dead letters.
    pub(super) fn dead_letters(&self, from: usize, to: usize) -> usize {
        let letter = State::DeadLettered.byte();
        (from..to).filter(|&place| self.byte(place) == Some(letter)).count()
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
        /// Against a list of the states themselves, packed or not. A state that does not fit into
        /// its byte is found beside it for only as long as it is that.
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

    #[test]
    fn what_is_answered_takes_next_to_nothing() {
        let mut states = States::default();
        let packed =
            |states: &States| states.chunks.iter().filter(|chunk| matches!(chunk, Chunk::Packed(..))).count();
        for place in 0..100 * CHUNK {
            states.push_back();
            let repeated = place % (2 * CHUNK) == 1;
            states.set(place, if repeated { State::Repeated } else { State::Answered(1) });
        }
        assert!(packed(&states) >= 99 - BEHIND, "{} of 100", packed(&states));

        // A consumer that paused: all that it answers late is packed later.
        for place in 100 * CHUNK..200 * CHUNK {
            states.push_back();
            states.set(place, if place % 2 == 0 { State::Waiting } else { State::Unknown });
        }
        assert!(packed(&states) < 110, "{} of 200", packed(&states));
        (100 * CHUNK..200 * CHUNK).for_each(|place| states.set(place, State::Answered(1)));
        for place in 200 * CHUNK..700 * CHUNK {
            states.push_back();
            states.set(place, State::Answered(2));
        }
        assert!(packed(&states) >= 699 - BEHIND, "{} of 700", packed(&states));
        assert_eq!(states.get(150 * CHUNK), Some(State::Answered(1)));
    }
}
