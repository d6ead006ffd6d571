//! The bill over a few minutes that a student can follow by hand.

use events::Source;
use events::{
    BatchRun, Batched, Channel, Click, ClickKind, Decision, EtaUpdate, Event, FraudDecision, HOUR_MS,
    Notification, NotificationKind, Place, Recommendations, RecommendationsBatch, RecommendationsStale,
    SimulationTruth, Timestamp, Topic, Trip, TripKind,
};

use super::*;
use crate::send_time::SimulatedSendTime;

/// `h:mm:ss` on the day of the tests.
fn at(clock: &str) -> Timestamp {
    format!("2026-03-03T{clock}Z").parse().expect("the tests write clocks as 14:00:00")
}

/// Observes an event that could be seen at once.
const ALL: [&Part; 3] = [&RIDES, &PAYMENTS, &SHOP];

const TERMS: Terms = Terms {
    judged_from: Timestamp::MIN,
    costs: consumers::fraud::Costs { fixed_cents: 500.0, margin: 0.02 },
};

fn bill() -> Bill {
    Bill::new(&ALL, &TERMS)
}

fn part<T: BusinessBill>(bill: &Bill) -> &T {
    bill.parts().find_map(|(_, part)| part.of_type()).expect("the bill has this part")
}

fn rides(bill: &Bill) -> &RidesBill {
    part(bill)
}

fn payments(bill: &Bill) -> &PaymentsBill {
    part(bill)
}

fn shop(bill: &Bill) -> &ShopBill {
    part(bill)
}

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
        foresight_s: None,
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
    let mut bill = bill();
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
    assert_eq!(rides(&bill).stream, RideLane::default(), "the trip has not ended");
    bill.settle(at("15:00:10"));
    let stream =
        RideLane { quotes: 4, unanswered: 0, error_ms: 4 * 2 * 60_000, texts_due: 1, texts_wrong: 0 };
    assert_eq!(rides(&bill).stream, stream);
    let batch = RideLane { quotes: 4, unanswered: 0, error_ms: 40 * 60_000, texts_due: 1, texts_wrong: 1 };
    assert_eq!(rides(&bill).batch, batch, "its text would have come at 14:25");
    assert_eq!(rides(&bill).stream_beside_batch, stream, "on the same trip");
}

#[test]
fn an_answer_that_came_too_late_was_not_on_the_screen() {
    let mut bill = bill();
    see(&mut bill, requested("14:00:00"));
    // Answered, but the consumer was ten minutes behind.
    bill.observe(&eta("14:00:01", "14:18:00").into(), at("14:10:01"), 0);
    see(&mut bill, trip_truth(["14:00:01", "14:05:00", "14:10:00", "14:15:00"], "14:20:00"));
    bill.settle(at("23:00:00"));
    assert_eq!((rides(&bill).stream.quotes, rides(&bill).stream.unanswered), (2, 2));
    assert_eq!(
        (rides(&bill).batch.quotes, rides(&bill).batch.unanswered),
        (0, 4),
        "given up after its patience"
    );
    assert_eq!(rides(&bill).stream.texts_wrong, 1, "no text at all is a wrong text");
    assert_eq!(rides(&bill).batch.mean_error_min(), None, "unknown is not zero");
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
        probability: if decision == Decision::Decline { 0.9 } else { 0.1 },
        reasons: Vec::new(),
        scored_in_us: None,
    }
}

#[test]
fn a_declined_honest_customer_costs_what_the_detector_is_told() {
    let costs = consumers::fraud::Costs { fixed_cents: 30.0, margin: 0.1 };
    let mut bill = Bill::new(&ALL, &Terms { costs, ..TERMS });
    see(&mut bill, swipe("14:20:00", "h1", "honest", 5_000, None));
    see(&mut bill, verdict("14:20:00", "h1", "honest", Decision::Decline));
    bill.settle(at("16:00:00"));
    assert_eq!(payments(&bill).stream.decline_cost_cents, 530);
}

#[test]
fn the_stream_stops_at_the_till_and_the_batch_an_hour_later() {
    use Decision::{Approve, Decline};
    let mut bill = bill();
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

    let stream = payments(&bill).stream;
    assert_eq!((stream.swipes, stream.frauds, stream.frauds_stopped), (4, 3, 2));
    assert_eq!((stream.lost_cents, stream.honest_declined, stream.decline_cost_cents), (40_000, 1, 600));
    let batch = payments(&bill).batch;
    assert_eq!((batch.lost_cents, batch.frauds_stopped, batch.honest_declined), (30_000, 1, 0));
    assert_eq!(
        batch.cost_cents() - stream.cost_cents(),
        -10_600,
        "a bill may favour the batch lane, and says so"
    );
}

#[test]
fn a_verdict_after_the_deadline_is_no_verdict() {
    let mut bill = bill();
    bill.observe(&swipe("14:10:00", "s1", "c", 900, Some("takeover")).into(), at("14:10:00"), 5_000);
    bill.observe(&verdict("14:10:00", "s1", "c", Decision::Decline).into(), at("14:10:09"), 5_101);
    bill.observe(&swipe("14:10:01", "s2", "c", 900, Some("takeover")).into(), at("14:10:01"), 5_000);
    bill.observe(&verdict("14:10:01", "s2", "c", Decision::Decline).into(), at("14:10:09"), 5_100);
    bill.settle(at("14:20:00"));
    assert_eq!((payments(&bill).stream.stood_in, payments(&bill).stream.lost_cents), (1, 900));
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
    let mut bill = bill();
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
    assert_eq!(shop(&bill).stream, ShopLane { cases: 3, hits: 2 });
    assert_eq!(shop(&bill).batch, ShopLane { cases: 3, hits: 1 });

    // What the stale model would have shown after e1 comes with the run of 15 o'clock.
    for (after, items) in [("e1", ["teapot"]), ("e2", ["cup"]), ("e4", ["spoon"])] {
        let stale = RecommendationsStale(run(page("14:10:00", "s", Some(after), &items)));
        bill.observe(&stale.into(), at("15:00:05"), 0);
    }
    assert_eq!(
        shop(&bill).stale,
        ShopLane { cases: 2, hits: 1 },
        "the first click of a session has no page before it"
    );
    assert_eq!(shop(&bill).stream_beside_stale, ShopLane { cases: 2, hits: 1 }, "on the same two");
}

/// A job that was quick published its pages before the clicks were judged, and of a visit with many
/// clicks most were forgotten: two shows of one seed counted 1,236 cases and 1,261.
#[test]
fn a_page_of_the_stale_model_counts_whether_it_comes_before_or_after_its_case_is_judged() {
    let bill = |pages_first: bool| {
        let mut bill = bill();
        let clicks: Vec<_> =
            (0..20).map(|n| (format!("14:10:{n:02}"), format!("e{n}"), format!("item {n}"))).collect();
        for (ts, id, item) in &clicks {
            see(&mut bill, view(ts, id, "s", item));
            see(&mut bill, page(ts, "s", Some(id), &["item 7"]));
        }
        let stale = clicks.iter().map(|(ts, id, _)| {
            let answer = page(ts, "s", Some(id), &["item 8"]);
            RecommendationsStale(Batched { answer, batch_id: "b".into(), valid_from: at("14:00:00") })
        });
        if !pages_first {
            bill.settle(at("14:30:00"));
        }
        stale.for_each(|page| bill.observe(&page.into(), at("15:00:05"), 0));
        bill.settle(at("15:30:00"));
        (shop(&bill).stale, shop(&bill).stream_beside_stale)
    };
    let each = ShopLane { cases: 19, hits: 1 };
    assert_eq!(bill(false), (each, each));
    assert_eq!(bill(true), (each, each));
}

/// The records of one show by partition: `runs_take_s` is how long the batch jobs took in
/// wall-clock time, in simulated seconds.
fn show(runs_take_s: i64) -> Vec<Vec<(SeenAt, Event)>> {
    use Decision::{Approve, Decline};
    let visible = at("15:00:00").plus_ms(runs_take_s * 1_000);
    let run = |job: &str, hour: u32, visible: Timestamp| BatchRun {
        ts: visible,
        job: job.to_owned(),
        batch_id: format!("{job}-2026-03-03T{hour}"),
        window_start: at(&format!("{hour}:00:00")),
        window_end: at(&format!("{}:00:00", hour + 1)),
        records: 1,
        rows: 1,
        started_at: at("20:00:00"),
        finished_at: at("20:00:01"),
    };
    // At the end of the show the jobs run what is left.
    let runs = |job: &str| [run(job, 14, visible), run(job, 15, at("16:00:00"))];
    let jobs = ["batch-eta", "batch-fraud", "batch-recommendations"];
    let plain = |event: Event| (SeenAt::default(), event);
    let answers =
        |topic, offset, event: Event| (SeenAt { answers: Some((topic, offset)), ..SeenAt::default() }, event);
    let by = |run: &'static str, event: Event| (SeenAt { run: Some(run), ..SeenAt::default() }, event);
    let scored = |ts, id, decision| Batched {
        answer: verdict(ts, id, "stolen", decision),
        batch_id: "fraud-2026-03-03T14".into(),
        valid_from: visible,
    };
    let ping = |ts: &str| events::DriverLocation {
        ts: at(ts),
        driver_id: "d1".into(),
        trip_id: Some("t1".into()),
        lat: 0.0,
        lon: 0.0,
        speed_mps: None,
        heading_deg: None,
    };
    // Its second ping came late over the air, so the quote that answers it was not there when the
    // rider looked.
    let late = SeenAt { send_time: Some(at("15:45:00")), ..SeenAt::default() };
    let everybody = RecommendationsBatch(Batched {
        answer: page("14:50:00", "", None, &["lamp"]),
        batch_id: "recommendations".into(),
        valid_from: visible,
    });
    let quote = |eta_at| Batched {
        answer: eta("15:30:01", eta_at),
        batch_id: "eta-2026-03-03T14".into(),
        valid_from: visible,
    };
    vec![
        vec![
            plain(swipe("15:00:05", "s1", "stolen", 10_000, Some("takeover")).into()),
            plain(swipe("15:30:00", "s2", "stolen", 20_000, Some("takeover")).into()),
            plain(trip_truth(["15:30:01", "15:35:00", "15:40:00", "15:45:00"], "15:50:00").into()),
        ],
        vec![
            answers(Topic::CardSwipes, 0, verdict("15:00:05", "s1", "stolen", Approve).into()),
            answers(Topic::CardSwipes, 1, verdict("15:30:00", "s2", "stolen", Decline).into()),
        ],
        vec![by("batch-fraud-2026-03-03T14", scored("14:10:00", "s0", Decline).into())],
        vec![
            plain(view("15:00:06", "e1", "s", "lamp").into()),
            plain(view("15:11:00", "e2", "s", "teapot").into()),
        ],
        vec![answers(Topic::Clicks, 0, page("15:00:06", "s", Some("e1"), &["teapot"]).into())],
        vec![by("batch-recommendations-2026-03-03T14", everybody.into())],
        vec![plain(ping("15:30:01").into()), (late, ping("15:34:00").into())],
        vec![
            answers(Topic::DriverLocations, 0, eta("15:30:01", "15:52:00").into()),
            answers(Topic::DriverLocations, 1, eta("15:34:00", "15:50:00").into()),
        ],
        vec![by("batch-eta-2026-03-03T15", quote("16:10:00").into())],
        vec![plain(requested("15:29:00").into())],
        jobs.iter().flat_map(|job| runs(job)).map(|run| plain(run.into())).collect(),
    ]
}

/// What stands in a record's headers.
#[derive(Debug, Clone, Copy, Default)]
struct SeenAt {
    answers: Option<(Topic, i64)>,
    run: Option<&'static str>,
    send_time: Option<Timestamp>,
}

/// The bill of a show whose partitions are read in an order that `seed` decides.
fn settled(mut show: Vec<Vec<(SeenAt, Event)>>, seed: u64) -> Bill {
    let mut settled = EventTimeBill::new(&ALL, at("15:00:00"));
    for log in &mut show {
        log.reverse();
    }
    let mut read = vec![0_i64; show.len()];
    let mut dice = seed;
    while show.iter().any(|log| !log.is_empty()) {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let from = (dice >> 33) as usize % show.len();
        let Some((headers, event)) = show[from].pop() else { continue };
        let source = headers.answers.map(|(topic, offset)| Source { topic, partition: 0, offset });
        let place = (event.topic(), 0, read[from]);
        read[from] += 1;
        let send_time = headers.send_time.map(|at| SimulatedSendTime { at, number: 0 });
        settled.take(&BillRecord { place, event: &event, source, run: headers.run, send_time });
    }
    settled.finish(at("15:55:00"));
    settled.into_bill()
}

#[test]
fn neither_the_wall_clock_nor_the_order_of_reading_changes_an_event_time_bill() {
    let first = settled(show(1), 0);
    let money = (payments(&first).stream, payments(&first).batch);
    assert_eq!((money.0.swipes, money.0.lost_cents, money.1.lost_cents), (2, 10_000, 0), "{money:?}");
    assert_eq!(shop(&first).stream, ShopLane { cases: 2, hits: 1 });
    assert_eq!(
        shop(&first).batch,
        ShopLane { cases: 2, hits: 1 },
        "the page of 15 o'clock was there at once"
    );
    let of_rides = (rides(&first).stream_beside_batch, rides(&first).batch);
    assert_eq!((of_rides.0.quotes, of_rides.1.quotes), (4, 4), "{of_rides:?}");
    assert_eq!(
        of_rides.0.error_ms,
        2 * 3 * 60_000,
        "the late ping's quote was seen at the last look: {of_rides:?}"
    );
    for seed in 0..200 {
        let other = settled(show(seed as i64), seed);
        assert_eq!(other.lines(), first.lines(), "runs of {seed} s, read in another order");
        assert_eq!((payments(&other).stream, payments(&other).batch), money);
        assert_eq!((rides(&other).stream_beside_batch, rides(&other).batch), of_rides);
    }
}

/// The demo's screen held 50 MB more with every simulated hour: the speeds of roads waited for
/// traversals that it does not read.
#[test]
fn nothing_waits_for_a_question_that_is_never_read() {
    let mut settled = EventTimeBill::new(&ALL, at("15:00:00"));
    let speed = Event::Traffic(events::Traffic {
        ts: at("15:00:00"),
        link_id: "1".into(),
        speed_mps: 9.0,
        free_flow_mps: 13.0,
        samples: 3.0,
    });
    let source = Some(Source { topic: Topic::RoadTraversals, partition: 0, offset: 7 });
    let place = (Topic::Traffic, 0, 0);
    settled.take(&BillRecord { place, event: &speed, source, run: None, send_time: None });
    assert_eq!(settled.waiting(), 0);
    let decision = verdict("15:00:00", "s1", "c1", Decision::Approve).into();
    let source = Some(Source { topic: Topic::CardSwipes, partition: 0, offset: 7 });
    let place = (Topic::FraudDecisions, 0, 0);
    settled.take(&BillRecord { place, event: &decision, source, run: None, send_time: None });
    assert_eq!(settled.waiting(), 1, "its swipe may still come");
}

#[test]
fn what_has_been_read_is_known_though_it_could_not_be_understood() {
    let mut settled = EventTimeBill::new(&ALL, at("15:00:00"));
    let has_read = |settled: &EventTimeBill, end| settled.has_read(Topic::Clicks, 3, end);
    assert!(has_read(&settled, 0) && !has_read(&settled, 1), "there is one, and it has not been read");
    let click = view("15:00:00", "e1", "s", "cup").into();
    settled.take(&BillRecord {
        place: (Topic::Clicks, 3, 0),
        event: &click,
        source: None,
        run: None,
        send_time: None,
    });
    assert!(has_read(&settled, 1) && !has_read(&settled, 2));
    settled.mark_read((Topic::Clicks, 3, 1));
    assert!(has_read(&settled, 2));
    assert!(settled.has_read(Topic::RoadTraversals, 0, 99), "on no bill, so they are not read");
}

#[test]
fn a_show_is_billed_from_the_end_of_its_first_period() {
    let start = at("10:45:00");
    assert_eq!(judged_from(start, HOUR_MS), at("11:00:00"));
    assert_eq!(judged_from(start, 10_000), at("10:45:10"));
    assert_eq!(judged_from(start, 24 * HOUR_MS), at("11:00:00"), "a bill does not wait for midnight");
}
