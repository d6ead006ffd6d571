//! What changes: flash trends, and items that are new. Trends are watched from the inside as they
//! begin, and from the outside in what is viewed because of them.

use super::*;
use crate::shop::trends::Trend;

/// A shop that hardly anybody visits, so that a season passes quickly.
fn quiet(trends_per_day: f64) -> Shop {
    Shop::new(ShopConfig {
        seed: seed(),
        sessions_per_hour: 20.0,
        bots: 0.0,
        trends_per_day,
        ..ShopConfig::default()
    })
}

#[test]
fn trends_begin_at_random_and_are_of_every_size() {
    let days = 100;
    let mut shop = quiet(12.0);
    let end = shop.config.start.plus_ms(days * DAY_MS);
    let mut begun: BTreeMap<i64, Trend> = BTreeMap::new();
    while let Some(sent) = shop.next() {
        if sent.at >= end {
            break;
        }
        begun.extend(shop.trends.on().iter().map(|trend| (trend.began_ms, trend.clone())));
    }
    near("trends a day", begun.len() as f64 / days as f64, 12.0, 12.0);
    let starts: Vec<i64> = begun.keys().copied().collect();
    let gaps: Vec<f64> = starts.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // Of a Poisson process the waiting times spread as much as they last.
    near("spread of the waits between trends over their mean", square.sqrt() / mean, 1.0, 1.0);
    for (name, of, low, high) in [
        ("lift", (|trend| trend.lift) as fn(&Trend) -> f64, 3.0, 50.0),
        ("rise in minutes", |trend| trend.rise_ms / 60_000.0, 5.0, 30.0),
        ("half-life in hours", |trend| trend.half_life_ms / HOUR_MS as f64, 0.5, 6.0),
    ] {
        let mut all: Vec<f64> = begun.values().map(of).collect();
        all.sort_by(f64::total_cmp);
        assert!(all.iter().all(|value| (low..=high).contains(value)), "{name} is not within {low} to {high}");
        near(&format!("smallest {name}"), quantile(&all, 0.01), low, low);
        near(&format!("largest {name}"), quantile(&all, 0.99), high, high);
    }
}

/// One trend of a known size, seen in the views of its item.
#[test]
fn a_trend_rises_and_falls_as_it_should() {
    let (lift, rise_minutes, half_life_minutes) = (20.0, 20.0, 60.0);
    let shop = |trend: bool| {
        let config = ShopConfig {
            seed: seed(),
            sessions_per_hour: 20_000.0,
            items: 1_000,
            trends_per_day: 0.0,
            new_items_per_day: 0.0,
            ..ShopConfig::default()
        };
        let mut shop = Shop::new(config);
        // Well known, but not everybody's: of the thousand, the hundredth.
        let mut slots: Vec<Slot> = (0..1_000).collect();
        slots.sort_by(|&a, &b| shop.catalogue.share(b).total_cmp(&shop.catalogue.share(a)));
        let slot = slots[100];
        if trend {
            shop.trends.add(Trend {
                slot,
                began_ms: shop.config.start.plus_ms(HOUR_MS / 2).ms(),
                rise_ms: rise_minutes * 60_000.0,
                half_life_ms: half_life_minutes * 60_000.0,
                lift,
            });
        }
        let (start, name) = (shop.config.start, shop.catalogue.name(slot));
        let minutes: Vec<f64> = shop
            .map_while(|sent| match sent.event {
                Event::SimulationTruth(SimulationTruth::Intent { ts, item_id, .. }) => {
                    Some(Some((ts, item_id))).filter(|_| sent.at.since_ms(start) < 4 * HOUR_MS)
                }
                _ => Some(None),
            })
            .flatten()
            .filter(|(_, item)| *item == name)
            .map(|(ts, _)| ts.since_ms(start) as f64 / 60_000.0 - 30.0)
            .collect();
        move |from: f64, to: f64| {
            minutes.iter().filter(|minute| (from..to).contains(minute)).count() as f64 / (to - from)
        }
    };
    let (usual, wanted) = (shop(false)(-30.0, 210.0), shop(true));
    let more = |from: f64, to: f64| (wanted(from, to) - usual) / usual;
    // The mean of 2^(-t) along the first third of a half-life is 0.89; along a straight line from
    // nothing, a half.
    near("lift after the rise", more(rise_minutes, rise_minutes + 20.0), lift * 0.89, lift * 0.89);
    near("lift during the rise", more(0.0, rise_minutes), lift / 2.0, lift / 2.0);
    let half_life = |number: f64| {
        let from = rise_minutes + number * half_life_minutes;
        more(from, from + half_life_minutes)
    };
    near("what is left after a half-life", half_life(1.0) / half_life(0.0), 0.5, 0.5);
}

#[test]
fn new_items_replace_old_ones() {
    let days = 60;
    let mut shop = quiet(0.0);
    let (items, end) = (shop.catalogue.len(), shop.config.start.plus_ms(days * DAY_MS));
    let (mut viewed, mut new) = (0_usize, 0_usize);
    while let Some(sent) = shop.next() {
        if sent.at >= end {
            break;
        }
        if let Event::SimulationTruth(SimulationTruth::Intent { item_id, .. }) = sent.event {
            viewed += 1;
            new += usize::from(item_id >= format!("item-{items:06}"));
            // A look at the whole shop is costly: now and then will do.
            if viewed % 500 == 0 {
                let offered = (0..items).any(|slot| shop.catalogue.name(slot) == item_id);
                assert!(offered, "{item_id} is viewed, and no longer there");
            }
        }
    }
    let launched = (0..items).filter(|&slot| shop.catalogue.number(slot) >= items as u64).count();
    println!("{launched} of {items} places have an item that was not there {days} days before");
    // One in a hundred a day, some places more than once.
    let expected = items as f64 * (1.0 - (-0.01 * days as f64).exp());
    near("new items", launched as f64, expected, expected);
    // They are found like others: on the way there are as many of them among the
    // views as among the items.
    let share: f64 = (0..days).map(|day| 1.0 - (-0.01 * day as f64).exp()).sum::<f64>() / days as f64;
    near("views of new items", new as f64 / viewed as f64, share, share);
}
