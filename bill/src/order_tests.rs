//! The same cases are counted at whatever pace and in whatever order the records are read.

use events::{
    Batched, Channel, Click, ClickKind, Decision, EtaUpdate, Event, FraudDecision, Notification,
    NotificationKind, Place, Recommendations, RecommendationsBatch, RecommendationsStale, SimulationTruth,
    Timestamp, Trip, TripKind,
};

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_ms(minute * 60_000)
}

/// What stands in a partition, and from which minute on each record is there.
type Log = Vec<(i64, Event)>;

const END: i64 = 1_000;

/// The bill of someone who judges every `pace` minutes, when all up to that minute has been read.
/// Of each log some of what comes later has been read as well: `seed` decides how much.
fn read<T: BusinessBill>(mut bill: T, logs: &[Log], pace: i64, seed: u64) -> T {
    let (mut dice, mut read) = (seed, vec![0; logs.len()]);
    for until in (pace..END).step_by(pace as usize).chain([END]) {
        for (log, read) in logs.iter().zip(&mut read) {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let ahead = [0, 0, 60, 400][(dice >> 62) as usize];
            while let Some((minute, event)) = log.get(*read).filter(|(minute, _)| *minute <= until + ahead) {
                bill.observe(event, at(*minute), 0);
                *read += 1;
            }
        }
        bill.settle(at(until));
    }
    bill
}

/// That all who read it count the same, which is returned.
fn counted_alike<T: BusinessBill>(bill: impl Fn() -> T, logs: &[Log]) -> T {
    let first = read(bill(), logs, END, 0);
    for (pace, seed) in [1, 7, 60, 90, 333].into_iter().flat_map(|pace| (0..20).map(move |seed| (pace, seed)))
    {
        let other = read(bill(), logs, pace, seed);
        assert_eq!(other.summary(), first.summary(), "judged every {pace} minutes, seed {seed}");
        assert_eq!(other.lines(), first.lines(), "judged every {pace} minutes, seed {seed}");
    }
    first
}

/// The views of a visitor, and what the stream and an hourly job say to them: each page has
/// everything that there is.
fn visitor(session: &str, views: &[(i64, &str)]) -> [Log; 4] {
    let click = |&(minute, item): &(i64, &str)| Click {
        ts: at(minute),
        event_id: Some(format!("{session} {minute}")),
        session_id: session.into(),
        shopper_id: None,
        kind: ClickKind::View,
        item_id: Some(item.into()),
        dwell_ms: None,
        depth: None,
    };
    let page = |&(minute, _): &(i64, &str)| Recommendations {
        ts: at(minute),
        session_id: session.into(),
        after: Some(format!("{session} {minute}")),
        items: ["lamp", "cup", "pot"].map(str::to_owned).into(),
    };
    let run = |minute: i64| (minute / 60 + 1) * 60;
    let batched = |view: &(i64, &str)| Batched::as_of(page(view), at(run(view.0)));
    let last_of_its_hour = |(place, view): &(usize, &(i64, &str))| {
        views.get(place + 1).is_none_or(|next| run(next.0) != run(view.0))
    };
    let of_the_hour = views.iter().enumerate().filter(last_of_its_hour).map(|(_, view)| view);
    [
        views.iter().map(|view| (view.0, click(view).into())).collect(),
        views.iter().map(|view| (view.0, page(view).into())).collect(),
        of_the_hour.map(|view| (run(view.0), RecommendationsBatch(batched(view)).into())).collect(),
        views.iter().map(|view| (run(view.0), RecommendationsStale(batched(view)).into())).collect(),
    ]
}

/// Three shows of one seed counted 121,294, 121,296 and 121,298 clicks: whether an item was new to
/// a visitor who came back depended on when the bill had looked for visits that are over.
#[test]
fn an_item_is_new_again_after_ninety_minutes_whenever_the_bill_looks_for_visits_that_are_over() {
    // Silent for 80, 95, 180, 90 and 89 minutes.
    let views = [0, 80, 175, 355, 445, 534].map(|minute| (minute, "lamp"));
    let shop = counted_alike(|| ShopBill::new(&Terms::from(Timestamp::MIN)), &visitor("visit", &views));
    assert_eq!(shop.stream, ShopLane { cases: 4, hits: 0 }, "a visit begins without a page of its own");
    assert_eq!((shop.batch, shop.stale), (ShopLane { cases: 4, hits: 0 }, ShopLane::default()));
}

/// A page that was read before its visitor's first click was thrown away.
#[test]
fn a_page_counts_though_it_is_read_before_its_visit() {
    let views = [(470, "lamp"), (490, "cup"), (550, "pot")];
    let shop = counted_alike(|| ShopBill::new(&Terms::from(Timestamp::MIN)), &visitor("visit", &views));
    assert_eq!(shop.stream, ShopLane { cases: 3, hits: 2 });
    assert_eq!(shop.batch, ShopLane { cases: 3, hits: 2 });
    assert_eq!((shop.stale, shop.stream_beside_stale), (ShopLane { cases: 2, hits: 2 }, shop.stale));
}

/// A first click that came late over the air, after the run that knows it.
#[test]
fn a_visit_that_begins_late_keeps_the_page_of_the_run_meanwhile() {
    let mut logs = visitor("visit", &[(479, "lamp"), (490, "cup")]);
    for log in &mut logs[..2] {
        log[0].0 = 481;
    }
    let shop = counted_alike(|| ShopBill::new(&Terms::from(Timestamp::MIN)), &logs);
    assert_eq!((shop.stream.hits, shop.batch), (1, ShopLane { cases: 2, hits: 2 }));
}

/// The first click of a visit came behind its second, which a run between the two does not know.
#[test]
fn a_visit_whose_first_click_comes_second_keeps_the_page_that_answers_it() {
    let mut logs = visitor("visit", &[(479, "lamp"), (480, "cup"), (490, "pot")]);
    for log in &mut logs[..2] {
        log[0].0 = 481;
        log.swap(0, 1);
    }
    let shop = counted_alike(|| ShopBill::new(&Terms::from(Timestamp::MIN)), &logs);
    assert_eq!(shop.batch, ShopLane { cases: 3, hits: 2 });
}

/// A swipe waited behind a later one of another partition that was read first, and meanwhile its
/// decision was thrown away.
#[test]
fn a_swipe_has_its_decision_however_far_ahead_another_partition_is_read() {
    let mut logs = [Log::new(), Log::new(), Log::new()];
    for minute in 0..END {
        let id = minute.to_string();
        let swipe = SimulationTruth::Swipe {
            ts: at(minute),
            id: id.clone(),
            card_id: format!("card {}", minute % 2),
            amount_cents: 100,
            pattern: None,
        };
        logs[minute as usize % 2].push((minute, swipe.into()));
        let decision = FraudDecision {
            ts: at(minute),
            swipe_id: id,
            card_id: format!("card {}", minute % 2),
            decision: Decision::Decline,
            probability: 0.9,
            reasons: Vec::new(),
            scored_in_us: None,
        };
        logs[2].push((minute, decision.into()));
    }
    let payments = counted_alike(|| PaymentsBill::new(&Terms::from(Timestamp::MIN)), &logs);
    assert_eq!((payments.stream.swipes, payments.stream.stood_in), (1_000, 0));
}

/// Of a hundred thousand riders, those who had no quote yet were forgotten, and their texts with
/// them.
#[test]
fn a_rider_is_known_from_the_request_on_however_many_there_are() {
    let requested = |n: usize| Trip {
        ts: at(0),
        trip_id: format!("trip {n}"),
        driver_id: format!("driver {n}"),
        rider_id: Some(format!("rider {n}")),
        kind: TripKind::Requested,
        origin: Place { lat: 0.0, lon: 0.0 },
        destination: Place { lat: 0.0, lon: 0.0 },
    };
    let quote = EtaUpdate {
        ts: at(5),
        trip_id: "trip 7".into(),
        driver_id: "driver 7".into(),
        eta: at(20),
        p10: at(20),
        p90: at(20),
        remaining_m: 100.0,
    };
    let text = Notification {
        ts: at(15),
        recipient: "rider 7".into(),
        channel: Channel::Sms,
        kind: NotificationKind::FiveMinutesAway,
        text: "5 minutes away".into(),
    };
    let truth = SimulationTruth::Trip {
        ts: at(20),
        id: "trip 7".into(),
        driver_id: "driver 7".into(),
        quarters: [5, 10, 12, 15].map(at),
        metres: 4_000.0,
        oracle_s: None,
        foresight_s: None,
        incident: false,
    };
    let requests = (0..=100_000).map(|n| (0, requested(n).into()));
    let ride: [(i64, Event); 3] = [(5, quote.into()), (15, text.into()), (20, truth.into())];
    let log = [requests.chain(ride).collect()];
    let [once, often] =
        [END, 3].map(|pace| read(RidesBill::new(&Terms::from(Timestamp::MIN)), &log, pace, 0).stream);
    assert_eq!((once.quotes, once.texts_due, once.texts_wrong), (4, 1, 0));
    assert_eq!(often, once);
}
