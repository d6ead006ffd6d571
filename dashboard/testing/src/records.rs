//! A page of records of any topic: forty of its newest, with the dead letters of a consumer where
//! the topic is theirs, and one that no terminal should obey.

use std::sync::Arc;

use dashboard::{Letter, PageStart, RecordAt, RecordPage, RecordQuery, RecordRow, Source, WholeRecord};

use crate::NOON_MS;

const ROWS: i64 = 40;

/// The answer to a query.
pub fn records(query: &RecordQuery) -> RecordPage {
    let rows = (0..ROWS).map(|number| row(query, number));
    let wanted = |row: &RecordRow| {
        query.partition.is_none_or(|only| row.at.partition == only)
            && row.key.as_ref().is_none_or(|key| key.contains(&query.key))
    };
    let rows: Vec<RecordRow> = rows.filter(wanted).collect();
    let bounds = |step: i64| (0..4).map(|partition| (partition, 1_200 + step * 10)).collect();
    RecordPage {
        query: query.clone(),
        source: Source::Live,
        partitions: 4,
        cleanup_policy: Some("delete".into()),
        rows,
        from: bounds(0),
        to: bounds(1),
        has_before: true,
        has_after: query.start != PageStart::Newest,
        examined: ROWS as u64,
        skipped: 0,
        whole: query.whole.map(|_| Arc::new(whole())),
    }
}

fn row(query: &RecordQuery, number: i64) -> RecordRow {
    let at = RecordAt { partition: (number % 4) as i32, offset: 1_200 + number / 4 };
    let letter = (query.topic == "dead_letters").then(|| Letter {
        topic: "card_swipes".into(),
        at: RecordAt { partition: at.partition, offset: 90 + number },
        last_offset: None,
        consumer: Some("fraud".into()),
        error: "not JSON: expected value at line 1 column 1".into(),
    });
    let value = match number {
        // It would clear the screen, and turn the text around.
        5 => "\u{1b}[2Jboo\n\u{202e}dne eht".into(),
        _ => {
            format!("{{\"swipe_id\":\"sw-{number:06}\",\"card_id\":\"card-{}\",\"amount\":12.5}}", number % 7)
        }
    };
    RecordRow {
        at,
        sent_ms: (number != 3).then_some(NOON_MS - (ROWS - number) * 137),
        key: (number != 4).then(|| format!("card-{}", number % 7)),
        value: (number != 6).then_some(value),
        bytes: 64 + number as u64,
        unreadable: (number == 7).then(|| "its records can't be decompressed".into()),
        letter,
    }
}

fn whole() -> WholeRecord {
    WholeRecord {
        sent_ms: Some(NOON_MS - 137),
        bytes: 103,
        key: Some("card-4".into()),
        value: Some(r#"{"swipe_id":"sw-000039","card_id":"card-4","amount":12.5,"tags":["a","b"]}"#.into()),
        bytes_cut: 0,
        headers: vec![
            ("source".into(), Some("card_swipes/3/1209".into())),
            ("odd\u{1b}[31m".into(), Some("\u{9b}2J\u{fffd}".into())),
            ("empty".into(), None),
        ],
        problem: None,
    }
}
