//! The detector from outside: events in, decisions out.

use events::{Batched, HOUR_MS, Timestamp};
use expect_test::expect;
use proptest::prelude::*;

use super::*;

mod batch;
mod hostile;

const START: &str = "2026-03-02T09:00:00Z";

fn at(day: i64, hour: i64, minute: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap().plus_ms(day * DAY_MS + hour * HOUR_MS + minute * 60_000)
}

fn swipe(id: &str, ts: Timestamp, card: &str, terminal: &str, amount_cents: i64) -> CardSwipe {
    CardSwipe {
        ts,
        swipe_id: id.to_owned(),
        card_id: card.to_owned(),
        terminal_id: terminal.to_owned(),
        amount_cents,
        currency: None,
        category: None,
        lat: None,
        lon: None,
    }
}

fn charge(swipe: &CardSwipe, ts: Timestamp) -> Chargeback {
    Chargeback {
        ts,
        swipe_id: swipe.swipe_id.clone(),
        card_id: swipe.card_id.clone(),
        terminal_id: swipe.terminal_id.clone(),
    }
}

/// A small town without the optional fields: 40 cards that pay 10 to 30 four times a day at 20
/// terminals, and every day four of them are robbed, one after the other: eight payments under 2.00
/// within minutes, then one of 400. Chargebacks after a week.
fn town(days: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for day in 0..days {
        for number in 0..160_i64 {
            let card = number * 7 % 40;
            let ts = at(day, 0, number * 5);
            let cents = 1_000 + (number * 37 + day * 131 + card * 53) % 2_000;
            let terminal = format!("shop-{}", (card + number % 3) % 20);
            events.push(
                swipe(&format!("{day}-{number}"), ts, &format!("card-{card}"), &terminal, cents).into(),
            );
        }
        for robbed in 0..4_i64 {
            let card = format!("card-{}", (day * 4 + robbed) % 40);
            for number in 0..9_i64 {
                let ts = at(day, 2 * robbed + 2, 7).plus_ms(number * 20_000);
                let cents = if number < 8 { 60 + (number * 31 + day * 17) % 130 } else { 40_000 };
                let shop = format!("shop-{}", (day * 4 + robbed) * 3 % 20);
                let theft = swipe(&format!("{day}-theft-{robbed}-{number}"), ts, &card, &shop, cents);
                events.push(charge(&theft, ts.plus_ms(7 * DAY_MS)).into());
                events.push(theft.into());
            }
        }
    }
    events.sort_by_key(Event::ts);
    events.retain(|event| event.ts().is_some_and(|ts| ts < at(days, 0, 0)));
    events
}

fn run(processor: &mut impl Processor, events: &[Event]) -> Vec<Event> {
    let mut answers = Vec::new();
    for event in events {
        processor.process(event, &mut answers);
    }
    processor.finish(&mut answers);
    answers
}

fn taught(days: i64) -> FraudProcessor {
    let mut detector = FraudProcessor::new(FraudConfig::default());
    run(&mut detector, &town(days));
    detector
}

fn counter(detector: &FraudProcessor, name: &str) -> u64 {
    detector.counters().into_iter().find(|counter| counter.0 == name).unwrap().1
}

/// The decisions as text.
fn decisions_of(detector: &mut FraudProcessor, swipes: &[CardSwipe]) -> String {
    let mut text = String::new();
    for swipe in swipes {
        let line = match detector.decide(swipe) {
            None => "no second decision".to_owned(),
            Some(decision) => format!(
                "{} {:.3}  {}",
                if decision.decision == Decision::Approve { "approve" } else { "DECLINE" },
                decision.probability,
                decision.reasons.join("; ")
            ),
        };
        let time = &swipe.ts.to_string()[5..19];
        text += &format!(
            "{time}  {:>9.2} at {:<9} {}\n",
            swipe.amount_cents as f64 / 100.0,
            swipe.terminal_id,
            line.trim_end()
        );
    }
    text
}

/// Nine swipes of an unknown card, as the example in Python steals one.
#[test]
fn no_reason_is_given_twice() {
    let mut detector = taught(40);
    for seconds_apart in [0, 1, 2, 30] {
        let card = format!("stolen-{seconds_apart}");
        for (number, cents) in (0..).zip([112, 105, 190, 118, 131, 99, 143, 120, 85_000]) {
            let ts = at(40, 3, 0).plus_ms(number * seconds_apart * 1_000);
            let swipe = swipe(&format!("{card}-{number}"), ts, &card, "elsewhere", cents);
            let mut reasons = detector.decide(&swipe).expect("decided once").reasons;
            let all = reasons.join("; ");
            assert!(!all.contains("1 seconds"), "{all}");
            reasons.sort();
            reasons.dedup();
            assert_eq!(reasons.len(), all.split("; ").filter(|reason| !reason.is_empty()).count(), "{all}");
        }
    }
}

#[test]
fn a_burst_is_noticed_before_it_cashes_in() {
    let mut detector = taught(40);
    let mut swipes = vec![swipe("usual", at(40, 1, 0), "card-9", "shop-9", 1_900)];
    for number in 0..8 {
        let ts = at(40, 3, 0).plus_ms(number * 20_000);
        swipes.push(swipe(&format!("tiny-{number}"), ts, "card-9", "shop-2", 70 + number * 11));
    }
    swipes.push(swipe("large", at(40, 3, 4), "card-9", "shop-3", 42_000));
    swipes.push(swipe("large", at(40, 3, 4), "card-9", "shop-3", 42_000));
    swipes.push(swipe("check", at(40, 3, 9), "card-9", "shop-9", 0));
    swipes.push(swipe("tomorrow", at(41, 4, 0), "card-9", "shop-9", 2_100));
    expect![[r#"
        04-11T10:00:00      19.00 at shop-9    approve 0.000
        04-11T12:00:00       0.70 at shop-2    DECLINE 0.996  $0.70 is a tiny amount; first time at this terminal; 8 chargebacks on this card in 7 days
        04-11T12:00:20       0.81 at shop-2    approve 0.996  let through to learn what it was; $0.81 is a tiny amount; 8 chargebacks on this card in 7 days
        04-11T12:00:40       0.92 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $0.92 is a tiny amount; 3 swipes under $1.00 in 40 seconds
        04-11T12:01:00       1.03 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $1.03 is a tiny amount; 4 swipes under $2.00 in 60 seconds
        04-11T12:01:20       1.14 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $1.14 is a tiny amount; 5 swipes under $2.00 in 80 seconds
        04-11T12:01:40       1.25 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $1.25 is a tiny amount; 6 swipes under $2.00 in 2 minutes
        04-11T12:02:00       1.36 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $1.36 is a tiny amount; 7 swipes under $2.00 in 2 minutes
        04-11T12:02:20       1.47 at shop-2    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $1.47 is a tiny amount; 8 swipes under $2.00 in 2 minutes
        04-11T12:04:00     420.00 at shop-3    DECLINE 0.996  card blocked since 12:00:20 on 2026-04-11; $420.00 is 23.7 times the card's usual $17.74; after 8 small swipes within 4 minutes
        04-11T12:04:00     420.00 at shop-3    no second decision
        04-11T12:09:00       0.00 at shop-9    DECLINE 0.995  card blocked since 12:00:20 on 2026-04-11; card check of $0.00; 10 swipes in 9 minutes
        04-12T13:00:00      21.00 at shop-9    approve 0.000
    "#]].assert_eq(&decisions_of(&mut detector, &swipes));
}

#[test]
fn new_cards_are_welcome() {
    // In this town nearly all cards are known. Two of the four new cards a day are thieves', so to
    // be new is suspicious.
    let mut events = town(40);
    for day in 0..40 {
        for number in 0..4_i64 {
            let (id, card) = (format!("{day}-stranger-{number}"), format!("passing-{day}-{number}"));
            let cents = 1_000 + (number * 37 + day * 131) % 2_000;
            let shop = format!("shop-{}", (day + number * 7) % 20);
            let swipe = swipe(&id, at(day, 3 * number, 11), &card, &shop, cents);
            if number % 2 == 0 && day < 33 {
                events.push(charge(&swipe, swipe.ts.plus_ms(7 * DAY_MS)).into());
            }
            events.push(swipe.into());
        }
    }
    events.sort_by_key(Event::ts);
    let mut detector = FraudProcessor::new(FraudConfig::default());
    run(&mut detector, &events);
    let one = swipe("one", at(40, 0, 0), "passing", "shop-1", 1_700);
    let suspicion = detector.clone().decide(&one).unwrap().probability;
    assert!(suspicion > 0.2, "one stranger more is a thief as often as before: {suspicion}");

    // Then a bank opens, and its customers shop as the others do.
    let mut declined = 0;
    for number in 0..2_000_i64 {
        let (card, shop) = (format!("new-{}", number % 1_000), format!("shop-{}", number * 13 % 20));
        let swipe =
            swipe(&number.to_string(), at(40, 0, 0).plus_ms(number * 20_000), &card, &shop, 1_000 + number);
        let decision = detector.decide(&swipe).unwrap();
        declined += u32::from(number >= 200 && decision.decision == Decision::Decline);
    }
    assert!(declined <= 90, "{declined} of 1,800 swipes of honest strangers were declined");
}

#[test]
fn nothing_is_declined_before_any_fraud_is_known() {
    let mut detector = FraudProcessor::new(FraudConfig::default());
    for number in 0..3_000_i64 {
        let cents = [150, 2_500, 90_000, 5_000_000_000][(number % 4) as usize];
        let ts = at(0, 0, 0).plus_ms(number * 7_000);
        let decision = detector
            .decide(&swipe(&number.to_string(), ts, &format!("card-{}", number % 50), "shop", cents))
            .unwrap();
        assert_eq!(decision.decision, Decision::Approve);
        assert!((1e-4..0.2).contains(&decision.probability), "{} without any ground", decision.probability);
    }
}

#[test]
fn same_events_same_bytes() {
    let bytes = |processor: &mut dyn FnMut() -> Vec<Event>| -> Vec<u8> {
        processor().iter().flat_map(Event::to_json).collect()
    };
    let events = town(14);
    let stream = || run(&mut FraudProcessor::new(FraudConfig::default()), &events);
    let batch = || run(&mut FraudBatch::new(FraudConfig::default(), HOUR_MS), &events);
    assert_eq!(bytes(&mut { stream }), bytes(&mut { stream }));
    assert_eq!(bytes(&mut { batch }), bytes(&mut { batch }));
}

#[test]
fn what_is_known_later_changes_nothing_that_was_decided() {
    let events = town(20);
    let decisions = run(&mut FraudProcessor::new(FraudConfig::default()), &events);

    // Chargebacks that come in the log long before their time are not used before it.
    let mut early = events.clone();
    early.sort_by_key(|event| matches!(event, Event::CardSwipes(_)));
    assert_eq!(run(&mut FraudProcessor::new(FraudConfig::default()), &early), decisions);

    // What comes after an instant, labels above all, changes no decision before it.
    let middle = at(12, 0, 0);
    let first: Vec<Event> = events.iter().filter(|event| event.ts().unwrap() < middle).cloned().collect();
    let of_first = run(&mut FraudProcessor::new(FraudConfig::default()), &first);
    assert_eq!(of_first[..], decisions[..of_first.len()]);

    // The labels do matter: without them the later decisions differ.
    let unlabelled: Vec<Event> =
        events.iter().filter(|event| matches!(event, Event::CardSwipes(_))).cloned().collect();
    assert_ne!(run(&mut FraudProcessor::new(FraudConfig::default()), &unlabelled), decisions);
}

#[test]
fn a_label_a_week_late_changes_nothing_decided_until_it_comes() {
    let events = town(20);
    let mut late = events.clone();
    for event in &mut late {
        if let Event::Chargebacks(chargeback) = event {
            chargeback.ts = chargeback.ts.plus_ms(7 * DAY_MS);
        }
    }
    late.sort_by_key(Event::ts);
    let first = events.iter().find(|event| matches!(event, Event::Chargebacks(_))).unwrap().ts().unwrap();
    let until_first = |events: &[Event]| -> Vec<Event> {
        let decisions = run(&mut FraudProcessor::new(FraudConfig::default()), events);
        decisions.into_iter().filter(|decision| decision.ts().unwrap() < first).collect()
    };
    assert!(until_first(&events).len() > 1_000);
    assert_eq!(until_first(&events), until_first(&late));
}

#[test]
fn a_correction_makes_late_labels_count_in_full() {
    let theft = swipe("new-theft", at(40, 3, 0), "card-3", "shop-2", 80);
    let probability = |delay_days: i64| {
        let mut events = town(40);
        for event in &mut events {
            if let Event::Chargebacks(chargeback) = event {
                chargeback.ts = chargeback.ts.plus_ms(delay_days * DAY_MS);
            }
        }
        events.sort_by_key(Event::ts);
        let mut detector = FraudProcessor::new(FraudConfig::default());
        run(&mut detector, &events);
        let late = counter(&detector, "chargebacks after the label delay");
        (detector.decide(&theft).unwrap().probability, late)
    };
    let ((in_time, none), (late, all)) = (probability(0), probability(3));
    assert!(none == 0 && all > 500, "{none} and {all} chargebacks after their swipe was learnt as genuine");
    assert!(late > 0.3 * in_time, "{in_time} with labels in time, {late} with all of them late");
}

#[test]
fn silence_after_a_decline_says_nothing_where_terminals_obey() {
    let events = town(40);
    let obeyed = |mistaken: bool| {
        let mut detector = FraudProcessor::new(FraudConfig::default());
        detector.declines_have_labels = mistaken;
        let (mut declined, mut answers) = (std::collections::HashSet::new(), Vec::new());
        for event in &events {
            if let Event::Chargebacks(chargeback) = event
                && declined.contains(&chargeback.swipe_id)
            {
                continue; // The sale did not take place: there is no chargeback.
            }
            detector.process(event, &mut answers);
            if let Some(Event::FraudDecisions(decision)) = answers.pop()
                && decision.decision == Decision::Decline
            {
                declined.insert(decision.swipe_id);
            }
        }
        assert!(declined.len() > 50, "{} declined", declined.len());
        detector
    };
    // A detector that takes the absence of a chargeback for a label unlearns fraud.
    let large = swipe("new-theft", at(40, 3, 0), "card-3", "shop-2", 40_000);
    let (right, mistaken) = (obeyed(false).decide(&large).unwrap(), obeyed(true).decide(&large).unwrap());
    assert!(
        right.probability > 2.0 * mistaken.probability,
        "{} and {}",
        right.probability,
        mistaken.probability
    );
    assert!(!obeyed(false).declines_have_labels);
    assert!(taught(40).declines_have_labels, "in a recorded log chargebacks come for what was declined, too");
}

#[test]
fn detectors_with_one_past_go_on_as_one_would() {
    let past = taught(40);
    let last = past.watermark.now().unwrap().ms();
    let shared = TrainedSnapshot::of(past.clone());
    // The first decision about any card is the one that the trained detector would have made.
    for number in 0..40 {
        let first = swipe("first", Timestamp::from_ms(last), &format!("card-{number}"), "shop-2", 90);
        assert_eq!(shared.fork().decide(&first), past.clone().decide(&first), "card {number}");
    }

    // Two detectors share the cards. The chargebacks of the history's last week find their swipe,
    // each in the detector that has its card.
    let is_old =
        |event: &Event| matches!(event, Event::CardSwipes(swipe) if swipe.ts.ms() > last - 7 * DAY_MS);
    let coming: Vec<Chargeback> = town(40)
        .iter()
        .filter(|event| {
            is_old(event) && matches!(event, Event::CardSwipes(swipe) if swipe.swipe_id.contains("theft"))
        })
        .map(|event| match event {
            Event::CardSwipes(swipe) => charge(swipe, swipe.ts.plus_ms(7 * DAY_MS)),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut two = [shared.fork(), shared.fork()];
    let frauds = two[0].model.frauds();
    for chargeback in &coming {
        let which = usize::from(chargeback.card_id.ends_with(['1', '3', '5', '7', '9']));
        let hour =
            swipe(&format!("at {}", chargeback.swipe_id), chargeback.ts, "a stranger", "shop-1", 1_000);
        assert!(two[which].decide(&hour).is_some());
        two[which].observe_chargeback(chargeback);
        two[which].observe_chargeback(chargeback);
    }
    for detector in &mut two {
        detector.decide(&swipe("much later", at(60, 0, 0), "a stranger", "shop-1", 1_000));
        detector.decide(&swipe("and again", at(60, 0, 1), "another", "shop-1", 1_000));
        assert_eq!(counter(detector, "chargebacks of unknown swipes"), 0);
        assert!(counter(detector, "chargebacks told twice") > 50);
    }
    let learnt: u64 = two.iter().map(|detector| detector.model.frauds() - frauds).sum();
    assert!(coming.len() > 200 && learnt == coming.len() as u64, "{learnt} learnt of {}", coming.len());
    let old = town(40).into_iter().rev().find(is_old);
    let Some(Event::CardSwipes(old)) = old else { panic!("the past has swipes") };
    assert_eq!(two[0].decide(&old), None, "the past's swipes have been decided");
}

#[test]
fn memory_is_what_the_module_says() {
    // One card that is used all the time, everywhere and in every category; and one that is used
    // four times a day for ten weeks.
    let mut detector = FraudProcessor::new(FraudConfig::default());
    for number in 0..6_000_i64 {
        let terminal = format!("shop-{}", number % 61);
        let restless =
            swipe(&format!("a{number}"), at(0, 0, 20 * number), "restless", &terminal, 50 + number % 7);
        detector.decide(&CardSwipe { category: Some(format!("trade-{}", number % 40)), ..restless });
        if number % 9 == 0 {
            detector.decide(&swipe(&format!("b{number}"), at(0, 0, 20 * number), "one more", "shop-1", 60));
        }
        // Chargebacks of old swipes make the terminal remember old days.
        let known = at(number % 70, 0, 0);
        detector
            .observe_chargeback(&charge(&swipe(&format!("c{number}"), known, "robbed", &terminal, 1), known));
    }
    for number in 0..280_i64 {
        detector.decide(&swipe(&format!("d{number}"), at(10, number * 6, 0), "usual", "shop-1", 1_000));
    }
    let cards: Vec<usize> = detector.cards.values().map(Card::bytes).collect();
    let largest = cards.iter().max().unwrap();
    assert!((6_144..=6_940).contains(largest), "a card takes {largest} bytes");
    let usual = cards.last().unwrap();
    assert!((1_000..=2_260).contains(usual), "with four swipes a day it takes {usual}");
    let largest = detector.terminals.values().map(Terminal::bytes).max().unwrap();
    assert!((800..=1_500).contains(&largest), "a terminal takes {largest} bytes");
    assert_eq!(waiting::BYTES + waiting::PlacesById::BYTES, 84, "a swipe that waits, on the disk");
}

#[test]
fn what_is_remembered_is_bounded_and_what_is_forgotten_is_counted() {
    let config = FraudConfig {
        max_cards: 50,
        max_terminals: 10,
        max_waiting: 100,
        max_remembered: 200,
        ..FraudConfig::default()
    };
    let mut detector = FraudProcessor::new(config);
    let nth = |number: i64| {
        let (card, terminal) = (format!("card-{number}"), format!("shop-{}", number % 40));
        swipe(&number.to_string(), at(0, 0, 0).plus_ms(number * 1_000), &card, &terminal, 1_000)
    };
    for number in 0..2_000_i64 {
        assert!(detector.decide(&nth(number)).is_some());
        assert!(detector.labels.remembered() <= 448, "{} ids", detector.labels.remembered());
    }
    for number in 1_800..2_000 {
        assert_eq!(detector.decide(&nth(number)), None, "the latest 200 are not decided again");
    }
    assert_eq!(counter(&detector, "duplicate swipes"), 200);
    assert!(counter(&detector, "cards forgotten") >= 1_950);
    assert!(counter(&detector, "terminals forgotten") >= 30);
    assert!(counter(&detector, "swipes dropped before their label") >= 1_900);
    assert!(detector.cards.values().count() <= 50 && detector.terminals.values().count() <= 10);
}

/// Any event that is valid, extreme or ordinary.
fn any_event() -> impl Strategy<Value = Event> {
    let time = prop_oneof![
        8 => (0..60 * DAY_MS).prop_map(|ms| at(0, 0, 0).plus_ms(ms)),
        1 => any::<i64>().prop_map(Timestamp::from_ms),
    ];
    let cents = prop_oneof![8 => -10_000..500_000_i64, 1 => any::<i64>(), 1 => Just(0)];
    let place = prop::option::of((-90.0..=90.0, -180.0..=180.0));
    (time, 0..60_u32, 0..6_u32, 0..4_u32, cents, place, prop::option::of("[a-c]"), 0..4_u8).prop_map(
        |(ts, id, card, terminal, cents, place, category, kind)| {
            let mut swipe = swipe(&id.to_string(), ts, &card.to_string(), &terminal.to_string(), cents);
            if kind == 0 {
                return charge(&swipe, ts).into();
            }
            swipe.category = category;
            swipe.lat = place.map(|place| place.0);
            swipe.lon = place.map(|place| place.1);
            swipe.into()
        },
    )
}

proptest! {
    #[test]
    fn exactly_one_decision_for_each_id_whatever_comes(events in prop::collection::vec(any_event(), 0..120)) {
        let config = FraudConfig { informed_after: 1, max_cards: 4, max_terminals: 3, max_waiting: 20, ..FraudConfig::default() };
        let mut seen = std::collections::HashSet::new();
        let expected: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::CardSwipes(swipe) if seen.insert(&swipe.swipe_id) => Some(swipe.swipe_id.as_str()),
                _ => None,
            })
            .collect();
        let stream = run(&mut FraudProcessor::new(config.clone()), &events);
        let batch = run(&mut FraudBatch::new(config, HOUR_MS), &events);
        let mut answered = Vec::new();
        for answer in &stream {
            let Event::FraudDecisions(decision) = answer else { panic!("{answer:?}") };
            prop_assert!(decision.probability > 0.0 && decision.probability < 1.0);
            prop_assert!(decision.reasons.len() <= 3);
            answered.push(decision.swipe_id.as_str());
        }
        prop_assert_eq!(&answered, &expected);
        let mut batched: Vec<&str> = batch
            .iter()
            .map(|answer| match answer {
                Event::FraudBatch(batched) => batched.answer.swipe_id.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        let mut expected = expected;
        batched.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(batched, expected);
    }
}
