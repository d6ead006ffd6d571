//! Each bug that others had is planted once, and must fall.

use broker::quorum::Plant;

use crate::world::World;

/// In how many lives a planted bug must have been seen.
const LIVES: u64 = 500;

fn falls(plant: Plant, invariants: &[&str]) {
    for seed in 0..LIVES {
        if let Err(violation) = World::new(seed, Some(plant)).live() {
            println!("{plant:?} falls in life {seed}: {violation}");
            assert!(invariants.iter().any(|name| violation.contains(name)), "{violation}");
            return;
        }
    }
    panic!("{plant:?} lives on after {LIVES} lives");
}

macro_rules! plants {
    ($($name:ident: $plant:ident [$($invariant:literal),+],)+) => {
        $(#[test]
        fn $name() {
            falls(Plant::$plant, &[$($invariant),+]);
        })+
    };
}

plants! {
    a_high_watermark_before_the_own_record_is_caught: HighWatermarkOffByOne ["what is committed stays"],
    a_leader_that_never_resigns_is_caught: NeverResigns ["a leader has a majority"],
    a_cut_below_the_high_watermark_is_caught: CutsBelowHighWatermark ["nothing committed is cut"],
    a_second_vote_is_caught: VotesTwice ["one vote an epoch"],
    a_forgotten_vote_is_caught: ForgetsItsVote ["one vote an epoch", "one leader an epoch"],
    a_former_life_that_counts_is_caught: KeepsAFormerLife ["what is committed stays"],
    a_newcomer_that_votes_is_caught: NewcomerVotes ["what is committed stays"],
    a_newcomer_that_counts_is_caught: NewcomerCounts ["what is committed stays"],
    a_vote_for_a_shorter_log_is_caught: GrantsToShorterLog ["what is committed stays"],
    a_diverging_end_that_counts_is_caught: CountsDiverging ["the high watermark is written"],
}
