//! Synthetic payments, shoppers and bills.

use super::NOON_MS;
use dashboard::ShopEventKind::{AddToCart, Click, Hover, Scroll, View};
use dashboard::{
    Bill, BillItem, Decision, FinishedRun, FollowedCase, Freshness, Headline, LaneVerdict, Lanes, LedgerSums,
    Page, Payments, Readers, Shop, ShopEvent, Shopper, Trending, Unit, Verdict,
};

pub(super) fn payments(passed: i64) -> Payments {
    let rows: [(&str, i64, Verdict, &str, f64, f64); 12] = [
        ("card-0412", 1_820, Verdict::Approved, "usual merchant, usual hour", 0.002, 2.1),
        (
            "card-2210",
            41_290,
            Verdict::Declined,
            "7 swipes under $2.00 in 4 minutes|first purchase in electronics|3 times the usual amount",
            0.93,
            3.2,
        ),
        ("card-0077", 640, Verdict::Approved, "usual merchant, usual hour", 0.001, 1.9),
        ("card-1530", 2_399, Verdict::Approved, "usual amount", 0.004, 2.4),
        (
            "card-0981",
            129_900,
            Verdict::Declined,
            "1,140 km from the last swipe 20 minutes ago|9 times the usual amount",
            0.88,
            2.8,
        ),
        ("card-3301", 5_450, Verdict::StoodIn, "no answer before the deadline", 0.01, 134.0),
        ("card-0412", 310, Verdict::Approved, "usual merchant, usual hour", 0.002, 2.0),
        ("card-2875", 8_800, Verdict::Approved, "a little late for this card", 0.03, 2.6),
        ("card-1102", 1_150, Verdict::Approved, "usual amount", 0.002, 2.2),
        ("card-2210", 195, Verdict::Approved, "5 swipes under $2.00 in 3 minutes", 0.21, 2.3),
        ("card-0660", -2_000, Verdict::Approved, "refund", 0.0, 1.7),
        ("card-1944", 7_215, Verdict::Approved, "usual merchant, usual hour", 0.003, 2.0),
    ];
    Payments {
        recent: (0..36)
            .map(|at| {
                let (card, amount_cents, verdict, reasons, probability, latency) = rows[at % rows.len()];
                Decision {
                    at_ms: NOON_MS + passed * 60 - at as i64 * 700,
                    card_id: card.into(),
                    amount_cents: amount_cents + (at / rows.len()) as i64 * 130,
                    verdict,
                    probability: Some(probability),
                    reasons: reasons.split('|').map(ToString::to_string).collect(),
                    latency_ms: Some(latency),
                    fraud: (at > 8).then_some(verdict == Verdict::Declined),
                }
            })
            .collect(),
        approved: Some(12_804),
        declined: Some(37),
        stood_in: Some(2),
        approved_cents: Some(61_230_455),
        declined_cents: Some(1_820_400),
        deadline_ms: Some(100.0),
        latency_p50_ms: Some(2.2),
        latency_p99_ms: Some(9.4),
        latency_p999_ms: Some(31.0),
        in_time: Some(12_841.0 / 12_843.0),
    }
}

pub(super) fn shop() -> Shop {
    let event = |at: i64, kind, item: &str, on_page, on_batch_page| ShopEvent {
        at_ms: NOON_MS - at * 1000,
        kind,
        item: (!item.is_empty()).then(|| item.into()),
        on_page,
        on_batch_page,
    };
    let trail = vec![
        event(240, View, "", None, None),
        event(221, Click, "tent-2p", Some(false), Some(false)),
        event(190, Scroll, "tent-2p", None, None),
        event(150, Hover, "tent-3p", None, None),
        event(141, Click, "sleeping-bag", Some(true), Some(false)),
        event(98, Click, "camp-stove", Some(true), Some(false)),
        event(60, AddToCart, "camp-stove", None, None),
        event(31, Click, "head-torch", Some(true), Some(true)),
        event(4, Click, "gas-230g", Some(true), Some(false)),
    ];
    let page = |items: &str, age_ms| Page {
        items: items.split_whitespace().map(ToString::to_string).collect(),
        age_ms: Some(age_ms),
    };
    let shopper = |id: &str| Shopper {
        session_id: id.into(),
        trail: trail.clone(),
        page: page(LIVE, 900.0),
        batch_page: page(BATCH, 41.0 * 60_000.0),
        stale_page: page(STALE, 900.0),
    };
    Shop {
        shoppers: vec![shopper("session-1207"), shopper("session-0930"), shopper("session-2114")],
        trending: [
            ("lantern", 48.0, 6.2),
            ("camp-stove", 31.0, 3.1),
            ("umbrella", 28.0, 4.0),
            ("phone-case", 22.0, 1.1),
            ("earbuds", 20.0, 0.9),
            ("boots-mid", 14.0, 2.4),
        ]
        .into_iter()
        .map(|(item, per_minute, lift)| Trending {
            item: item.into(),
            per_minute: Some(per_minute),
            lift: Some(lift),
        })
        .collect(),
        sessions: Some(412),
    }
}

fn cases() -> Vec<FollowedCase> {
    [
        (
            "ride-share",
            "ride t045-1",
            ["arrives 11:19", "in 14 min"].as_slice(),
            ["still says 11:08", "by the roads of 10:00"].as_slice(),
        ),
        (
            "payments",
            "card-002685",
            &["declined its 9th swipe after 7 ms", "$729 kept"],
            &["approved it", "finds out in 19 min", "$729 gone"],
        ),
        (
            "shop",
            "session-0001207",
            &["showed 5 of the 6 items opened next"],
            &["showed 1", "its page is of 11:00"],
        ),
    ]
    .into_iter()
    .map(|(business, subject, stream, batch)| FollowedCase {
        business: business.into(),
        subject: subject.into(),
        stream: stream.iter().map(|part| (*part).into()).collect(),
        batch: batch.iter().map(|part| (*part).into()).collect(),
    })
    .collect()
}

pub(super) fn lanes() -> Lanes {
    Lanes {
        stream_delay_ms: Some(18.0),
        batch_age_ms: Some(41.0 * 60_000.0),
        batch_period_ms: Some(3_600_000.0),
        can_turn: true,
        next_run_in_ms: Some(19_000.0),
        dial_moved_ms: None,
        stream_cpu_s_per_hour: Some(31.4),
        batch_cpu_s_per_hour: Some(4.2),
        running: false,
        database: Some("data/warehouse.db".into()),
        past: None,
        past_is_due: false,
        cases: cases(),
        runs: [
            ("eta", 812_204, 1_204, 840.0),
            ("fraud", 18_600, 18_600, 120.0),
            ("recommendations", 67_200, 4_031, 410.0),
            ("notifications", 21_030, 240, 64.0),
        ]
        .into_iter()
        .cycle()
        .zip(0..12)
        .map(|((job, records, rows, took), at): (_, i64)| FinishedRun {
            job: job.into(),
            batch_id: format!("{job}-2026-01-06T{:02}", 16 - at / 4),
            finished_at_ms: NOON_MS - 41_000 - at / 4 * 60_000 - at % 4 * 300,
            took_ms: Some(took),
            records: Some(records),
            rows: Some(rows),
        })
        .collect(),
        readers: [
            ("ride-share", "driver_locations", "eta"),
            ("payments", "card_swipes", "fraud"),
            ("shop", "clicks", "recommendations"),
        ]
        .into_iter()
        .map(|(business, questions, group)| Readers {
            business: business.into(),
            questions: questions.into(),
            stream_group: group.into(),
            batch_group: format!("batch-{group}"),
            batch_age_ms: Some(41.0 * 60_000.0),
            running: false,
        })
        .collect(),
        freshness: [
            ("eta", 5_046_204, 1_788_000, 14.0, 61.0),
            ("fraud", 186_112, 186_110, 2.2, 9.4),
            ("recommendations", 672_004, 671_998, 6.1, 31.0),
            ("notifications", 2_410, 2_410, 18.0, 88.0),
        ]
        .into_iter()
        .map(|(business, events, answers, p50, p99)| Freshness {
            business: business.into(),
            delay_ms: Some(p50),
            delay_is_minimum: false,
            events: Some(events),
            answers: Some(answers),
            p50_ms: Some(p50),
            p99_ms: Some(p99),
        })
        .collect(),
        bill: bill(),
        counted_since_ms: None,
        ledger: [
            ("driver_locations", "eta_updates", 5_046_204, 1_788_000, 18, 3_258_186),
            ("card_swipes", "fraud_decisions", 186_530, 186_110, 420, 0),
            ("clicks", "recommendations", 672_178, 671_998, 180, 0),
        ]
        .into_iter()
        .map(|(questions, answers, produced, answered, in_flight, nothing_owed)| LedgerSums {
            questions: questions.into(),
            answers: answers.into(),
            produced,
            answered,
            in_flight,
            nothing_owed,
            ..LedgerSums::default()
        })
        .collect(),
    }
}

fn bill() -> Bill {
    let item = |key: &str,
                (name, short_name): (&str, &str),
                figures: (f64, f64, u64),
                headline: (u8, &str, &str)| {
        let ((stream, batch, cases), (rank, words, short)) = (figures, headline);
        BillItem {
            key: key.into(),
            name: name.into(),
            short_name: short_name.into(),
            headline: Some(Headline { rank, words: words.into(), short: short.into() }),
            stream: Some(stream),
            batch: Some(batch),
            interval_95: Some((0.8 * (batch - stream), 1.2 * (batch - stream))),
            cases: Some(cases),
            verdict: Some(LaneVerdict::StreamWins),
            ..BillItem::default()
        }
    };
    let minutes = (812.4, 2_310.0, 418);
    let money = item(
        "money_cents",
        ("fraud loss + wrong declines, $", "money lost, $"),
        (10_400.0, 130_850.0, 8_204),
        (0, "", ""),
    );
    let clicks = item(
        "missed_clicks",
        ("missed clicks", "missed clicks"),
        (1_204.0, 2_016.0, 5_120),
        (2, "missed clicks", "clicks"),
    );
    Bill {
        items: vec![
            item(
                "late_minutes",
                ("ETA error, minutes", "ETA error, min"),
                minutes,
                (1, "minutes of ETA error", "min"),
            ),
            item(
                "wrong_texts",
                ("wrong texts", "wrong texts"),
                (3.0, 40.0, 512),
                (3, "wrong texts", "texts"),
            ),
            BillItem { unit: Unit::Cents, ..money },
            BillItem {
                stale_model: Some(1_212.0),
                stale_interval_95: Some((-12.0, 28.0)),
                stale_verdict: Some(LaneVerdict::AsGood { margin: 51.2 }),
                ..clicks
            },
        ],
    }
}

/// What the stream lane offers a camper.
const LIVE: &str = "gas-450g cooking-set tent-3p mat-light pillow-air lantern water-filter mug-titanium \
    chair-low rope-20m spork dry-bag coffee-press kettle hammock tarp-3x3 boots-mid poles \
    socks-wool knife";

/// What the batch lane offers everybody.
const BATCH: &str = "phone-case earbuds desk-lamp mug-titanium socks-wool backpack-20 notebook usb-cable \
    t-shirt umbrella head-torch charger water-bottle poster lantern keyboard mouse cap scarf \
    belt";

/// What an old model makes of the live session.
const STALE: &str = "gas-450g cooking-set mat-light tent-3p lantern pillow-air mug-titanium water-filter spork \
    chair-low dry-bag rope-20m kettle poles tarp-3x3 coffee-press hammock knife socks-wool \
    boots-mid";
