//! Many groups' lives, from a seed: clients that join, work, stall, crash and come back, over a
//! network that delays, reorders and loses, with a broker that is killed now and then. Every
//! invariant has a file of its own in `invariants/`.
//!
//! Replay one life with `SEED=17 cargo test -p broker --test group_simulation -- --nocapture`.

mod client;
mod dice;
mod invariants;
mod world;

use world::World;

/// How many lives `cargo test` sees. `LIVES=10000` shows more.
const LIVES: u64 = 60;

#[test]
fn every_life_keeps_every_invariant() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LIVES").unwrap_or(LIVES),
    };
    for seed in seeds {
        if let Err(violation) = World::new(seed).live() {
            panic!(
                "{violation}\nreplay: SEED={seed} cargo test -p broker --test group_simulation -- --nocapture"
            );
        }
    }
}

#[test]
fn a_life_is_the_same_twice() {
    let story = |seed| {
        let mut world = World::new(seed);
        world.live().expect("this seed keeps every invariant");
        world.into_history()
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}
