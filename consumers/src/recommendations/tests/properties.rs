//! Properties that hold for any events in any order.

use std::collections::{HashMap, HashSet};

use events::{ClickKind, HOUR_MS, PAGE_ITEMS};
use proptest::prelude::*;

use super::*;

/// Few sessions, few items, tight limits, any time: everything collides.
fn any_click() -> impl Strategy<Value = Click> {
    let kinds =
        [ClickKind::View, ClickKind::Hover, ClickKind::Scroll, ClickKind::AddToCart, ClickKind::Purchase];
    (
        prop_oneof![4 => 0_i64..7_200_000, 1 => any::<i64>()],
        prop::option::of(0_u8..40),
        0_u8..6,
        prop::sample::select(kinds.to_vec()),
        prop::option::weighted(0.9, 0_u8..40),
        prop::option::of(any::<i64>()),
        prop::option::of(any::<f64>()),
    )
        .prop_map(|(ts, event, session, kind, item, dwell_ms, depth)| Click {
            ts: Timestamp::from_ms(ts),
            event_id: event.map(|event| format!("e{event}")),
            session_id: format!("s{session}"),
            shopper_id: None,
            kind,
            item_id: item.map(|item| if item == 0 { String::new() } else { format!("i{item}") }),
            dwell_ms,
            depth,
        })
}

proptest! {
    /// One answer for each event that is not a duplicate: at most 20 items, none twice, none that
    /// the session has met.
    #[test]
    fn pages_keep_their_promises(clicks in prop::collection::vec(any_click(), 0..200), hourly: bool) {
        // Sessions never expire here: one that expired has met nothing.
        let config = RecommendationsConfig {
            session_expiry_ms: i64::MAX, posting: 3, neighbours: 4, companions: 5, ..RecommendationsConfig::default()
        };
        let mut processor: Box<dyn Processor> = if hourly {
            Box::new(HourlyRecommendations::new(config, HOUR_MS))
        } else {
            Box::new(RecommendationsProcessor::new(config))
        };
        let mut met: HashMap<String, HashSet<String>> = HashMap::new();
        let mut seen = HashSet::new();
        for click in clicks {
            let twice = click.event_id.clone().is_some_and(|id| !seen.insert((click.session_id.clone(), id)));
            let known = met.entry(click.session_id.clone()).or_default();
            if !twice {
                known.extend(click.item_id.clone());
            }
            let mut answers = Vec::new();
            processor.process(&click.clone().into(), &mut answers);
            let mut own = 0;
            for answer in answers {
                let page = match answer {
                    Event::Recommendations(page) => page,
                    Event::RecommendationsStale(page) => page.0.answer,
                    Event::RecommendationsBatch(_) => continue,
                    other => panic!("not a page: {other:?}"),
                };
                prop_assert!(page.items.len() <= PAGE_ITEMS);
                prop_assert_eq!(page.items.iter().collect::<HashSet<_>>().len(), page.items.len());
                if !page.session_id.is_empty() {
                    own += 1;
                    prop_assert_eq!((&page.session_id, &page.after, page.ts), (&click.session_id, &click.event_id, click.ts));
                    prop_assert!(page.items.iter().all(|item| !met[&page.session_id].contains(item)));
                }
            }
            prop_assert_eq!(own, usize::from(!twice));
        }
    }

    /// However small the limits, they are kept and nothing panics.
    #[test]
    fn memory_is_bounded(clicks in prop::collection::vec(any_click(), 0..300), limit in 1_usize..8) {
        let config = RecommendationsConfig {
            items: limit, sessions: limit, entries: 3 * limit, items_per_session: 2 * limit, training_examples_per_session: limit,
            session_expiry_ms: 3_600_000, posting: limit, neighbours: limit, companions: limit, recent_items: limit * 8,
            ..RecommendationsConfig::default()
        };
        let mut processor = RecommendationsProcessor::new(config);
        let mut answers = Vec::new();
        for click in clicks {
            processor.process(&click.into(), &mut answers);
            prop_assert!(processor.model.catalogue.len() <= limit);
            prop_assert!(processor.visits.len() <= limit);
        }
    }
}
