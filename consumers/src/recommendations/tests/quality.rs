//! Whether the simulated shop can be predicted, and whether the recommender does.

use std::collections::{HashMap, HashSet};

use events::{ClickKind, SimulationTruth};
use producers::shop::{Shop, ShopConfig};

use super::*;

/// The simulated shop is too simple if its next click is either obvious or random.
#[test]
fn a_session_model_beats_popularity_and_neither_knows_everything() {
    let config = ShopConfig { sessions_per_hour: 4_000.0, items: 1_000, ..ShopConfig::default() };
    let mut processor = RecommendationsProcessor::default();
    let (mut cases, mut hits, mut popular) = (0_u32, 0_u32, 0_u32);
    let mut bots = HashSet::new();
    let mut met: HashMap<String, HashSet<String>> = HashMap::new();
    for (number, sent) in Shop::new(config).take(150_000).enumerate() {
        let click = match sent.event {
            Event::SimulationTruth(SimulationTruth::Intent { bot, session_id, .. }) => {
                if bot {
                    bots.insert(session_id);
                }
                continue;
            }
            Event::Clicks(click) => click,
            other => panic!("not an event of the shop: {other:?}"),
        };
        let known = met.entry(click.session_id.clone()).or_default();
        let begun = !known.is_empty();
        let item = click.item_id.clone().unwrap();
        let novel = known.insert(item.clone()) && begun && click.kind == ClickKind::View;
        if novel && number > 135_000 && !bots.contains(&click.session_id) {
            cases += 1;
            hits += u32::from(processor.page(&click.session_id).contains(&item));
            popular += u32::from(processor.page("nobody").contains(&item));
        }
        processor.learn(&click);
    }
    let share = |hits: u32| f64::from(hits) / f64::from(cases);
    println!("session model {:.3}, popularity {:.3}, of {cases}", share(hits), share(popular));
    assert!(cases > 1_000 && (0.40..0.80).contains(&share(hits)), "session model: {:.3}", share(hits));
    assert!(share(popular) < 0.25, "popularity: {:.3}", share(popular));
}
