//! A visit as it is held: most have ended, and each is held for a day in case its shopper comes
//! back.
//!
//! ```text
//!   | flags 1 | last_ms 8 | items, events, ... | item | item | ... |
//!     fixed, so that neither is decoded          varints, most of a byte or two
//! ```
//!
//! Times are differences to the one before. A visit of two items takes 40 to 50 bytes, where it has
//! 112 in the form in which it is worked with.

use super::catalogue::ItemId;
use super::visit::{Pace, SessionItem, Visit};

/// The flags of a visit.
const OVERFLOWED: u8 = 1;
const REFERENCED: u8 = 1 << 1;
const NUMBERED: u8 = 1 << 2;
const BOT: u8 = 1 << 3;

/// The fixed bytes in front: flags and the time of the last event.
const HEAD: usize = 9;

/// A visit, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackedVisit(Box<[u8]>);

impl PackedVisit {
    pub(super) fn new(visit: &Visit) -> Self {
        Self(bytes_of(visit).into())
    }

    /// What [`bytes`](Self::bytes) gave.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Holds this visit instead.
    pub(super) fn set(&mut self, visit: &Visit) {
        let bytes = bytes_of(visit);
        if bytes.len() == self.0.len() {
            self.0.copy_from_slice(&bytes);
        } else {
            self.0 = bytes.into();
        }
    }

    pub(super) fn get(&self) -> Visit {
        let Self(bytes) = self;
        let flags = bytes[0];
        let last_ms = self.last_ms();
        let mut rest = Varints(&bytes[HEAD..]);
        let items = rest.next() as usize;
        let events = rest.next() as u32;
        let pace_last_ms = last_ms.wrapping_sub(rest.signed());
        let pace = Pace {
            events,
            last_ms: pace_last_ms,
            first_ms: pace_last_ms.wrapping_sub(rest.signed()),
            gap_ms: rest.signed() as i32,
            even_gaps: rest.next() as u8,
            bot: flags & BOT != 0,
        };
        let number = (flags & NUMBERED != 0).then(|| rest.next() as u32);
        let training_examples = rest.next() as u32;
        let mut minute = minute_of(last_ms);
        let item = |_| {
            let marked = rest.next();
            minute = minute.wrapping_sub(signed(marked >> 1));
            SessionItem {
                item: ItemId::of_number(rest.next() as u32),
                tag: rest.bits(),
                interest: if marked & 1 == 0 { 1.0 } else { f32::from_bits(rest.bits()) },
                minute: minute as u32,
            }
        };
        Visit {
            items: (0..items).map(item).collect(),
            overflowed: flags & OVERFLOWED != 0,
            number,
            training_examples,
            pace,
            last_ms,
            referenced: flags & REFERENCED != 0,
        }
    }

    /// When its last event was.
    pub(super) fn last_ms(&self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|byte| self.0[1 + byte]))
    }

    /// How many items it has.
    pub(super) fn items(&self) -> usize {
        Varints(&self.0[HEAD..]).next() as usize
    }

    /// Takes its reference bit.
    pub(super) fn take_referenced(&mut self) -> bool {
        let was = self.0[0] & REFERENCED != 0;
        self.0[0] &= !REFERENCED;
        was
    }
}

fn bytes_of(visit: &Visit) -> Vec<u8> {
    let Visit { items, overflowed, number, training_examples, pace, last_ms, referenced } = visit;
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let mut bytes = Vec::with_capacity(40 + 12 * items.len());
    bytes.push(
        flag(*overflowed, OVERFLOWED)
            | flag(*referenced, REFERENCED)
            | flag(number.is_some(), NUMBERED)
            | flag(pace.bot, BOT),
    );
    bytes.extend_from_slice(&last_ms.to_le_bytes());
    put(&mut bytes, items.len() as u64);
    put(&mut bytes, pace.events.into());
    put_signed(&mut bytes, last_ms.wrapping_sub(pace.last_ms));
    put_signed(&mut bytes, pace.last_ms.wrapping_sub(pace.first_ms));
    put_signed(&mut bytes, pace.gap_ms.into());
    put(&mut bytes, pace.even_gaps.into());
    if let Some(number) = number {
        put(&mut bytes, (*number).into());
    }
    put(&mut bytes, (*training_examples).into());
    let mut before = minute_of(*last_ms);
    for &SessionItem { item, tag, interest, minute } in items {
        let is_plain = interest.to_bits() == 1.0_f32.to_bits();
        let since = before.wrapping_sub(minute.into());
        put(&mut bytes, zigzag(since) << 1 | u64::from(!is_plain));
        put(&mut bytes, item.number().into());
        bytes.extend_from_slice(&tag.to_le_bytes());
        if !is_plain {
            bytes.extend_from_slice(&interest.to_bits().to_le_bytes());
        }
        before = minute.into();
    }
    bytes
}

/// A minute near those of the items, in the range of their type.
fn minute_of(last_ms: i64) -> i64 {
    last_ms.div_euclid(60_000).clamp(0, i64::from(u32::MAX))
}

/// Small numbers of either sign as small numbers without one.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn signed(zigzag: u64) -> i64 {
    (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
}

/// Seven bits a byte, the lowest first; the eighth says that there are more.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, zigzag(number));
}

/// The numbers of a packed visit, one after the other.
struct Varints<'a>(&'a [u8]);

impl Varints<'_> {
    fn next(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn signed(&mut self) -> i64 {
        signed(self.next())
    }

    /// Four bytes as they are.
    fn bits(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn byte(&mut self) -> u8 {
        let (&byte, rest) = self.0.split_first().expect("a packed visit is as long as it was written");
        self.0 = rest;
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_item() -> impl Strategy<Value = SessionItem> {
        let interest = prop_oneof![Just(1.0_f32), 0.1_f32..5.0];
        let minute = prop_oneof![29_542_000_u32..29_543_000, any::<u32>()];
        (any::<u32>(), any::<u32>(), interest, minute).prop_map(|(item, tag, interest, minute)| SessionItem {
            item: ItemId::of_number(item),
            tag,
            interest,
            minute,
        })
    }

    fn any_ms() -> impl Strategy<Value = i64> {
        prop_oneof![1_772_535_600_000_i64..1_772_635_600_000, any::<i64>()]
    }

    fn any_visit() -> impl Strategy<Value = Visit> {
        let pace = (any::<u32>(), any_ms(), any_ms(), any::<i32>(), any::<u8>(), any::<bool>());
        let pace = pace.prop_map(|(events, first_ms, last_ms, gap_ms, even_gaps, bot)| Pace {
            events,
            first_ms,
            last_ms,
            gap_ms,
            even_gaps,
            bot,
        });
        let items = prop::collection::vec(any_item(), 0..20);
        let (number, examples) = (any::<Option<u32>>(), any::<u32>());
        let rest = (items, pace, any_ms(), number, examples, any::<bool>(), any::<bool>());
        rest.prop_map(|(items, pace, last_ms, number, training_examples, overflowed, referenced)| Visit {
            items,
            overflowed,
            number,
            training_examples,
            pace,
            last_ms,
            referenced,
        })
    }

    proptest! {
        /// Whatever the clocks of shoppers say.
        #[test]
        fn a_visit_comes_out_as_it_went_in(visit in any_visit(), next in any_visit()) {
            let mut packed = PackedVisit::new(&visit);
            prop_assert_eq!(&packed.get(), &visit);
            prop_assert_eq!((packed.last_ms(), packed.items()), (visit.last_ms, visit.items.len()));
            prop_assert_eq!(packed.take_referenced(), visit.referenced);
            prop_assert_eq!(packed.get(), Visit { referenced: false, ..visit });
            packed.set(&next);
            prop_assert_eq!(packed.get(), next);
        }
    }

    /// Hundreds of thousands are kept.
    #[test]
    fn a_visit_of_two_items_takes_48_bytes() {
        let last_ms = 1_772_535_600_000;
        let item = |slot, interest| SessionItem {
            item: ItemId::new(slot, 0),
            tag: 0x1234_5678,
            interest,
            minute: minute_of(last_ms) as u32 - 1,
        };
        let visit = Visit {
            items: vec![item(4_999, 1.25), item(17, 1.0)],
            number: Some(79_999),
            training_examples: 2,
            pace: Pace {
                events: 7,
                first_ms: last_ms - 240_000,
                last_ms: last_ms - 900,
                gap_ms: 31_000,
                ..Pace::default()
            },
            last_ms,
            ..Visit::default()
        };
        let PackedVisit(bytes) = PackedVisit::new(&visit);
        assert!(bytes.len() <= 48, "{} bytes", bytes.len());
    }
}
