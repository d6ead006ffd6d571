//! The simulator's markets, measured: what its text promises, on what it makes.

mod feeds;
mod prices;

use std::collections::BTreeMap;

use events::{Event, SimulationTruth, Timestamp, Trade};

use super::*;

/// Everything that arrives within so many hours.
fn hours(config: &MarketsConfig, hours: i64) -> Vec<Emission> {
    let end = config.start.plus_ms(hours * HOUR_MS);
    Markets::new(config.clone()).take_while(|emission| emission.at < end).collect()
}

fn trades(emissions: &[Emission]) -> Vec<(Timestamp, &Trade)> {
    let trade = |emission: &'_ Emission| match &emission.event {
        Event::Trades(_) => true,
        Event::SimulationTruth(_) => false,
        other => panic!("markets say nothing like {other:?}"),
    };
    emissions
        .iter()
        .filter(|emission| trade(emission))
        .map(|emission| match &emission.event {
            Event::Trades(trade) => (emission.at, trade),
            other => unreachable!("{other:?} was left out"),
        })
        .collect()
}

/// What each pair is worth, every five seconds.
fn mids(emissions: &[Emission]) -> BTreeMap<&str, Vec<i64>> {
    let mut mids: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for emission in emissions {
        if let Event::SimulationTruth(SimulationTruth::Price { id, mid_e8, .. }) = &emission.event {
            mids.entry(id).or_default().push(*mid_e8);
        }
    }
    mids
}

#[test]
fn the_same_seed_makes_the_same_events_and_another_makes_others() {
    let config = MarketsConfig::default();
    let first = hours(&config, 1);
    assert_eq!(first, hours(&config, 1));
    assert_ne!(first, hours(&MarketsConfig { seed: 8, ..config }, 1));
    assert!(first.is_sorted_by_key(|emission| emission.at));
    for emission in &first {
        let event = &emission.event;
        assert_eq!(Event::parse(event.topic(), &event.to_json()).expect("it keeps its contract"), *event);
    }
}

#[test]
fn prices_do_not_depend_on_how_much_is_traded() {
    let config = MarketsConfig::default();
    let much = hours(&MarketsConfig { trades_per_second: 50.0, ..config.clone() }, 1);
    let usual = hours(&config, 1);
    assert_eq!(mids(&usual), mids(&much));
    assert!(trades(&much).len() > 3 * trades(&usual).len());
    let untold = hours(&MarketsConfig { truth: false, ..config.clone() }, 1);
    assert_eq!(trades(&untold), trades(&usual), "whether the truth is told makes no difference");
    assert!(mids(&untold).is_empty());
    let none = MarketsConfig { trades_per_second: 0.0, truth: false, ..config };
    assert_eq!(Markets::new(none).next(), None);
}

#[test]
fn markets_that_open_later_have_the_prices_of_those_that_were_open() {
    let config = MarketsConfig::default();
    let moment = config.start.plus_ms(HOUR_MS / 2);
    let end = config.start.plus_ms(HOUR_MS);
    let later: Vec<Emission> =
        Markets::opening_at(config.clone(), moment).take_while(|emission| emission.at < end).collect();
    assert!(later[0].at >= moment && !trades(&later).is_empty());
    let open = hours(&config, 1);
    let since: BTreeMap<&str, Vec<i64>> =
        mids(&open).into_iter().map(|(pair, mids)| (pair, mids[360..].to_vec())).collect();
    assert_eq!(mids(&later), since, "every five seconds, and half an hour has 360 of them");
}

#[test]
fn the_simulation_may_begin_at_any_second() {
    let start = "2026-03-03T23:59:31.500Z".parse().expect("a good instant");
    let first = Markets::new(MarketsConfig { start, ..MarketsConfig::default() }).next();
    assert_eq!(first.map(|emission| emission.at), Some(start));
    assert!((BUSY.iter().sum::<f64>() / 24.0 - 1.0).abs() < 0.01, "1 on average");
}
