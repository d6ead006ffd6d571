//! Many lives of a quorum, from a seed: voters that are killed, stopped, cut off and wiped, over a
//! network that delays, doubles, reorders and loses. Every invariant has a file of its own in
//! `invariants/`.
//!
//! Replay one life with `SEED=17 cargo test -p broker --test quorum_simulation -- --nocapture`; it
//! prints its story.

#[path = "../group_simulation/dice.rs"]
mod dice;
mod faults;
mod invariants;
mod letters;
mod log;
mod node;
mod planted;
mod world;

use world::World;

/// How many lives `cargo test` sees. `LIVES=10000` shows more.
const LIVES: u64 = 500;

#[test]
fn every_life_keeps_every_invariant() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let chosen = number("SEED");
    let seeds = match chosen {
        Some(seed) => seed..seed + 1,
        None => 0..number("LIVES").unwrap_or(LIVES),
    };
    for seed in seeds {
        let mut world = World::new(seed, None);
        world.story = chosen.map(|_| String::new());
        let result = world.live();
        println!("{}", world.story.unwrap_or_default());
        if let Err(violation) = result {
            panic!(
                "{violation}\nreplay: SEED={seed} cargo test -p broker --test quorum_simulation -- --nocapture"
            );
        }
    }
}

#[test]
fn a_life_is_the_same_twice() {
    let digest = |seed| {
        let mut world = World::new(seed, None);
        world.live().expect("this seed keeps every invariant");
        world.digest()
    };
    assert_eq!(digest(3), digest(3));
    assert_ne!(digest(3), digest(4));
}
