//! The bins of a swipe in as few bits as they need.
//!
//! A byte each is quick to score with, and what waits for its label is scored no more: hundreds of
//! thousands of swipes wait, each for a fortnight.

use super::features::{Bins, FEATURES, TABLE};

/// The bits of each feature's bin.
const BITS: [u32; FEATURES] = {
    let mut bits = [0; FEATURES];
    let mut feature = 0;
    while feature < FEATURES {
        // Of the largest bin; no feature has none.
        bits[feature] = u8::BITS - (TABLE[feature].bins - 1).leading_zeros();
        feature += 1;
    }
    bits
};

/// What else of a swipe is held beside the bins, a bit each.
const FLAGS: usize = 3;

/// The bytes of all bins and flags together.
pub(super) const BYTES: usize = {
    let (mut bits, mut feature) = (FLAGS as u32, 0);
    while feature < FEATURES {
        bits += BITS[feature];
        feature += 1;
    }
    (bits as usize).div_ceil(8)
};

/// The bins of a swipe, one behind the other, and three flags at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedBins([u8; BYTES]);

impl PackedBins {
    /// One of the three flags; none is set at first.
    pub(super) fn flag(&self, flag: usize) -> bool {
        self.0[BYTES - 1] & bit_of(flag) != 0
    }

    /// Sets one of the three flags.
    pub(super) fn set_flag(&mut self, flag: usize) {
        self.0[BYTES - 1] |= bit_of(flag);
    }

    pub(super) fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Of what [`as_bytes`](Self::as_bytes) gave.
    pub(super) fn of_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }
}

/// The bit of a flag in the last byte.
fn bit_of(flag: usize) -> u8 {
    assert!(flag < FLAGS, "flag {flag} of {FLAGS}");
    1 << (7 - flag)
}

impl From<&Bins> for PackedBins {
    fn from(bins: &Bins) -> Self {
        let mut packed = [0; BYTES];
        let (mut held, mut bits, mut byte) = (0_u32, 0, 0);
        for (&bin, width) in bins.iter().zip(BITS) {
            assert!(u32::from(bin) >> width == 0, "bin {bin} of a feature that has {width} bits");
            held |= u32::from(bin) << bits;
            bits += width;
            while bits >= 8 {
                packed[byte] = held as u8;
                (held, bits, byte) = (held >> 8, bits - 8, byte + 1);
            }
        }
        if bits > 0 {
            packed[byte] = held as u8;
        }
        Self(packed)
    }
}

impl From<&PackedBins> for Bins {
    fn from(PackedBins(packed): &PackedBins) -> Self {
        let (mut held, mut bits, mut bytes) = (0_u32, 0, packed.iter());
        BITS.map(|width| {
            while bits < width {
                held |= u32::from(*bytes.next().expect("there are bytes for all bits")) << bits;
                bits += 8;
            }
            let bin = held & ((1 << width) - 1);
            (held, bits) = (held >> width, bits - width);
            bin as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bins_are_unpacked_as_they_were(
            seeds in prop::collection::vec(any::<u8>(), FEATURES),
            flags in prop::array::uniform3(any::<bool>()),
        ) {
            let mut bins = [0; FEATURES];
            for ((bin, seed), feature) in bins.iter_mut().zip(seeds).zip(&TABLE) {
                // The last bin of a feature is as likely as all others together.
                *bin = if seed % 2 == 0 { feature.bins - 1 } else { seed % feature.bins };
            }
            let mut packed = PackedBins::from(&bins);
            prop_assert_eq!([0, 1, 2].map(|flag| packed.flag(flag)), [false; 3]);
            (0..3).filter(|&flag| flags[flag]).for_each(|flag| packed.set_flag(flag));
            prop_assert_eq!([0, 1, 2].map(|flag| packed.flag(flag)), flags);
            prop_assert_eq!(Bins::from(&packed), bins);
        }
    }

    #[test]
    fn a_swipe_that_waits_keeps_less_than_five_bits_a_feature() {
        assert!(size_of::<PackedBins>() * 8 <= FEATURES * 5, "{BYTES} bytes for {FEATURES} features");
    }
}
