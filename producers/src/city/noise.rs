//! Random numbers that can be computed in any order.
//!
//! Each vehicle has a generator of its own ([`rng`]). Noise of places and times, such as the drift
//! of a street's pace, is a hash of the seed, the place and the time ([`drift`]): it needs no
//! state, and a query for tomorrow does not change today.
//!
//! # Simplifications
//! - Hashes are mixed well, not cryptographically.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// What a random number is for. Each purpose has its own numbers.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Purpose {
    Driving = 1,
    Receiving,
    Delivering,
    Customers,
    Places,
    StreetCharacter,
    LinkCharacter,
    StreetDrift,
    AreaDrift,
    CityDrift,
    Signals,
    Incidents,
    Match,
    RoutePreference,
    Tunnels,
}

/// A generator for one purpose of one thing.
///
/// `StdRng` is cryptographic, so that streams whose seeds are neighbours have nothing in common.
/// Its algorithm may change with a major version of `rand`; `Cargo.lock` holds it.
pub(super) fn rng(seed: u64, purpose: Purpose, id: u64) -> StdRng {
    StdRng::seed_from_u64(hash(seed, purpose, id, 0))
}

/// 64 well mixed bits (the finalizer of `SplitMix64`, Steele et al. 2014, over each part in turn).
pub(super) fn hash(seed: u64, purpose: Purpose, a: u64, b: u64) -> u64 {
    let mixed = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    };
    [purpose as u64, a, b]
        .into_iter()
        .fold(mixed(seed), |hash, part| mixed(hash.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A number from 0 up to 1.
pub(super) fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// A nearly normal number, mean 0 and deviation 1, within ±3.5: the sum of four even ones (Irwin
/// and Hall).
pub(super) fn normal(hash: u64) -> f64 {
    let sum: u64 = (0..4).map(|piece| (hash >> (16 * piece)) & 0xffff).sum();
    (sum as f64 / 65_536.0 - 2.0) * 3.0_f64.sqrt()
}

/// A number that drifts with time, mean 0 and deviation 1, and decorrelates over `period_s`.
pub(super) fn drift(seed: u64, purpose: Purpose, id: u64, t: f64, period_s: f64) -> f64 {
    // Each thing changes at moments of its own.
    let at = t / period_s + unit(hash(seed, purpose, id, u64::MAX));
    let (knot, share) = (at.floor(), at - at.floor());
    let value = |knot: f64| normal(hash(seed, purpose, id, knot as i64 as u64));
    // Between two knots a mean of both would vary less than they do; the root compensates for it.
    (value(knot) * (1.0 - share) + value(knot + 1.0) * share) / (1.0 - share).hypot(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_has_the_deviation_it_promises_and_no_jumps() {
        let values: Vec<f64> =
            (0..20_000).map(|at| drift(7, Purpose::AreaDrift, 3, f64::from(at) * 60.0, 600.0)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.1, "{mean}");
        assert!((0.85..1.15).contains(&variance), "{variance}");
        assert!(values.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1.2));
    }
}
