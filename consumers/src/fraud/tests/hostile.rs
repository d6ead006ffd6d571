//! Hostile input: it is decided like any other, and counted.

use super::*;

#[test]
fn strange_input_is_decided_and_counted() {
    let mut detector = taught(12);
    let before = counter(&detector, "amounts of zero or less");
    let now = at(12, 0, 0);
    let mut decide = |id: &str, ts, cents| {
        detector.decide(&swipe(id, ts, "card-1", "shop-1", cents)).map(|one| one.decision)
    };
    assert_eq!(decide("zero", now, 0), Some(Decision::Approve));
    assert_eq!(decide("refund", now, -4_000), Some(Decision::Approve));
    assert!(decide("amount_out_of_range", now, i64::MAX).is_some());
    assert!(decide("amount_out_of_range the other way", now, i64::MIN).is_some());
    assert_eq!(decide("zero", now, 0), None, "an id is decided once");
    assert!(decide("ancient", Timestamp::MIN, 1_000).is_some());
    assert!(decide("far ahead", Timestamp::MAX, 1_000).is_some());
    assert!(decide("back again", now.plus_ms(1), 1_000).is_some());

    let known = swipe("zero", now, "card-1", "shop-1", 0);
    for _ in 0..2 {
        detector.observe_chargeback(&charge(&known, now));
        detector.observe_chargeback(&charge(&swipe("never seen", now, "card-7", "shop-7", 1), now));
        detector.observe_chargeback(&charge(&known, Timestamp::MAX));
    }
    let counted = |name| counter(&detector, name);
    assert_eq!(counted("amounts beyond belief"), 2);
    assert_eq!(counted("amounts of zero or less") - before, 3, "zero, a refund, and i64::MIN");
    assert_eq!(counted("duplicate swipes"), 1);
    assert_eq!(counted("swipes too late for any window"), 1);
    assert_eq!(counted("swipes from a day ahead or more"), 1);
    assert_eq!(counted("chargebacks told twice"), 2);
    assert_eq!(counted("chargebacks of unknown swipes"), 1);
    assert_eq!(detector.watermark.now(), Some(now.plus_ms(1)), "one wrong clock moves nothing");
}

#[test]
fn a_clock_that_goes_back_is_counted_and_nothing_is_decided_again() {
    let mut detector = FraudProcessor::new(FraudConfig::default());
    let mut in_order = detector.clone();
    let swipes: Vec<CardSwipe> = [(0, 100), (50, 200), (20, 300), (10, 400), (60, 500)]
        .map(|(minute, cents)| swipe(&format!("at {minute}"), at(0, 0, minute), "card", "shop", cents))
        .into();
    for swipe in &swipes {
        assert!(detector.decide(swipe).is_some(), "{} is decided when it comes", swipe.swipe_id);
        assert_eq!(detector.decide(swipe), None);
    }
    assert_eq!(counter(&detector, "swipes older than their card's newest"), 2);
    assert_eq!(counter(&detector, "swipes too late for any window"), 0);
    let mut sorted = swipes;
    sorted.sort_by_key(|swipe| swipe.ts);
    for swipe in &sorted {
        assert!(in_order.decide(swipe).is_some());
    }
    let windows = |detector: &FraudProcessor| {
        let card = detector.cards.values().next().unwrap();
        (card.windows.counts(), card.windows.sums())
    };
    assert_eq!(windows(&detector), windows(&in_order), "late ones stand where they belong");
}

#[test]
fn what_is_not_known_is_no_ground_for_anything() {
    // The same town with and without the optional fields: without them swipes are decided, too, and
    // counted.
    let mut bare = FraudProcessor::new(FraudConfig::default());
    let mut full = bare.clone();
    let events = town(20);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for event in &events {
        bare.process(event, &mut without);
        let placed = match event {
            Event::CardSwipes(swipe) => CardSwipe {
                category: Some("shop".to_owned()),
                lat: Some(-29.9),
                lon: Some(-71.25),
                ..swipe.clone()
            }
            .into(),
            other => other.clone(),
        };
        full.process(&placed, &mut with);
    }
    assert_eq!(with.len(), without.len());
    let swipes = without.len() as u64;
    for name in ["swipes without a place", "swipes without a category"] {
        assert_eq!((counter(&bare, name), counter(&full, name)), (swipes, 0), "{name}");
    }
    let declines = |answers: &[Event]| {
        let declined = |answer: &&Event| {
            matches!(answer, Event::FraudDecisions(FraudDecision { decision: Decision::Decline, .. }))
        };
        answers.iter().filter(declined).count()
    };
    let (with, without) = (declines(&with), declines(&without));
    assert!(without > 100 && with.abs_diff(without) < without / 5, "{with} declined with, {without} without");
    // Half a location is none.
    let odd = swipe("odd", at(21, 0, 0), "card-1", "shop-1", 1_000);
    assert!(full.decide(&CardSwipe { lat: Some(-29.9), ..odd }).is_some());
    assert_eq!(counter(&full, "swipes without a place"), 1);
}
