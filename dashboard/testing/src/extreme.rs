//! What no view may trip over: wide characters, emoji, right-to-left marks, escape codes, 10 KB,
//! the ends of every type.

use super::{Lcg, markets, normal};
use dashboard::{
    BatchEta, BillItem, Headline, LaneVerdict, MarketMove, Snapshot, Sourced, StreamEta, Trend, WorkerState,
};

#[expect(clippy::too_many_lines, reason = "one line a field is what it is")]
pub(super) fn extreme() -> Snapshot {
    let mut snapshot = normal(0);
    let long = "long-".repeat(2_000);
    let hostile = [
        "日本語のトピック",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\u{202e}thgir ot tfel שלום مرحبا",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\t\0",
        "e\u{301}\u{301}\u{301}\u{200d}",
        "",
        &long,
    ];
    let name = |at: usize| hostile[at % hostile.len()].to_string();
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0, f64::MIN_POSITIVE, 1e300];
    let number = |at: usize| numbers[at % numbers.len()];
    snapshot.title.name = name(6);
    snapshot.title.clock_ms = Some(i64::MAX);
    snapshot.title.utc_offset_min = i32::MIN;
    snapshot.title.speed = Some(f64::NAN);
    snapshot.title.seed = Some(u64::MAX);
    for (at, topic) in snapshot.topics.data.iter_mut().enumerate() {
        topic.name = name(at);
        topic.in_per_second = Some(number(at));
        topic.out_per_second = Some(number(at + 1));
        topic.history_per_second = (0..200).map(number).collect();
        topic.total_records = Some(u64::MAX);
        topic.bytes = Some(u64::MAX);
    }
    for (at, group) in snapshot.groups.data.iter_mut().enumerate() {
        group.id = name(at + 1);
        group.lag_records = Some(u64::MAX);
        group.lag_ms = Some(number(at));
        group.lag_history_records = (0..200).map(number).collect();
        group.trend = Trend::FallingBehind { records_per_second: Some(number(at)) };
        for (at, partition) in group.partitions.iter_mut().enumerate() {
            partition.topic = name(at);
            partition.partition = [i32::MIN, i32::MAX][at % 2];
            partition.log_start = Some([i64::MIN, i64::MAX, 0][at % 3]);
            partition.log_end = Some([i64::MAX, i64::MIN, 0][at % 3]);
            partition.committed = Some([0, i64::MAX, i64::MIN][at % 3]);
            partition.lag_records = Some(u64::MAX);
            partition.owner = Some(name(at + 2));
            partition.trend = Trend::Draining { done_in_ms: Some(number(at)) };
        }
    }
    let city = &mut snapshot.city.data;
    for (at, speed) in city.speeds.iter_mut().enumerate() {
        speed.link = if at % 2 == 0 { u32::MAX } else { speed.link };
        speed.of_free_flow = number(at);
    }
    for (at, vehicle) in city.vehicles.iter_mut().enumerate() {
        vehicle.id = name(at);
        vehicle.heading_deg = Some(number(at));
        if at % 2 == 0 {
            vehicle.at = (number(at), number(at + 1));
        }
    }
    for (at, incident) in city.incidents.iter_mut().enumerate() {
        incident.what = name(at);
        incident.remaining_s = Some(number(at));
    }
    for (at, trip) in city.trips.iter_mut().enumerate() {
        trip.trip_id = name(at);
        trip.at = Some((number(at), 0.0));
        trip.route.push((number(at), number(at + 3)));
        trip.stream =
            Some(StreamEta { remaining_s: number(at), p10_s: number(at + 1), p90_s: number(at + 3) });
        trip.batch = Some(BatchEta { remaining_s: number(at + 3), age_s: number(at) });
        trip.truth_s = Some(number(at + 3));
    }
    for (at, decision) in snapshot.payments.data.recent.iter_mut().enumerate() {
        decision.card_id = name(at);
        decision.at_ms = [i64::MIN, i64::MAX][at % 2];
        decision.amount_cents = [i64::MIN, i64::MAX][at % 2];
        decision.latency_ms = Some(number(at));
        decision.probability = Some(number(at));
        decision.reasons = vec![name(at), name(at + 1)];
    }
    snapshot.payments.data.approved = Some(u64::MAX);
    for (at, shopper) in snapshot.shop.data.shoppers.iter_mut().enumerate() {
        shopper.session_id = name(at);
        shopper.page.items = (0..50).map(name).collect();
        shopper.page.age_ms = Some(number(at));
    }
    for (at, item) in snapshot.shop.data.trending.iter_mut().enumerate() {
        item.item = name(at);
        item.per_minute = Some(number(at));
        item.lift = Some(number(at + 3));
    }
    snapshot.markets = Sourced::live(markets::markets(&mut Lcg(3)));
    for (at, pair) in snapshot.markets.data.pairs.iter_mut().enumerate() {
        pair.name = name(at);
        pair.price_e8 = Some([i64::MIN, i64::MAX, 0][at % 3]);
        pair.closes = (0..200).map(|place| number(place + at)).collect();
        for (place, order) in pair.orders.iter_mut().enumerate() {
            order.at_ms = [i64::MIN, i64::MAX][place % 2];
            order.stream = Some(MarketMove { after_ms: number(at), against_bp: Some(number(place)) });
            order.batch = Some(MarketMove { after_ms: number(place), against_bp: Some(number(at)) });
        }
    }
    snapshot.markets.data.candles = Some(u64::MAX);
    let lanes = &mut snapshot.lanes.data;
    lanes.stream_delay_ms = Some(f64::MAX);
    lanes.batch_age_ms = Some(f64::INFINITY);
    lanes.next_run_in_ms = Some(-1.0);
    lanes.database = Some(name(3));
    let [_, texts, money, clicks] = &mut lanes.bill.items[..] else { panic!("the sample bills four things") };
    *money = BillItem {
        stream: Some(-1e300),
        batch: Some(1e300),
        interval_95: Some((1.0, f64::MAX)),
        cases: Some(u64::MAX),
        ..money.clone()
    };
    texts.batch = Some(f64::NAN);
    texts.stale_model = Some(f64::MAX);
    texts.stale_interval_95 = Some((f64::MIN, f64::MAX));
    texts.stale_verdict =
        Some(LaneVerdict::TooFew { evidence: u64::MAX, of: name(4), needed: Some(u64::MAX) });
    clicks.stale_verdict = Some(LaneVerdict::AsGood { margin: f64::MAX });
    clicks.name = name(3);
    clicks.headline = Some(Headline { rank: 0, words: name(2), short: name(6) });
    for (at, worker) in snapshot.workers.data.iter_mut().enumerate() {
        worker.name = name(at);
        worker.state = WorkerState::Dead { how: name(at + 3) };
        worker.restarts = u32::MAX;
        worker.since_ms = Some(u64::MAX);
    }
    for (at, notice) in snapshot.timeline.notices.iter_mut().enumerate() {
        notice.subject = name(at);
        notice.text = name(at + 1);
        notice.at_ms = i64::MIN;
        notice.duration_ms = Some(number(at));
    }
    snapshot.timeline.dropped = u64::MAX;
    snapshot
}
