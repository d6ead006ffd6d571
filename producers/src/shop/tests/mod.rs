//! Each figure of the public logs, measured on what is generated, as it was measured there: views
//! only, and visits of two or more of them where a log has no others. `make test` prints nothing;
//! `cargo test -p producers shop -- --nocapture` prints the figures.
//!
//! The shop was fitted on other seeds than the one measured here, and `SHOP_SEED=42 cargo test -p
//! producers shop` measures any other.

mod sending;
mod trends;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use super::*;

/// Six days of a shop with a seventh of the visitors: enough to measure, quick to make.
fn config() -> ShopConfig {
    ShopConfig { seed: seed(), sessions_per_hour: 1_400.0, ..ShopConfig::default() }
}

/// The seed of what is measured.
fn seed() -> u64 {
    let asked = std::env::var("SHOP_SEED").ok();
    asked.map_or(1_001, |seed| seed.parse().expect("SHOP_SEED is a number"))
}

/// A view, as the logs have it.
struct View {
    ts: Timestamp,
    session: String,
    item: String,
}

/// What was generated, cut into what the tests ask for.
struct ClickLog {
    /// People's views, in order.
    views: Vec<View>,
    /// Programs' views, by session.
    bots: BTreeMap<String, Vec<View>>,
    kinds: BTreeMap<&'static str, usize>,
    /// `(item, day)` to views by hour, and how many of them were due to a trend.
    trending: BTreeMap<(String, i64), ([u32; 24], u32)>,
}

fn log() -> &'static ClickLog {
    static LOG: OnceLock<ClickLog> = OnceLock::new();
    LOG.get_or_init(|| {
        let start = config().start;
        let mut log = ClickLog {
            views: Vec::new(),
            bots: BTreeMap::new(),
            kinds: BTreeMap::new(),
            trending: BTreeMap::new(),
        };
        let mut seen = HashSet::new();
        for Emission { event, .. } in
            Shop::new(config()).take_while(|sent| sent.at.since_ms(start) < 150 * HOUR_MS)
        {
            match event {
                Event::SimulationTruth(SimulationTruth::Intent {
                    ts,
                    session_id,
                    item_id,
                    trending,
                    bot,
                    ..
                }) => {
                    if bot {
                        log.bots.entry(session_id).or_default();
                    } else {
                        let day = ts.ms().div_euclid(DAY_MS);
                        let (hours, due) = log.trending.entry((item_id, day)).or_default();
                        hours[ts.hour() as usize] += 1;
                        *due += u32::from(trending);
                    }
                }
                Event::Clicks(click) if seen.insert(click.event_id.clone()) => {
                    let kind = match click.kind {
                        ClickKind::View if log.bots.contains_key(&click.session_id) => {
                            let item = click.item_id.expect("a view is of an item");
                            let view = View { ts: click.ts, session: click.session_id, item };
                            log.bots.entry(view.session.clone()).or_default().push(view);
                            continue;
                        }
                        ClickKind::View => "view",
                        ClickKind::Hover => "hover",
                        ClickKind::Scroll => "scroll",
                        ClickKind::AddToCart => "cart",
                        ClickKind::Purchase => "purchase",
                        ClickKind::Click => unreachable!("the shop makes no plain clicks"),
                    };
                    *log.kinds.entry(kind).or_default() += 1;
                    if kind == "view" {
                        let item = click.item_id.expect("a view is of an item");
                        log.views.push(View { ts: click.ts, session: click.session_id, item });
                    }
                }
                _ => {}
            }
        }
        log
    })
}

/// Items of each visit in the order of viewing.
fn visits() -> BTreeMap<&'static str, Vec<&'static View>> {
    let mut visits: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for view in &log().views {
        visits.entry(view.session.as_str()).or_default().push(view);
    }
    for views in visits.values_mut() {
        views.sort_by_key(|view| view.ts);
    }
    visits
}

/// Holds a figure within 15 % of what the logs say, whose own range is given.
fn near(name: &str, measured: f64, low: f64, high: f64) {
    println!("{name}: {measured:.3} (logs: {low} to {high})");
    assert!(
        (low * 0.85..=high * 1.15).contains(&measured),
        "{name} is {measured:.3}: more than 15 % from {low} to {high}"
    );
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

#[test]
fn visits_are_as_long_as_in_the_logs() {
    let all: Vec<f64> = visits().values().map(|views| views.len() as f64).collect();
    let mut lengths: Vec<f64> = all.iter().copied().filter(|&length| length >= 2.0).collect();
    lengths.sort_by(f64::total_cmp);
    near("one-click visits", (all.len() - lengths.len()) as f64 / all.len() as f64, 0.3, 0.5);
    near("mean length", lengths.iter().sum::<f64>() / lengths.len() as f64, 4.0, 4.8);
    near("median length", quantile(&lengths, 0.5), 3.0, 3.0);
    near("p90 of length", quantile(&lengths, 0.9), 7.0, 9.0);
    near("p99 of length", quantile(&lengths, 0.99), 18.0, 22.0);
}

#[test]
fn gaps_are_log_normal() {
    let mut gaps: Vec<f64> = visits()
        .values()
        .flat_map(|views| views.windows(2).map(|pair| pair[1].ts.since_seconds(pair[0].ts)))
        .collect();
    gaps.sort_by(f64::total_cmp);
    near("median gap in seconds", quantile(&gaps, 0.5), 50.0, 55.0);
    let sigma = (quantile(&gaps, 0.841) / quantile(&gaps, 0.5)).ln();
    near("sigma of log gaps", sigma, 1.55, 1.55);
}

#[test]
fn few_items_get_most_views() {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for view in &log().views {
        *counts.entry(&view.item).or_default() += 1;
    }
    let mut counts: Vec<u32> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let share = |part: f64| {
        let head = (counts.len() as f64 * part) as usize;
        f64::from(counts[..head].iter().sum::<u32>()) / log().views.len() as f64
    };
    near("views of the top 1 % of items", share(0.01), 0.09, 0.17);
    near("views of the top 10 % of items", share(0.10), 0.35, 0.59);
}

#[test]
fn shoppers_come_back_to_what_they_saw() {
    let (mut later, mut repeats) = (0_u32, 0_u32);
    for views in visits().values() {
        let mut met = HashSet::new();
        for (place, view) in views.iter().enumerate() {
            let repeat = !met.insert(&view.item);
            later += u32::from(place > 0);
            repeats += u32::from(repeat);
        }
    }
    near("repeats among clicks after the first", f64::from(repeats) / f64::from(later), 0.36, 0.36);
}

#[test]
fn one_item_leads_to_another() {
    let mut next: HashMap<&str, HashMap<&str, u32>> = HashMap::new();
    for views in visits().values() {
        for pair in views.windows(2).filter(|pair| pair[0].item != pair[1].item) {
            *next.entry(&pair[0].item).or_default().entry(&pair[1].item).or_default() += 1;
        }
    }
    // Of an item with few successors the most frequent is frequent by chance.
    let often: Vec<(u32, u32)> = next
        .values()
        .map(|next| (next.values().copied().max().unwrap_or(0), next.values().sum()))
        .filter(|&(_, all)| all >= 50)
        .collect();
    assert!(often.len() > 100, "{} items have 50 successors", often.len());
    let share = f64::from(often.iter().map(|&(most, _)| most).sum::<u32>())
        / f64::from(often.iter().map(|&(_, all)| all).sum::<u32>());
    near("most frequent successor", share, 0.20, 0.23);
}

#[test]
fn the_top_20_change_from_day_to_day() {
    let mut days: BTreeMap<i64, BTreeMap<&str, u32>> = BTreeMap::new();
    for view in &log().views {
        *days.entry(view.ts.ms().div_euclid(DAY_MS)).or_default().entry(&view.item).or_default() += 1;
    }
    let tops: Vec<BTreeSet<&str>> = days
        .values()
        .map(|counts| {
            let mut items: Vec<_> = counts.iter().collect();
            items.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            items.into_iter().take(20).map(|(item, _)| *item).collect()
        })
        .collect();
    let overlaps: Vec<f64> = tops
        .windows(2)
        .map(|pair| pair[0].intersection(&pair[1]).count() as f64 / pair[0].union(&pair[1]).count() as f64)
        .collect();
    near("overlap of the top 20", overlaps.iter().sum::<f64>() / overlaps.len() as f64, 0.4, 0.4);
}

#[test]
fn trends_have_a_peak() {
    let peaks: Vec<f64> = log()
        .trending
        .values()
        .filter(|(hours, due)| {
            let all = hours.iter().sum::<u32>();
            all >= 50 && *due * 2 >= all
        })
        .map(|(hours, _)| {
            f64::from(hours.iter().copied().max().unwrap_or(0)) * 24.0 / f64::from(hours.iter().sum::<u32>())
        })
        .collect();
    println!("{} trending items", peaks.len());
    assert!(peaks.len() >= 8, "{} trending items are too few to say", peaks.len());
    near(
        "peak hour of a trending item over its mean",
        peaks.iter().sum::<f64>() / peaks.len() as f64,
        4.0,
        5.0,
    );
}

#[test]
fn carts_purchases_and_programs_are_as_rare_as_in_the_logs() {
    let of_views = |kind| log().kinds[kind] as f64 / log().kinds["view"] as f64;
    near("carts", of_views("cart"), 0.026, 0.026);
    near("purchases", of_views("purchase"), 0.0084, 0.0084);
    let people = log().views.len() as f64;
    let programs = log().bots.values().map(Vec::len).sum::<usize>() as f64;
    near("programs' views", programs / (people + programs), 0.01, 0.05);
    println!("hovers {:.3}, scrolls {:.3} a view", of_views("hover"), of_views("scroll"));
}

#[test]
fn programs_walk_at_even_pace_past_hundreds_of_items() {
    // Programs that were cut off by the end of the log have seen less.
    let end = log().views.last().expect("people came").ts.plus_ms(-HOUR_MS);
    let (mut spreads, mut items) = (Vec::new(), Vec::new());
    for views in log().bots.values().filter(|views| views.last().is_some_and(|view| view.ts < end)) {
        let mut times: Vec<Timestamp> = views.iter().map(|view| view.ts).collect();
        times.sort_unstable();
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1].since_seconds(pair[0])).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        spreads.push(square.sqrt() / mean);
        items.push(views.iter().map(|view| &view.item).collect::<HashSet<_>>().len());
    }
    println!("{} programs", items.len());
    assert!(items.len() >= 20, "{} programs are too few to say", items.len());
    assert!(spreads.iter().all(|&spread| spread < 0.05), "constant gaps: {spreads:?}");
    assert!(items.iter().all(|items| (100..400).contains(items)), "hundreds of items: {items:?}");
}
