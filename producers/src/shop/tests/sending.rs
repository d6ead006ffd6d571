//! What leaves the shop: how much, in which order, and that the same seed sends the same.

use super::*;

#[test]
fn busy_hours_have_eighteen_events_a_second() {
    let start = "2026-03-03T19:00:00.000Z".parse().unwrap();
    let config = ShopConfig { start, ..ShopConfig::default() };
    // The first hours are quieter: visits that began before the doors opened are missing.
    let hour = |sent: &Emission| sent.at.since_ms(start).div_euclid(HOUR_MS);
    let events = Shop::new(config)
        .take_while(|sent| hour(sent) < 2)
        .filter(|sent| hour(sent) == 1 && matches!(sent.event, Event::Clicks(_)))
        .count();
    let per_second = events as f64 / 3_600.0;
    assert!((15.3..=20.7).contains(&per_second), "{per_second:.1} events a second");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let bytes = |seed| {
        let mut bytes = Vec::new();
        for sent in Shop::new(ShopConfig { seed, ..ShopConfig::default() }).take(20_000) {
            bytes.extend_from_slice(sent.at.to_string().as_bytes());
            sent.event.write_json(&mut bytes);
        }
        bytes
    };
    assert!(bytes(7) == bytes(7));
    assert!(bytes(7) != bytes(8));
}

#[test]
fn what_is_sent_is_in_order_keeps_the_contract_and_is_sometimes_late_or_twice() {
    let (mut last, mut late, mut sent, mut ids) = (Timestamp::MIN, 0, 0, HashMap::new());
    let mut intents = HashSet::new();
    for Emission { at, event } in Shop::default().take(60_000) {
        assert!(at >= last, "{at} after {last}");
        last = at;
        assert_eq!(Event::parse(event.topic(), &event.to_json()).unwrap(), event);
        match event {
            Event::Clicks(click) => {
                assert!(at >= click.ts, "sent before it happened: {click:?}");
                assert!(click.kind != ClickKind::View || intents.contains(&click.event_id.clone().unwrap()));
                sent += 1;
                late += usize::from(at > click.ts);
                *ids.entry(click.event_id.unwrap()).or_insert(0) += 1;
            }
            Event::SimulationTruth(SimulationTruth::Intent { id, .. }) => {
                intents.insert(id);
            }
            other => panic!("not an event of the shop: {other:?}"),
        }
    }
    let late = late as f64 / f64::from(sent);
    assert!((0.005..0.02).contains(&late), "{late} are late");
    assert!(ids.values().any(|&times| times == 2) && ids.values().all(|&times| times <= 2));
}

/// The visit of the opening: no truth is published about it, and it walks from one similar item to
/// the next.
#[test]
fn a_staged_visit_is_one_more() {
    let start = config().start;
    let moment = start.plus_ms(HOUR_MS);
    let staged = ShopConfig { staged: Some(moment), ..config() };
    let mut items = Vec::new();
    for Emission { event, .. } in Shop::new(staged).take_while(|sent| sent.at.since_ms(start) < 2 * HOUR_MS) {
        match event {
            Event::Clicks(click) if click.session_id.starts_with("session-9") => {
                assert!(click.ts > moment && click.kind == ClickKind::View, "{click:?}");
                items.push(click.item_id.expect("a view is of an item"));
            }
            Event::SimulationTruth(SimulationTruth::Intent { session_id, .. }) => {
                assert!(!session_id.starts_with("session-9"), "no bill counts what was put there to be seen");
            }
            _ => {}
        }
    }
    assert_eq!(items.len(), 7);
    assert_eq!(items.iter().collect::<HashSet<_>>().len(), 7, "each of them once: {items:?}");
}
