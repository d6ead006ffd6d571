//! A whole show, from observations to the snapshot.

use std::sync::Arc;

use dashboard::GroupState;
use events::{CardSwipe, Decision, FraudDecision, Timestamp};

use super::*;

fn show() -> Show {
    Show::new(ShowConfig {
        name: "test".into(),
        bootstrap: "here".into(),
        clock: None,
        seed: None,
        period_ms: events::HOUR_MS,
        database: None,
        map: Arc::new(Map::la_serena()),
        businesses: vec![&crate::payments::PAYMENTS],
        ends: false,
    })
}

fn swipe(number: usize, amount_cents: i64) -> Event {
    let ts = Timestamp::from_ms(1_772_535_600_000 + number as i64 * 1_000);
    let (swipe_id, card_id, terminal_id) = (format!("s{number}"), "c1".to_owned(), "t1".to_owned());
    let (currency, category, lat, lon) = (None, None, None, None);
    CardSwipe { ts, swipe_id, card_id, terminal_id, amount_cents, currency, category, lat, lon }.into()
}

fn approve(number: usize) -> Event {
    FraudDecision {
        ts: Timestamp::from_ms(1_772_535_600_000),
        swipe_id: format!("s{number}"),
        card_id: "c1".to_owned(),
        decision: Decision::Approve,
        probability: 0.0,
        reasons: Vec::new(),
        scored_in_us: None,
    }
    .into()
}

/// The group has committed `committed` of `end` records.
fn poll(end: i64, committed: i64) -> ClusterPoll {
    let log = LogPoll { topic: "card_swipes".into(), partition: 0, start: 0, end, leader: Some(1) };
    let group = GroupPoll {
        id: "fraud".into(),
        state: GroupState::Stable,
        committed: vec![("card_swipes".into(), 0, committed)],
        ..GroupPoll::default()
    };
    ClusterPoll { brokers: 1, logs: vec![log], groups: vec![group] }
}

#[test]
fn lag_is_told_in_the_money_that_waits_for_a_verdict() {
    let mut show = show();
    show.poll(0, poll(0, 0));
    show.poll(1_000, poll(7, 1));
    for number in 0..14 {
        show.observe(&swipe(number, 10_000 + number as i64), 1_000);
    }
    (0..3).for_each(|number| show.observe(&approve(number), 1_010));
    show.poll(3_000, poll(14, 3));
    let snapshot = show.snapshot(3_000, |_| true);
    let waiting = snapshot.groups.data[0].waiting.clone().expect("eleven swipes have no verdict");
    // 10,003 to 10,013 cents.
    assert_eq!((waiting.cases, waiting.cents), (11, Some(11 * 10_008)));
    let said = dashboard::headless::snapshot_text(&snapshot);
    assert!(said.contains("11 swipes unscored = 1,100.88"), "{said}");

    (3..14).for_each(|number| show.observe(&approve(number), 1_020));
    show.poll(6_000, poll(14, 14));
    let snapshot = show.snapshot(6_000, |_| true);
    assert_eq!(snapshot.groups.data[0].waiting, None, "who has caught up keeps nobody waiting");
    assert!(!dashboard::headless::snapshot_text(&snapshot).contains("unscored"));
}
