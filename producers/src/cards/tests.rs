//! Same seed, same events; and the statistics that the module promises, measured on what it says.

use std::collections::{BTreeMap, HashMap, HashSet};

use events::{CardSwipe, DAY_MS, HOUR_MS, SimulationTruth};

use super::*;

fn small(seed: u64) -> CardsConfig {
    CardsConfig {
        seed,
        cards: 1_000,
        terminals: 400,
        busy_swipes_per_second: 0.08,
        history_days: 0,
        ..CardsConfig::default()
    }
}

/// What was said in the first `days`, swipes with their truth.
fn said(config: &CardsConfig, days: i64) -> (Vec<(CardSwipe, Option<String>)>, Vec<events::Chargeback>) {
    let end = config.start.plus_ms(days * DAY_MS);
    let mut swipes: Vec<(CardSwipe, Option<String>)> = Vec::new();
    let mut chargebacks = Vec::new();
    let mut last = config.start;
    for emission in Cards::new(config).take_while(|emission| emission.at < end) {
        assert!(emission.at >= last, "emissions are in the order of sending");
        assert_eq!(emission.event.ts(), Some(emission.at));
        last = emission.at;
        match emission.event {
            Event::CardSwipes(swipe) => swipes.push((swipe, None)),
            Event::SimulationTruth(SimulationTruth::Swipe { id, pattern, .. }) => {
                let (swipe, its) = swipes.last_mut().unwrap();
                assert_eq!(swipe.swipe_id, id, "the truth is said with its swipe");
                *its = pattern;
            }
            Event::Chargebacks(chargeback) => chargebacks.push(chargeback),
            other => panic!("{other:?} is none of the payments business's"),
        }
    }
    (swipes, chargebacks)
}

#[test]
fn same_seed_same_bytes_and_another_seed_others() {
    let bytes = |seed| -> Vec<u8> {
        Cards::new(&small(seed)).take(3_000).flat_map(|emission| emission.event.to_json()).collect()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn every_event_keeps_its_contract() {
    for emission in Cards::new(&small(3)).take(20_000) {
        let read = Event::parse(emission.event.topic(), &emission.event.to_json()).unwrap();
        assert_eq!(read, emission.event);
    }
}

#[test]
fn fraud_is_rare_and_of_five_kinds() {
    let (mut all, mut fraud) = (0_usize, BTreeMap::<String, usize>::new());
    for seed in 1..=3 {
        let (swipes, _) = said(&small(seed), 21);
        all += swipes.len();
        for pattern in swipes.into_iter().filter_map(|(_, pattern)| pattern) {
            *fraud.entry(pattern).or_default() += 1;
        }
    }
    let share = fraud.values().sum::<usize>() as f64 / all as f64;
    assert!((0.004..0.009).contains(&share), "fraud is {share} of swipes: {fraud:?}");
    let kinds: Vec<&str> = fraud.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["card_testing", "cloned", "compromised_terminal", "drift", "takeover"]);
    let testing = fraud["card_testing"] as f64 / fraud.values().sum::<usize>() as f64;
    assert!((0.35..0.75).contains(&testing), "{testing} of fraud is card testing");
}

#[test]
fn days_and_hours_have_a_rhythm() {
    let (swipes, _) = said(&small(5), 14);
    let mut hours = [0_usize; 24];
    for (swipe, _) in &swipes {
        hours[swipe.ts.hour() as usize] += 1;
    }
    let busiest = *hours.iter().max().unwrap() as f64;
    let rate = busiest / 14.0 / 3_600.0;
    assert!((0.05..0.09).contains(&rate), "{rate} swipes a second in the busiest hour, of 0.08 asked for");
    assert!((hours[3] as f64) < 0.2 * busiest, "the town sleeps: {hours:?}");
}

#[test]
fn labels_come_days_later_and_a_few_never() {
    let (swipes, chargebacks) = said(&small(8), 45);
    let swiped: HashMap<&str, &CardSwipe> =
        swipes.iter().map(|(swipe, _)| (swipe.swipe_id.as_str(), swipe)).collect();
    let frauds: HashSet<&str> = swipes
        .iter()
        .filter(|(swipe, pattern)| pattern.is_some() && swipe.ts < swipes[0].0.ts.plus_ms(25 * DAY_MS))
        .map(|(swipe, _)| swipe.swipe_id.as_str())
        .collect();
    let mut days: Vec<f64> = Vec::new();
    let mut reported = HashSet::new();
    for chargeback in &chargebacks {
        let swipe = swiped[chargeback.swipe_id.as_str()];
        assert_eq!((&swipe.card_id, &swipe.terminal_id), (&chargeback.card_id, &chargeback.terminal_id));
        if frauds.contains(chargeback.swipe_id.as_str()) {
            days.push(chargeback.ts.since_ms(swipe.ts) as f64 / DAY_MS as f64);
            assert!(reported.insert(&chargeback.swipe_id), "a swipe is charged back once");
        }
    }
    days.sort_by(f64::total_cmp);
    let median = days[days.len() / 2];
    assert!((3.0..5.0).contains(&median), "the median label comes after {median} days");
    let never = 1.0 - days.len() as f64 / frauds.len() as f64;
    assert!((0.01..0.12).contains(&never), "{never} of frauds are never reported");
}

#[test]
fn a_burst_is_tiny_swipes_in_minutes_then_large_ones() {
    let (swipes, _) = said(&small(9), 21);
    let mut bursts: BTreeMap<&str, Vec<&CardSwipe>> = BTreeMap::new();
    for (swipe, pattern) in &swipes {
        if pattern.as_deref() == Some("card_testing") {
            bursts.entry(&swipe.card_id).or_default().push(swipe);
        }
    }
    // A card may be robbed twice, or its burst be cut off by the end: those are left out.
    let whole: Vec<_> = bursts
        .values()
        .filter(|burst| burst.last().unwrap().ts.since_ms(burst[0].ts) < 4 * HOUR_MS && burst.len() > 5)
        .collect();
    assert!(whole.len() > 8, "{} bursts in a fortnight", whole.len());
    for burst in whole {
        let tiny = burst.iter().take_while(|swipe| swipe.amount_cents <= 400).count();
        assert!((5..=20).contains(&tiny), "{tiny} tiny swipes");
        assert!(burst[tiny - 1].ts.since_ms(burst[0].ts) < HOUR_MS / 2, "testing takes minutes");
        assert!(burst[tiny..].iter().any(|swipe| swipe.amount_cents > 4_000), "then it cashes in");
    }
}

#[test]
fn honest_people_look_suspicious_at_times() {
    let (swipes, _) = said(&small(11), 30);
    let honest = || swipes.iter().filter(|(_, pattern)| pattern.is_none()).map(|(swipe, _)| swipe);
    let count = |is: &dyn Fn(&CardSwipe) -> bool| honest().filter(|swipe| is(swipe)).count();
    let share = |is: &dyn Fn(&CardSwipe) -> bool| count(is) as f64 / honest().count() as f64;
    let abroad = share(&|swipe| swipe.lat.is_some_and(|lat| (lat - -29.9).abs() > 1.0));
    assert!((0.01..0.15).contains(&abroad), "{abroad} of honest swipes are on a holiday");
    assert!(count(&|swipe| swipe.amount_cents > 50_000) > 20, "sofas are bought");
    assert!(count(&|swipe| swipe.amount_cents == 0) > 20, "cards are checked");
    assert!(count(&|swipe| swipe.amount_cents < 0) > 20, "goods are returned");
}

#[test]
fn the_history_is_the_past_of_the_same_world() {
    let config = CardsConfig { history_days: 20, history_cards: 500, ..small(13) };
    let past: Vec<Event> = history(&config).collect();
    assert!(past.iter().all(|event| event.ts().unwrap() < config.start));
    let known: HashSet<String> = past
        .iter()
        .filter_map(
            |event| if let Event::CardSwipes(swipe) = event { Some(swipe.swipe_id.clone()) } else { None },
        )
        .collect();
    let cards: HashSet<&str> = past.iter().map(Event::key).collect();
    assert!(cards.len() > 300 && cards.len() <= 500, "{} cards in the sample", cards.len());
    // Chargebacks that arrive live speak of swipes of the history, and no
    // live swipe takes an id again.
    let (swipes, chargebacks) = said(&config, 3);
    assert!(chargebacks.iter().any(|chargeback| known.contains(&chargeback.swipe_id)));
    assert!(swipes.iter().all(|(swipe, _)| !known.contains(&swipe.swipe_id)));
}

/// The theft of the opening: no truth is published about it, and the town goes on as it would have.
#[test]
fn a_staged_theft_is_added_to_the_town_and_changes_nothing_else() {
    let usual = CardsConfig { history_days: 3, history_cards: 300, ..small(5) };
    let moment = usual.start.plus_ms(HOUR_MS);
    let until = moment.plus_ms(HOUR_MS);
    let swipes = |config: &CardsConfig| {
        let (mut swipes, mut truths) = (Vec::new(), HashSet::new());
        for emission in Cards::new(config).take_while(|emission| emission.at < until) {
            match emission.event {
                Event::CardSwipes(swipe) => swipes.push(swipe),
                Event::SimulationTruth(SimulationTruth::Swipe { id, .. }) => drop(truths.insert(id)),
                _ => {}
            }
        }
        (swipes, truths)
    };
    let (before, _) = swipes(&usual);
    let (with, truths) = swipes(&CardsConfig { staged: Some(moment), ..usual });
    let (staged, others): (Vec<_>, Vec<_>) =
        with.into_iter().partition(|swipe| !truths.contains(&swipe.swipe_id));
    let what = |swipe: &CardSwipe| (swipe.ts, swipe.card_id.clone(), swipe.amount_cents);
    assert_eq!(others.iter().map(what).collect::<Vec<_>>(), before.iter().map(what).collect::<Vec<_>>());
    let card = &staged[0].card_id;
    assert!(staged.iter().all(|swipe| swipe.card_id == *card && swipe.ts >= moment), "{staged:?}");
    let small = staged.iter().take_while(|swipe| swipe.amount_cents < 500).count();
    assert_eq!((small, staged.len()), (8, 12), "eight small ones, the large one, and three more");
    assert!(staged[8].amount_cents >= 70_000, "{:?}", staged[8]);
}
