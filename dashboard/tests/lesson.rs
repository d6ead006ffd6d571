//! The second line: a slot for each headline of the bill, which never moves and never vanishes.

use std::sync::Arc;

use dashboard::{BillItem, Freshness, LaneVerdict, Msg, PastBill, Snapshot, Theme, update};
use dashboard_testing::{Sample, draw, state, text};

fn line(snapshot: &Snapshot, width: u16) -> String {
    let mut state = state(Sample::Normal, (width, 24));
    update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
    text(&state, (width, 24)).lines().nth(1).expect("a second line").trim_end().to_owned()
}

/// Which slots a line has, in its order.
fn slots(line: &str) -> Vec<&'static str> {
    let (_, cost) = line.split_once("cost ").unwrap_or_else(|| panic!("what the delay has cost: {line}"));
    let words = ["$", "min", "clicks", "texts", "bp"];
    let mut found: Vec<_> = words.into_iter().filter_map(|word| Some((cost.find(word)?, word))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, word)| word).collect()
}

fn too_few() -> LaneVerdict {
    LaneVerdict::TooFew { evidence: 3, of: "frauds".into(), needed: None }
}

/// What a show goes through: no run yet, a first case, a run that takes its time, a dead consumer,
/// large sums, a difference within the margin, one in favour of the batch.
fn course_of_a_show() -> Vec<Snapshot> {
    let of = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = Sample::Normal.snapshot();
        change(&mut snapshot);
        snapshot
    };
    let each = |change: fn(&mut BillItem)| {
        move |snapshot: &mut Snapshot| {
            snapshot.lanes.data.bill.items.iter_mut().for_each(change);
        }
    };
    vec![
        of(&|_| {}),
        of(&|snapshot| {
            each(|item| (item.stream, item.batch, item.cases) = (None, None, None))(snapshot);
            (snapshot.lanes.data.batch_age_ms, snapshot.lanes.data.runs) = (None, Vec::new());
        }),
        of(&|snapshot| {
            let money = &mut snapshot.lanes.data.bill.items[2];
            (money.stream, money.batch) = (Some(0.0), Some(49.0));
            (money.interval_95, money.verdict) = (None, Some(too_few()));
            snapshot.lanes.data.bill.items[1].batch = None;
        }),
        of(&|snapshot| {
            (snapshot.lanes.data.running, snapshot.lanes.data.batch_age_ms) = (true, Some(3_960_000.0));
        }),
        of(&|snapshot| {
            let business = "recommendations".to_owned();
            snapshot.lanes.data.freshness.push(Freshness {
                business,
                delay_ms: Some(754_000.0),
                delay_is_minimum: true,
                ..Freshness::default()
            });
        }),
        of(&each(|item| item.batch = item.batch.map(|cost| cost * 7.0))),
        of(&each(|item| item.verdict = Some(LaneVerdict::AsGood { margin: 1.0 }))),
        of(&each(|item| {
            std::mem::swap(&mut item.stream, &mut item.batch);
            item.verdict = Some(LaneVerdict::BatchWins);
        })),
    ]
}

#[test]
fn no_slot_of_the_second_line_moves_or_vanishes() {
    let course = course_of_a_show();
    let mut most = 0;
    for width in 60..=220 {
        let here: Vec<String> = course.iter().map(|snapshot| line(snapshot, width)).collect();
        let these = slots(&here[0]);
        assert_eq!(these, ["$", "min", "clicks", "texts"][..these.len()], "{width}: {}", here[0]);
        for line in &here {
            assert_eq!(slots(line), these, "{width}: {line}");
            assert!(line.starts_with(" stream "), "{width}: {line}");
            assert!(line.contains("  batch "), "{width}: {line}");
        }
        assert!(these.len() >= most, "a wider screen has no fewer: {width}");
        most = most.max(these.len());
        assert!(width < 80 || most == 4, "all of them from 80 columns on: {width}: {}", here[0]);
    }
}

#[test]
fn the_markets_have_slots_of_their_own() {
    let mut snapshot = Sample::Normal.snapshot();
    let items = &mut snapshot.lanes.data.bill.items;
    items.swap_remove(0);
    items.truncate(2);
    let headline = items[0].headline.as_mut().expect("a headline");
    (headline.rank, headline.words, headline.short) = (1, "bp of price movement".into(), "bp".into());
    items[0].unit = dashboard::Unit::Count;
    let money = items[1].headline.as_mut().expect("a headline");
    (money.rank, money.words, money.short) = (0, String::new(), String::new());
    items[1].unit = dashboard::Unit::Cents;
    for width in [60, 80, 120, 200] {
        assert_eq!(slots(&line(&snapshot, width)), ["$", "bp"], "{}", line(&snapshot, width));
    }
}

#[test]
fn a_slot_that_is_not_known_yet_says_what_it_waits_for() {
    let course = course_of_a_show();
    let before = &course[1];
    assert!(line(before, 120).ends_with("cost of delay: $ after 1 run · – min · – clicks · – texts"));
    assert!(line(before, 80).ends_with("batch no run yet    cost $ –  – min  – clicks  – texts"));
    assert!(
        line(&course[2], 120)
            .ends_with("cost of delay: $0.49? · 1,498 min · 812 clicks · – texts  – after a later run")
    );
}

#[test]
fn what_is_too_few_to_tell_is_dim_and_marked() {
    let look = |snapshot: &Snapshot, figure: &str| {
        let mut state = state(Sample::Normal, (120, 40));
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        let buf = draw(&state, (120, 40), &Theme::default());
        let row: Vec<&str> = (0..120).map(|x| buf[(x, 1)].symbol()).collect();
        let at = row.concat().find(figure).unwrap_or_else(|| panic!("{figure} in {}", row.concat()));
        let x = row.concat()[..at].chars().count() as u16;
        (buf[(x, 1)].fg, buf[(x, 1)].modifier)
    };
    let mut snapshot = Sample::Normal.snapshot();
    let dim = look(&snapshot, "cost");
    assert_ne!(look(&snapshot, "$1,205 "), dim);
    // With an interval and without one.
    for interval_95 in [Some((-2_300.0, 250_000.0)), None] {
        let money = &mut snapshot.lanes.data.bill.items[2];
        (money.interval_95, money.verdict) = (interval_95, Some(too_few()));
        assert_eq!(look(&snapshot, "$1,205? "), dim);
    }
    snapshot.lanes.data.bill.items[2].verdict = Some(LaneVerdict::AsGood { margin: 200_000.0 });
    assert_eq!(look(&snapshot, "≈$0 "), dim, "within the margin no sum is named");
}

/// The bill of the hours before the show has its slots and its doubts on a narrow screen too.
#[test]
fn the_hour_before_has_all_slots_and_says_its_doubt_at_every_width() {
    let mut snapshot = Sample::Normal.snapshot();
    let lanes = &mut snapshot.lanes.data;
    let until_ms = snapshot.title.clock_ms.expect("a clock");
    let mut bill = lanes.bill.clone();
    for (item, batch) in bill.items.iter_mut().zip([363.0, 131.0, 440_600.0, 4_512.0]) {
        (item.stream, item.batch, item.verdict) = (Some(0.0), Some(batch), Some(too_few()));
    }
    lanes.past = Some(PastBill { from_ms: until_ms - 3_600_000, until_ms, bill });
    (lanes.batch_age_ms, lanes.runs) = (None, Vec::new());
    lanes.bill.items.iter_mut().for_each(|item| item.batch = None);
    for width in 80..=220 {
        let line = line(&snapshot, width);
        assert_eq!(line.matches('?').count(), 4, "{width}: {line}");
        assert!(line.ends_with("texts") && line.contains(" stream 18 ms"), "{width}: {line}");
    }
    assert!(line(&snapshot, 80).ends_with("before $4.4k?  363? min  4.5k? clicks  131? texts"));
    // Before the show's clock starts as well: the words about the start are shorter then.
    snapshot.title.clock_ms = None;
    for width in 80..=220 {
        let line = line(&snapshot, width);
        assert_eq!(line.matches('?').count(), 4, "{width}: {line}");
        assert!(line.starts_with(" starting") && line.ends_with("texts"), "{width}: {line}");
    }
}

/// Until the show has a bill of its own, the bill of the hour before it stands in its place, and
/// says so; never both, and never their sum.
#[test]
fn before_the_show_has_a_bill_the_hour_before_has_one() {
    let mut snapshot = Sample::Normal.snapshot();
    let live = snapshot.lanes.data.bill.clone();
    let hour = 3_600_000;
    let until_ms = snapshot.title.clock_ms.expect("a clock");
    let mut bill = live.clone();
    bill.items[2].batch = Some(5_000_000.0);
    snapshot.lanes.data.past = Some(PastBill { from_ms: until_ms - hour, until_ms, bill });
    for item in &mut snapshot.lanes.data.bill.items {
        (item.stream, item.batch, item.cases, item.verdict) = (None, None, None, None);
    }
    let shown = |snapshot: &Snapshot, size| {
        let mut state = state(Sample::Normal, size);
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        text(&state, size)
    };
    for size in [(80, 24), (120, 40), (200, 60)] {
        let screen = shown(&snapshot, size);
        let line = screen.lines().nth(1).expect("a second line");
        let head = match size.0 {
            80 => "before $50k",
            120 => "cost 13:32–14:32: $49,896",
            _ => "cost of batch delay, 13:32–14:32: $49,896.00",
        };
        assert!(line.contains(head) && line.trim_end().ends_with("texts"), "{size:?}: {line}");
    }
    let screen = shown(&snapshot, (120, 40));
    assert!(screen.contains("cost 13:32–14:32: $49,896 · "), "{screen}");
    assert!(screen.contains("7 lanes  cost of delay, 13:32–14:32, before the show"), "{screen}");

    // One line that is known is not yet a bill.
    snapshot.lanes.data.bill.items[0] = live.items[0].clone();
    assert!(shown(&snapshot, (120, 40)).contains("cost 13:32–14:32: $49,896"));
    snapshot.lanes.data.bill = live;
    let screen = shown(&snapshot, (120, 40));
    assert!(screen.contains("cost of delay: $1,205 · ") && !screen.contains("before the show"), "{screen}");

    // Who gets ready has a bill to look at already.
    snapshot.lanes.data.bill.items.clear();
    (snapshot.title.clock_ms, snapshot.title.supervised) = (None, true);
    let screen = shown(&snapshot, (120, 40));
    let line = screen.lines().nth(1).expect("a second line");
    assert!(line.contains("starting") && line.contains("cost 13:32–14:32: $49,896"), "{line}");
    snapshot.lanes.data.past = None;
    snapshot.lanes.data.past_is_due = true;
    snapshot.title.clock_ms = Some(until_ms);
    let line = shown(&snapshot, (120, 40));
    assert!(line.contains("cost of delay before the show: being computed"), "{line}");
}

/// The lane's age is that of the jobs that have run; one that has not run yet is named.
#[test]
fn a_job_that_has_not_run_is_named_beside_the_age_of_the_others() {
    let mut early = Sample::Normal.snapshot();
    early.lanes.data.running = true;
    early.lanes.data.readers[1].batch_age_ms = None;
    let shown = line(&early, 200);
    assert!(shown.contains("batch 41 min behind, payments no run yet"), "{shown}");
    // Where there is no room for it the picture says so.
    assert!(line(&early, 100).contains("batch 41 min"), "{}", line(&early, 100));
    early.lanes.data.readers[1].batch_age_ms = Some(0.0);
    assert!(line(&early, 200).contains("batch 41 min behind, running now"), "{}", line(&early, 200));
    early.lanes.data.batch_age_ms = None;
    early.lanes.data.readers.iter_mut().for_each(|readers| readers.batch_age_ms = None);
    assert!(line(&early, 200).contains("batch no run yet, running now"), "{}", line(&early, 200));
}

/// That one consumer is dead says nothing of the others, and the line says so from 100 columns on;
/// below, the picture has a row for each.
#[test]
fn who_is_named_as_behind_stands_beside_how_the_others_do() {
    let snapshot = Sample::Dead.snapshot();
    for width in 100..=220 {
        let line = line(&snapshot, width);
        assert!(line.starts_with(" stream fraud 38 s"), "{width}: {line}");
        assert!(line.contains(", others 18 ms  "), "{width}: {line}");
    }
    let narrow = text(&state(Sample::Dead, (80, 24)), (80, 24));
    let second = narrow.lines().nth(1).expect("a second line");
    assert!(second.starts_with(" stream fraud 38 s  batch 41 min  "), "{second}");
    let streams: Vec<_> = narrow.lines().filter_map(|row| row.split_once("◆").map(|_| row)).collect();
    assert!(streams.len() >= 3, "a row for each business: {narrow}");
}
