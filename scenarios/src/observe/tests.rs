//! A whole show, from observations to the snapshot.

use std::sync::Arc;

use dashboard::GroupState;
use events::{CardSwipe, Decision, FraudDecision, Replay, SimulationTruth, Source, Timestamp};

use super::*;
use crate::ledger::Headers;

fn show() -> Show {
    show_of(vec![&crate::payments::PAYMENTS], None)
}

/// A show of these businesses; without a seed, one that was found running.
fn show_of(businesses: Vec<&'static Business>, seed: Option<u64>) -> Show {
    Show::new(ShowConfig {
        name: "test".into(),
        bootstrap: "here".into(),
        clock: None,
        seed,
        period_ms: events::HOUR_MS,
        database: None,
        map: Arc::new(Map::la_serena()),
        businesses,
        ends: false,
    })
}

fn swipe(number: usize, amount_cents: i64) -> Event {
    CardSwipe { amount_cents, ..card_swipe(number) }.into()
}

fn card_swipe(number: usize) -> CardSwipe {
    let ts = Timestamp::from_ms(1_772_535_600_000 + number as i64 * 1_000);
    let (swipe_id, card_id, terminal_id) = (format!("s{number}"), "c1".to_owned(), "t1".to_owned());
    let (currency, category, lat, lon) = (None, None, None, None);
    CardSwipe { ts, swipe_id, card_id, terminal_id, amount_cents: 100, currency, category, lat, lon }
}

/// The simulated time at the wall-clock time `wall_ms`, at 60 times its speed.
fn at(wall_ms: i64) -> Timestamp {
    Timestamp::from_ms(1_772_535_600_000 + wall_ms * 60)
}

fn approve(number: usize) -> Event {
    approve_at(number, 0)
}

/// The decision on a swipe that was made when the wall showed `wall_ms`.
fn approve_at(number: usize, wall_ms: i64) -> Event {
    FraudDecision {
        ts: at(wall_ms),
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
    let log = LogPoll { topic: "card_swipes".into(), end, ..LogPoll::default() };
    let group = GroupPoll {
        id: "fraud".into(),
        state: GroupState::Stable,
        committed: vec![("card_swipes".into(), 0, committed)],
        ..GroupPoll::default()
    };
    ClusterPoll { brokers: vec![(1, "localhost:9092".to_owned())], logs: vec![log], groups: vec![group] }
}

#[test]
fn lag_is_given_in_the_money_that_waits_for_a_decision() {
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
    assert!(said.contains("11 swipes unscored = $1,100.88"), "{said}");

    (3..14).for_each(|number| show.observe(&approve(number), 1_020));
    show.poll(6_000, poll(14, 14));
    let snapshot = show.snapshot(6_000, |_| true);
    assert_eq!(snapshot.groups.data[0].waiting, None, "a group that has caught up keeps no question waiting");
    assert!(!dashboard::headless::snapshot_text(&snapshot).contains("unscored"));
}

/// A show whose clock runs 60 times as fast as the wall clock, from wall-clock time 0 on.
fn running_show() -> Show {
    let mut show = show();
    let start = Timestamp::from_ms(1_772_535_600_000);
    show.start(SimulatedClock { started_wall_ms: 0, start, speed: 60.0 });
    show
}

/// A group that answers nothing any more is as far behind as its oldest question, whatever its last
/// answers say; once it has caught up its answers speak again.
#[test]
fn a_dead_consumer_is_as_far_behind_as_its_oldest_question() {
    let mut show = running_show();
    let freshness = |snapshot: &Snapshot| snapshot.lanes.data.freshness[0].clone();
    let line = dashboard::headless::snapshot_text;
    // Ten swipes a second of wall-clock time, each answered 20 ms later; the group dies at 3 s.
    for tenth in 0..120_i64 {
        let now_ms = tenth * 100;
        let swipe = Event::from(CardSwipe { ts: at(now_ms), ..card_swipe(tenth as usize) });
        show.observe(&swipe, now_ms);
        if now_ms < 3_000 {
            show.observe(&approve_at(tenth as usize, now_ms), now_ms + 20);
        }
        show.poll(now_ms, poll(tenth, tenth.min(30)));
    }
    let snapshot = show.snapshot(11_900, |_| true);
    let group = &snapshot.groups.data[0];
    assert_eq!(group.lag_ms, Some(8_900.0));
    assert_eq!(freshness(&snapshot).delay_ms, group.lag_ms, "line 2 and the lag pane agree");
    assert!(line(&snapshot).contains("stream fraud 8.9 s behind"), "{}", line(&snapshot));

    // It starts again and has caught up a second later.
    (30..120).for_each(|swipe| show.observe(&approve_at(swipe, swipe as i64 * 100), 12_500));
    show.poll(13_000, poll(120, 120));
    (120..140).for_each(|swipe| show.observe(&approve_at(swipe, 13_900), 13_920));
    show.poll(14_600, poll(140, 140));
    let snapshot = show.snapshot(14_600, |_| true);
    assert_eq!(freshness(&snapshot).delay_ms, Some(20.0), "what is over is over");
    assert!(line(&snapshot).contains("stream 20 ms behind"), "{}", line(&snapshot));
}

/// A group that is sent back answers once more what was answered long ago. Its delays stay those
/// of the first answers, and nothing is counted twice.
#[test]
fn a_rewind_spoils_no_delay() {
    let mut show = running_show();
    let record = |topic, offset, event: Event, wall_ms, headers| SeenRecord {
        place: (topic, 0, offset),
        event: Some(event),
        headers,
        run: None,
        send_time: None,
        sent_ms: wall_ms,
    };
    let answer = |show: &mut Show, at, number: usize, now_ms, replay| {
        let source = Some(Source { topic: Topic::CardSwipes, partition: 0, offset: number as i64 });
        let event = approve_at(number, number as i64 * 100);
        show.take(&record(Topic::FraudDecisions, at, event, now_ms, Headers { source, replay }));
    };
    for number in 0..20 {
        let now_ms = number as i64 * 100;
        let swipe = CardSwipe { ts: at(now_ms), ..card_swipe(number) };
        show.take(&record(Topic::CardSwipes, number as i64, swipe.into(), now_ms, Headers::default()));
        answer(&mut show, number as i64, number, now_ms + 20, None);
    }
    let freshness = |show: &mut Show, now_ms| {
        show.poll(now_ms, poll(20, 20));
        show.snapshot(now_ms, |_| true).lanes.data.freshness[0].clone()
    };
    let before = freshness(&mut show, 2_000);
    let replay = Some(Replay { from: 0, at: 20 });
    for number in 0..20 {
        answer(&mut show, 20 + number as i64, number, 60_000, replay);
    }
    let after = freshness(&mut show, 60_000);
    assert_eq!((after.answers, after.p50_ms, after.p99_ms), (before.answers, before.p50_ms, before.p99_ms));
    assert_eq!(show.ledger()[0].1.replayed, 20);
    // A question that has no answer yet is answered for the first time, in any round.
    let swipe = CardSwipe { ts: at(2_000), ..card_swipe(20) };
    show.take(&record(Topic::CardSwipes, 20, swipe.into(), 2_000, Headers::default()));
    answer(&mut show, 40, 20, 2_030, replay);
    assert_eq!(freshness(&mut show, 61_000).answers, Some(21));
}

/// Who begins to look when a consumer has been dead for long can tell only the least.
#[test]
fn a_delay_that_began_before_anyone_looked_is_at_least_so_long() {
    let mut show = running_show();
    show.observe(&swipe(0, 100), 0);
    for second in 0..6 {
        show.poll(second * 1_000, poll(1_000 + second, 10));
    }
    let snapshot = show.snapshot(5_000, |_| true);
    let group = &snapshot.groups.data[0];
    assert_eq!((group.lag_ms, group.lag_is_minimum), (Some(5_000.0), true));
    let said = dashboard::headless::snapshot_text(&snapshot);
    assert!(said.contains("stream fraud >5.0 s behind"), "{said}");
}

/// The cluster dies: what is shown is stale within two seconds, and its clock stands.
#[test]
fn a_silent_cluster_is_stale_within_two_seconds_and_its_clock_stands() {
    let mut show = running_show();
    show.poll(0, poll(5, 5));
    show.observe(&swipe(0, 100), 0);
    show.observe(&approve_at(0, 0), 20);
    show.poll(10_000, poll(9, 9));
    let clock = |snapshot: &Snapshot| snapshot.title.clock_ms.expect("the clock is known");
    let live = show.snapshot(11_500, |_| true);
    assert_eq!(live.cluster.source, dashboard::Source::Live);
    // It is not known yet that a request failed: it is still being waited for.
    let stale = show.snapshot(11_900, |_| true);
    let reason = "the broker does not answer".to_owned();
    assert_eq!(stale.cluster.source, dashboard::Source::Stale { for_ms: 1_000, reason });
    assert_eq!(clock(&live), at(11_500).ms());
    assert_eq!(clock(&stale), clock(&live), "it does not go back to the last answer");
    show.silence(12_250, "could not reach here within 2 s");
    let later = show.snapshot(40_000, |_| true);
    assert!(
        matches!(&later.lanes.source, dashboard::Source::Stale { for_ms: 30_000, .. }),
        "{:?}",
        later.lanes
    );
    assert_eq!(clock(&later), clock(&stale), "it stands");
    assert_eq!(later.lanes.data.next_run_in_ms, stale.lanes.data.next_run_in_ms);
    let said = dashboard::headless::snapshot_text(&later);
    assert!(said.contains("stale 30 s: stream"), "{said}");
    show.poll(41_000, poll(9, 9));
    let back = show.snapshot(41_000, |_| true);
    assert_eq!(back.cluster.source, dashboard::Source::Live);
    assert_eq!(clock(&back), at(41_000).ms());
}

/// A run of the batch job of payments whose window ended so many simulated minutes after the start.
fn run(minutes: i64) -> Event {
    let end = at(0).plus_ms(minutes * 60_000);
    events::BatchRun {
        ts: end,
        job: "batch-fraud".into(),
        batch_id: format!("batch-fraud-{minutes}"),
        window_start: end.plus_ms(-900_000),
        window_end: end,
        started_at: at(0),
        finished_at: at(0),
        records: 1,
        rows: 1,
    }
    .into()
}

/// The one picture: whose bookmarks are in a business's log, and how old what the job knows is.
#[test]
fn a_show_says_who_reads_the_questions_of_each_business() {
    let mut show = running_show();
    let readers = |show: &mut Show, now_ms| {
        show.poll(now_ms, poll(7, 1));
        show.snapshot(now_ms, |_| true).lanes.data.readers
    };
    let of_payments = dashboard::Readers {
        business: "payments".into(),
        questions: "card_swipes".into(),
        stream_group: "fraud".into(),
        batch_group: "batch-fraud".into(),
        batch_age_ms: None,
        running: false,
    };
    assert_eq!(readers(&mut show, 0), std::slice::from_ref(&of_payments), "its own, before any run");
    show.observe(&run(15), 16_000);
    let known = dashboard::Readers { batch_age_ms: Some(5.0 * 60_000.0), ..of_payments };
    assert_eq!(readers(&mut show, 20_000), [known]);
}

/// Who attaches to a running show: the jobs that sleep are not dead, and a run that was is known.
#[test]
fn an_attached_screen_knows_the_runs_before_and_that_jobs_sleep() {
    let mut show = show();
    for end in [15, 30, 4_000] {
        show.observe(&run(end), 0);
    }
    let asleep = |now_ms| {
        let mut poll = poll(10, 10);
        poll.groups[0].id = "batch-fraud".into();
        poll.groups[0].state = GroupState::Empty;
        (now_ms, poll)
    };
    let told = asleep(0);
    show.poll(told.0, told.1);
    let before = show.snapshot(0, |_| false);
    assert_eq!(
        before.groups.data[0].trend,
        Trend::Scheduled { due_in_ms: None },
        "the clock is not known yet"
    );

    // It is half past, then 35 minutes later: 90 minutes of event time take 90 s of wall-clock
    // time.
    let start = at(0).plus_ms(40 * 60_000);
    show.config.clock = Some(SimulatedClock { started_wall_ms: 0, start, speed: 60.0 });
    show.polled_ms = Some(0);
    let snapshot = show.snapshot(0, |_| false);
    assert_eq!(snapshot.lanes.data.batch_age_ms, Some(600_000.0), "the run of a longer show is none of this");
    assert_eq!(snapshot.lanes.data.batch_period_ms, Some(900_000.0), "its windows say how often it runs");
    assert_eq!(snapshot.groups.data[0].trend, Trend::Scheduled { due_in_ms: Some(5_000.0) });

    let told = asleep(21_000);
    show.poll(told.0, told.1);
    let overdue = show.snapshot(21_000, |_| false);
    assert_eq!(overdue.groups.data[0].trend, Trend::NoMembers, "two periods without a run");
}

/// A cluster with all topics of ours and a student's, where the topics that pass `full` have
/// records, and a shared worker owns a partition of each.
fn cluster_with_records(full: impl Fn(Topic) -> bool) -> ClusterPoll {
    let log = |topic: &str, end| LogPoll { topic: topic.to_owned(), end, ..LogPoll::default() };
    let ours = Topic::ALL.iter().map(|&topic| log(topic.name(), i64::from(full(topic)) * 7));
    let logs: Vec<LogPoll> = ours.chain([log("my_swipes", 0)]).collect();
    let committed = logs.iter().map(|log| (log.topic.clone(), 0, log.end)).collect();
    let group = GroupPoll { id: "notifications".into(), committed, ..GroupPoll::default() };
    ClusterPoll { brokers: vec![(1, "localhost:9092".to_owned())], logs, groups: vec![group] }
}

/// Of which businesses the topics and partitions of a snapshot are, but for what is shared.
fn businesses_shown(snapshot: &Snapshot) -> Vec<events::Business> {
    let topics = snapshot.topics.data.iter().map(|topic| &*topic.name);
    let partitions = snapshot.groups.data.iter().flat_map(|group| &group.partitions);
    let names = topics.chain(partitions.map(|partition| &*partition.topic));
    let mut of: Vec<_> = names.filter_map(|name| Topic::named(name)?.business()).collect();
    of.sort_unstable();
    of.dedup();
    of
}

fn bill_keys(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.lanes.data.bill.items.iter().map(|item| &*item.key).collect()
}

/// The topics of all businesses exist in every show, and a worker that several share reads them.
#[test]
fn a_show_says_nothing_of_businesses_that_are_not_part_of_it() {
    let payments: &'static Business = &crate::payments::PAYMENTS;
    for records in [false, true] {
        let mut show = show_of(vec![payments], Some(42));
        show.poll(0, cluster_with_records(|topic| records && topic.business() == Some(payments.id)));
        let snapshot = show.snapshot(0, |_| true);
        assert_eq!(businesses_shown(&snapshot), [payments.id], "also before its first record");
        assert_eq!(bill_keys(&snapshot), ["money_cents"]);
        assert_eq!(snapshot.city.source, dashboard::Source::Absent);
        assert_eq!(snapshot.payments.source, dashboard::Source::Waiting);
        let said = dashboard::headless::snapshot_text(&snapshot);
        assert!(["min", "texts", "clicks"].iter().all(|word| !said.contains(word)), "{said}");
        let shown = |name: &str| snapshot.topics.data.iter().any(|topic| topic.name == name);
        assert!(shown("my_swipes") && shown("notifications") && shown("dead_letters"));
    }
    // What somebody writes nevertheless is there to see.
    let mut show = show_of(vec![payments], Some(42));
    show.poll(0, cluster_with_records(|topic| topic == Topic::DriverLocations));
    let snapshot = show.snapshot(0, |_| true);
    assert_eq!(businesses_shown(&snapshot), [events::Business::RideShare, payments.id]);
    assert_eq!(bill_keys(&snapshot), ["money_cents"]);
}

#[test]
fn who_attaches_sees_the_businesses_whose_topics_have_records() {
    let mut show = show_of(ALL.to_vec(), None);
    assert_eq!(show.snapshot(0, |_| false).shop.source, dashboard::Source::Waiting, "not asked yet");
    show.poll(0, cluster_with_records(|topic| topic == Topic::CardSwipes));
    let snapshot = show.snapshot(0, |_| false);
    assert_eq!(businesses_shown(&snapshot), [events::Business::Payments]);
    assert_eq!(bill_keys(&snapshot), ["money_cents"]);
    assert_eq!(snapshot.payments.source, dashboard::Source::Waiting);
    assert_eq!(snapshot.shop.source, dashboard::Source::Absent);

    let mut show = show_of(ALL.to_vec(), None);
    show.poll(0, cluster_with_records(|_| false));
    let foreign = show.snapshot(0, |_| false);
    assert_eq!(foreign.lanes.source, dashboard::Source::Absent, "a cluster without records of ours");
    assert!(businesses_shown(&foreign).is_empty());
    assert!(foreign.topics.data.iter().any(|topic| topic.name == "my_swipes"), "its own always show");
}

/// A total hides what changed a minute ago: since the dial was moved the bill tells the cost in an
/// hour as well, once there is enough to tell.
#[test]
fn since_the_dial_moved_the_bill_tells_the_cost_in_an_hour() {
    let mut show = running_show();
    let rates = |show: &mut Show, now_ms| -> Vec<Option<f64>> {
        show.poll(now_ms, poll(1, 1));
        let lanes = show.snapshot(now_ms, |_| true).lanes.data;
        lanes.bill.items.iter().map(|item| item.cost_per_hour).collect()
    };
    assert!(rates(&mut show, 60_000).iter().all(Option::is_none), "it was not moved");
    show.apply_new_period(900_000, 60_000);
    assert!(rates(&mut show, 61_000).iter().all(Option::is_none), "a minute is too short");
    let lanes = show.snapshot(61_000, |_| true).lanes.data;
    assert_eq!(lanes.dial_moved_ms, Some(at(60_000).ms()));
    assert_eq!(lanes.batch_period_ms, Some(900_000.0));
}

/// What a silent cluster has not answered may have been answered: nothing is judged without it.
#[test]
fn the_bill_stands_while_the_cluster_is_silent() {
    let mut show = running_show();
    let cases = |show: &mut Show, now_ms| {
        show.settle(now_ms);
        show.snapshot(now_ms, |_| true).lanes.data.bill.items[0].cases
    };
    for (number, wall_ms) in [(0, 190_000), (1, 199_000)] {
        let CardSwipe { swipe_id: id, card_id, amount_cents, .. } = card_swipe(number);
        let truth = SimulationTruth::Swipe { ts: at(wall_ms), id, card_id, amount_cents, pattern: None };
        show.observe(&truth.into(), wall_ms);
        show.poll(wall_ms, poll(1, 1));
    }
    show.observe(&approve_at(0, 190_000), 190_020);
    show.poll(200_000, poll(2, 1));
    assert_eq!(cases(&mut show, 200_000), Some(1), "the second may still be answered in time");
    assert_eq!(cases(&mut show, 240_000), Some(1), "it can't be told");
    show.poll(240_000, poll(2, 1));
    assert_eq!(cases(&mut show, 240_000), Some(2), "it has no decision");
}

#[test]
fn a_past_that_comes_late_does_not_take_the_place_of_the_show_s_own_bill() {
    let past = || Some(dashboard::PastBill { from_ms: 1, until_ms: 2, ..dashboard::PastBill::default() });
    let mut show = running_show();
    show.poll(0, poll(1, 0));
    show.expect_past();
    assert!(show.snapshot(0, |_| true).lanes.data.past_is_due);
    show.set_past(past());
    let lanes = show.snapshot(0, |_| true).lanes.data;
    assert_eq!((lanes.past, lanes.past_is_due), (past(), false), "nothing is known of the show itself");
    let CardSwipe { swipe_id: id, card_id, amount_cents, .. } = card_swipe(0);
    let truth = SimulationTruth::Swipe { ts: at(190_000), id, card_id, amount_cents, pattern: None };
    show.observe(&truth.into(), 190_000);
    show.poll(200_000, poll(1, 1));
    show.settle(200_000);
    show.set_past(past());
    assert_eq!(show.snapshot(200_000, |_| true).lanes.data.past, None, "a swipe has been judged");
}
