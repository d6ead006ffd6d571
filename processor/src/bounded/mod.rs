//! Collections with a capacity, which no input can exceed.
//!
//! Keys, ids and times come from outside. A processor that kept an entry for each of them could run
//! out of memory, so its state has a capacity and a rule for what is evicted:
//!
//! | collection | what is evicted when it is full |
//! |---|---|
//! | [`FifoMap`] | the oldest entry, one at a time |
//! | [`RecentMap`] | the older half of the entries, at once |
//! | [`SlidingSample`] | the oldest measurement |
//!
//! Hashes have fixed keys, so that two runs over the same events do the same: see [`fingerprint`].
//!
//! # Simplifications
//! - No general LRU map is here. The three that the domains need differ in what else they promise:
//!   fraud's `lru_slab` shares its entries copy-on-write, the shop's `catalogue` gives an item's
//!   slot to another, and the shop's `visits` also limits the sum of what its entries hold.
//! - The hasher's keys are no secret: a producer that chooses its ids can make them collide, which
//!   costs speed and nothing else.

mod fifo_map;
mod recent_map;
mod sliding_sample;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

pub use fifo_map::FifoMap;
pub use recent_map::RecentMap;
pub use sliding_sample::SlidingSample;

/// A hasher with fixed keys: the same numbers in every run.
pub type FixedHasher = BuildHasherDefault<DefaultHasher>;

/// A map whose hashes are the same in every run. No answer may depend on the order of a map; should
/// one do so by mistake, it would still be deterministic.
pub type FixedHashMap<K, V> = HashMap<K, V, FixedHasher>;

/// A set whose hashes are the same in every run.
pub type FixedHashSet<K> = HashSet<K, FixedHasher>;

/// The 64-bit number that stands for a key, the same in every run.
///
/// Two keys may have the same number: among 7 million, a new one has that of another once in some
/// 10¹² keys.
pub fn fingerprint<K: Hash + ?Sized>(key: &K) -> u64 {
    FixedHasher::default().hash_one(key)
}
