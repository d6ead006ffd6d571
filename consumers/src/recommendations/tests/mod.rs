//! Clicks in, pages out, by subject. Here is what the subjects share.

mod hostile;
mod hourly;
mod pages;
mod properties;
mod quality;
mod rebuilt;

use std::fmt::Write as _;

use events::{ClickKind, HOUR_MS};
use expect_test::Expect;
use producers::shop::{Shop, ShopConfig};

use super::*;

/// One click from a line such as `11:00:05 ann view kettle`; `+1d` in front of the time is the day
/// after.
fn parse(line: &str, number: usize) -> Click {
    let (day, line) = line.strip_prefix("+1d ").map_or((3, line), |rest| (4, rest));
    let words: Vec<&str> = line.split_whitespace().collect();
    let kind = match words[2] {
        "view" => ClickKind::View,
        "hover" => ClickKind::Hover,
        "scroll" => ClickKind::Scroll,
        "cart" => ClickKind::AddToCart,
        "buy" => ClickKind::Purchase,
        other => panic!("{other} is no kind of click"),
    };
    Click {
        ts: format!("2026-03-0{day}T{}.000Z", words[0]).parse().unwrap(),
        event_id: Some(format!("e{number}")),
        session_id: words[1].to_owned(),
        shopper_id: None,
        kind,
        item_id: words.get(3).map(|&item| item.to_owned()),
        dwell_ms: (kind == ClickKind::Hover).then_some(30_000),
        depth: None,
    }
}

/// What a processor answers to each line of a script, and after the last.
fn trace(mut processor: impl Processor, script: &str) -> String {
    let mut trace = String::new();
    let mut tell = |line: &str, answers: Vec<Event>| {
        writeln!(trace, "{line}").unwrap();
        for answer in answers {
            let (topic, valid_from, page) = match answer {
                Event::Recommendations(page) => ("", None, page),
                Event::RecommendationsBatch(page) => ("batch ", Some(page.0.valid_from), page.0.answer),
                Event::RecommendationsStale(page) => ("stale ", Some(page.0.valid_from), page.0.answer),
                other => panic!("not a page: {other:?}"),
            };
            let from = valid_from.map_or(String::new(), |at| format!("from {} ", &at.to_string()[11..16]));
            let whose = if page.session_id.is_empty() { "(front page)" } else { &page.session_id };
            let items = if page.items.is_empty() { "(empty)".to_owned() } else { page.items.join(" ") };
            writeln!(trace, "    {topic}{from}{whose}: {items}").unwrap();
        }
    };
    for (number, line) in script.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut answers = Vec::new();
        processor.process(&parse(line, number).into(), &mut answers);
        tell(line, answers);
    }
    let mut answers = Vec::new();
    processor.finish(&mut answers);
    if !answers.is_empty() {
        tell("the end", answers);
    }
    trace
}

fn check(script: &str, expect: &Expect) {
    expect.assert_eq(&trace(RecommendationsProcessor::default(), script));
}

/// A simulated shop of a thousand items.
fn small_shop(sessions_per_hour: u32) -> ShopConfig {
    ShopConfig { sessions_per_hour: sessions_per_hour.into(), items: 1_000, ..ShopConfig::default() }
}

/// The clicks of a simulated shop.
fn clicks(shop: ShopConfig) -> impl Iterator<Item = Event> {
    Shop::new(shop).map(|sent| sent.event).filter(|event| matches!(event, Event::Clicks(_)))
}
