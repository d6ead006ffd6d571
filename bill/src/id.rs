//! Ids as numbers. A bill holds an hour of pages and clicks until the batch lane answers; ids that
//! are only compared need not be strings.

/// The number of a trip, a card, a swipe, a click or a visit. Two of a million are alike by chance
/// once in forty million times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(super) u64);

impl<S: AsRef<str> + ?Sized> From<&S> for Id {
    fn from(id: &S) -> Self {
        // FNV-1a: small, well known, and the same on every machine.
        Self(id.as_ref().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

/// The number of an item on a page, half as long: a page has twenty, and whether one is on it is
/// all that is asked. It is answered wrongly once in two hundred million times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId(u32);

impl<S: AsRef<str> + ?Sized> From<&S> for ItemId {
    fn from(item: &S) -> Self {
        let Id(number) = Id::from(item);
        Self((number ^ (number >> 32)) as u32)
    }
}
