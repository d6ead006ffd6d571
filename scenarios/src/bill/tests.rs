//! The bill over a few minutes that a student can follow by hand.

use events::{
    Batched, Channel, Click, ClickKind, Decision, EtaUpdate, Event, FraudDecision, Notification,
    NotificationKind, Place, Recommendations, RecommendationsBatch, RecommendationsStale, SimulationTruth,
    Timestamp, Trip, TripKind,
};

use super::*;

/// `h:mm:ss` on the day of the tests.
fn at(clock: &str) -> Timestamp {
    format!("2026-03-03T{clock}Z").parse().expect("the tests write clocks as 14:00:00")
}

/// Observes an event that could be seen at once.
fn see(bill: &mut Bill, event: impl Into<Event>) {
    let event = event.into();
    let ts = event.ts().expect("these events have a time");
    bill.observe(&event, ts, ts.ms());
}

fn eta(ts: &str, eta: &str) -> EtaUpdate {
    let eta = at(eta);
    EtaUpdate {
        ts: at(ts),
        trip_id: "t1".into(),
        driver_id: "d1".into(),
        eta,
        p10: eta,
        p90: eta,
        remaining_m: 100.0,
    }
}

fn requested(ts: &str) -> Trip {
    let place = Place { lat: 0.0, lon: 0.0 };
    Trip {
        ts: at(ts),
        trip_id: "t1".into(),
        driver_id: "d1".into(),
        rider_id: Some("r1".into()),
        kind: TripKind::Requested,
        origin: place,
        destination: place,
    }
}

fn trip_truth(quarters: [&str; 4], dropped_off: &str) -> SimulationTruth {
    SimulationTruth::Trip {
        ts: at(dropped_off),
        id: "t1".into(),
        driver_id: "d1".into(),
        quarters: quarters.map(at),
        metres: 4_000.0,
        oracle_s: None,
        incident: false,
    }
}

fn text(ts: &str) -> Notification {
    Notification {
        ts: at(ts),
        recipient: "r1".into(),
        channel: Channel::Sms,
        kind: NotificationKind::FiveMinutesAway,
        text: "5 minutes away".into(),
    }
}

#[test]
fn a_quote_is_what_was_on_the_screen() {
    let mut bill = Bill::new(100);
    see(&mut bill, requested("14:00:00"));
    see(&mut bill, eta("14:00:01", "14:18:00"));
    see(&mut bill, eta("14:05:00", "14:22:00"));
    see(&mut bill, text("14:15:30"));
    see(&mut bill, trip_truth(["14:00:01", "14:05:00", "14:10:00", "14:15:00"], "14:20:00"));
    // The batch lane quoted 14:30 with the speeds of 13 to 14 o'clock, and says so an hour later.
    let batch =
        Batched { answer: eta("14:00:01", "14:30:00"), batch_id: "b".into(), valid_from: at("14:00:00") };
    bill.observe(&batch.into(), at("15:00:10"), 0);

    bill.settle(at("14:10:00"));
    assert_eq!(bill.rides.stream, RideLane::default(), "the trip has not ended");
    bill.settle(at("15:00:10"));
    let stream =
        RideLane { quotes: 4, unanswered: 0, error_min: 2.0 + 2.0 + 2.0 + 2.0, texts_due: 1, texts_wrong: 0 };
    assert_eq!(bill.rides.stream, stream);
    let batch = RideLane { quotes: 4, unanswered: 0, error_min: 40.0, texts_due: 1, texts_wrong: 1 };
    assert_eq!(bill.rides.batch, batch, "its text would have come at 14:25");
    assert_eq!(bill.rides.stream_beside_batch, stream, "on the same trip");
}

#[test]
fn an_answer_that_came_too_late_was_not_on_the_screen() {
    let mut bill = Bill::new(100);
    see(&mut bill, requested("14:00:00"));
    // Answered, but the consumer was ten minutes behind.
    bill.observe(&eta("14:00:01", "14:18:00").into(), at("14:10:01"), 0);
    see(&mut bill, trip_truth(["14:00:01", "14:05:00", "14:10:00", "14:15:00"], "14:20:00"));
    bill.settle(at("23:00:00"));
    assert_eq!((bill.rides.stream.quotes, bill.rides.stream.unanswered), (2, 2));
    assert_eq!((bill.rides.batch.quotes, bill.rides.batch.unanswered), (0, 4), "given up after its patience");
    assert_eq!(bill.rides.stream.texts_wrong, 1, "no text at all is a wrong text");
    assert_eq!(bill.rides.batch.mean_error_min(), None, "unknown is not zero");
}

fn swipe(ts: &str, id: &str, card: &str, amount_cents: i64, pattern: Option<&str>) -> SimulationTruth {
    SimulationTruth::Swipe {
        ts: at(ts),
        id: id.into(),
        card_id: card.into(),
        amount_cents,
        pattern: pattern.map(str::to_owned),
    }
}

fn verdict(ts: &str, id: &str, card: &str, decision: Decision) -> FraudDecision {
    FraudDecision {
        ts: at(ts),
        swipe_id: id.into(),
        card_id: card.into(),
        decision,
        probability: 0.5,
        reasons: Vec::new(),
        scored_in_us: None,
    }
}

#[test]
fn a_declined_honest_customer_costs_what_the_detector_is_told() {
    let mut bill = Bill::new(100);
    bill.payments.costs = consumers::fraud::Costs { fixed_cents: 30.0, margin: 0.1 };
    see(&mut bill, swipe("14:20:00", "h1", "honest", 5_000, None));
    see(&mut bill, verdict("14:20:00", "h1", "honest", Decision::Decline));
    bill.settle(at("16:00:00"));
    assert_eq!(bill.payments.stream.decline_cost_cents, 530);
}

#[test]
fn the_stream_stops_at_the_till_and_the_batch_an_hour_later() {
    use Decision::{Approve, Decline};
    let mut bill = Bill::new(100);
    for (ts, id, amount, decision) in [
        ("14:10:00", "s1", 10_000, Decline),
        ("14:11:00", "s2", 20_000, Decline),
        ("15:30:00", "s3", 40_000, Approve),
    ] {
        see(&mut bill, swipe(ts, id, "stolen", amount, Some("takeover")));
        see(&mut bill, verdict(ts, id, "stolen", decision));
    }
    see(&mut bill, swipe("14:20:00", "h1", "honest", 5_000, None));
    see(&mut bill, verdict("14:20:00", "h1", "honest", Decline));
    // The run of 15 o'clock finds the stolen card, and no other.
    let run = |id, card, decision| Batched {
        answer: verdict("14:10:00", id, card, decision),
        batch_id: "b".into(),
        valid_from: at("15:00:10"),
    };
    bill.observe(&run("s1", "stolen", Decline).into(), at("15:00:10"), 0);
    bill.observe(&run("h1", "honest", Approve).into(), at("15:00:10"), 0);
    bill.settle(at("16:00:00"));

    let stream = bill.payments.stream;
    assert_eq!((stream.swipes, stream.frauds, stream.frauds_stopped), (4, 3, 2));
    assert_eq!((stream.lost_cents, stream.honest_declined, stream.decline_cost_cents), (40_000, 1, 600));
    let batch = bill.payments.batch;
    assert_eq!((batch.lost_cents, batch.frauds_stopped, batch.honest_declined), (30_000, 1, 0));
    assert_eq!(
        batch.cost_cents() - stream.cost_cents(),
        -10_600,
        "a bill may favour the batch lane, and says so"
    );
}

#[test]
fn a_verdict_after_the_deadline_is_no_verdict() {
    let mut bill = Bill::new(100);
    bill.observe(&swipe("14:10:00", "s1", "c", 900, Some("takeover")).into(), at("14:10:00"), 5_000);
    bill.observe(&verdict("14:10:00", "s1", "c", Decision::Decline).into(), at("14:10:09"), 5_101);
    bill.observe(&swipe("14:10:01", "s2", "c", 900, Some("takeover")).into(), at("14:10:01"), 5_000);
    bill.observe(&verdict("14:10:01", "s2", "c", Decision::Decline).into(), at("14:10:09"), 5_100);
    bill.settle(at("14:20:00"));
    assert_eq!((bill.payments.stream.stood_in, bill.payments.stream.lost_cents), (1, 900));
}

fn view(ts: &str, id: &str, session: &str, item: &str) -> Click {
    Click {
        ts: at(ts),
        event_id: Some(id.into()),
        session_id: session.into(),
        shopper_id: None,
        kind: ClickKind::View,
        item_id: Some(item.into()),
        dwell_ms: None,
        depth: None,
    }
}

fn page(ts: &str, session: &str, after: Option<&str>, items: &[&str]) -> Recommendations {
    Recommendations {
        ts: at(ts),
        session_id: session.into(),
        after: after.map(str::to_owned),
        items: items.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_click_hits_when_the_item_was_on_the_page_in_front_of_this_shopper() {
    let mut bill = Bill::new(100);
    see(&mut bill, page("13:59:00", "", None, &["kettle"]));
    let run = |answer| Batched { answer, batch_id: "b".into(), valid_from: at("14:00:05") };
    let everybody = RecommendationsBatch(run(page("13:50:00", "", None, &["lamp"])));
    bill.observe(&everybody.into(), at("14:00:05"), 0);

    see(&mut bill, view("14:10:00", "e1", "s", "kettle")); // on the stream's page for everybody
    see(&mut bill, page("14:10:01", "s", Some("e1"), &["teapot"]));
    see(&mut bill, view("14:11:00", "e2", "s", "teapot")); // on the stream's page for this session
    see(&mut bill, page("14:11:01", "s", Some("e2"), &["cup"]));
    see(&mut bill, view("14:11:30", "e3", "s", "kettle")); // met before: no case
    see(&mut bill, view("14:12:00", "e4", "s", "lamp")); // only the batch lane's page had it
    see(&mut bill, view("14:12:00", "b1", "bot", "lamp"));
    see(
        &mut bill,
        SimulationTruth::Intent {
            ts: at("14:12:00"),
            id: "b1".into(),
            session_id: "bot".into(),
            item_id: "lamp".into(),
            trending: false,
            bot: true,
        },
    );
    bill.settle(at("14:30:00"));
    assert_eq!(bill.shop.stream, ShopLane { cases: 3, hits: 2 });
    assert_eq!(bill.shop.batch, ShopLane { cases: 3, hits: 1 });

    // What the stale model would have shown after e1 comes with the run of 15 o'clock.
    for (after, items) in [("e1", ["teapot"]), ("e2", ["cup"]), ("e4", ["spoon"])] {
        let stale = RecommendationsStale(run(page("14:10:00", "s", Some(after), &items)));
        bill.observe(&stale.into(), at("15:00:05"), 0);
    }
    assert_eq!(
        bill.shop.stale,
        ShopLane { cases: 2, hits: 1 },
        "the first click of a session has no page before it"
    );
    assert_eq!(bill.shop.stream_beside_stale, ShopLane { cases: 2, hits: 1 }, "on the same two");
}
