//! Values for tests: any message, filled at random from a seed, in any version.

use bytes::Bytes;

use crate::{ErrorCode, Payload, Uuid, Version};

/// `SplitMix64` (Steele, Lea and Flood, 2014): small, seeded, and good enough to fill fields.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

pub(crate) trait Sample: Sized {
    fn sample(random: &mut Random, version: Version) -> Self;
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Sample for $integer {
            fn sample(random: &mut Random, _version: Version) -> Self {
                // Small and extreme values find more than evenly spread ones.
                match random.below(4) {
                    0 => random.below(4) as $integer,
                    1 => -1_i8 as $integer,
                    _ => random.next() as $integer,
                }
            }
        }
    )+};
}

integers!(i8, i16, u16, i32, i64);

impl Sample for f64 {
    fn sample(random: &mut Random, version: Version) -> Self {
        i32::sample(random, version).into()
    }
}

impl Sample for bool {
    fn sample(random: &mut Random, _version: Version) -> Self {
        random.below(2) == 1
    }
}

impl Sample for ErrorCode {
    fn sample(random: &mut Random, version: Version) -> Self {
        Self(i16::sample(random, version))
    }
}

impl Sample for Uuid {
    fn sample(random: &mut Random, _version: Version) -> Self {
        Self((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes())
    }
}

impl Sample for String {
    fn sample(random: &mut Random, _version: Version) -> Self {
        // Above 127 bytes a length takes two bytes as a varint.
        let length = [0, 1, 5, 200][random.below(4) as usize];
        (0..length).map(|_| ['a', 'z', '.', 'ñ'][random.below(4) as usize]).collect()
    }
}

impl Sample for Bytes {
    fn sample(random: &mut Random, version: Version) -> Self {
        String::sample(random, version).into()
    }
}

impl Sample for Payload {
    fn sample(random: &mut Random, version: Version) -> Self {
        Self::Bytes(Bytes::sample(random, version))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Random, version: Version) -> Self {
        (0..random.below(4)).map(|_| T::sample(random, version)).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Random, version: Version) -> Self {
        (random.below(4) > 0).then(|| T::sample(random, version))
    }
}
