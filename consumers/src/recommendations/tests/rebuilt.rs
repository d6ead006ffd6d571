//! State restore: after a crash the state is rebuilt from the log, and the pages are the same.
//!
//! A task reads one partition, and the log always gives it in the same order; so "the same" is
//! the same to the byte. What could differ is what is *not* in the log: where the task crashed,
//! which pages it made and which events it only learnt from, and what was evicted when memory was
//! full. All three are tested.

use proptest::prelude::*;

use super::*;

/// Limits so tight that a thousand items and some thousand sessions evict one another all the time.
fn tight() -> RecommendationsConfig {
    RecommendationsConfig {
        items: 150,
        sessions: 120,
        entries: 500,
        posting: 20,
        companions: 8,
        session_expiry_ms: HOUR_MS,
        ..RecommendationsConfig::default()
    }
}

/// Everything that a processor answers to `log` if it crashes after each of `deaths` events: its
/// answers stay published, and the next task learns from the start of the log.
fn answers(new: &dyn Fn() -> Box<dyn Processor>, log: &[Event], deaths: &[usize]) -> Vec<Event> {
    let mut answers = Vec::new();
    let mut lived = 0;
    for death in deaths.iter().copied().chain([log.len()]) {
        let mut processor = new();
        for event in &log[..lived] {
            processor.learn(event);
        }
        for event in &log[lived..death] {
            processor.process(event, &mut answers);
        }
        lived = death;
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn state_that_is_rebuilt_gives_the_same_page_to_the_letter(
        mut deaths in prop::collection::vec(0_usize..4_000, 0..4),
        seed: u64,
        full: bool,
        hourly: bool,
    ) {
        let log: Vec<Event> = clicks(ShopConfig { seed, ..small_shop(2_000) }).take(4_000).collect();
        deaths.sort_unstable();
        let config = if full { tight() } else { RecommendationsConfig::default() };
        let new = || -> Box<dyn Processor> {
            if hourly {
                Box::new(HourlyRecommendations::new(config.clone(), 5 * 60_000))
            } else {
                Box::new(RecommendationsProcessor::new(config.clone()))
            }
        };
        let undisturbed = answers(&new, &log, &[]);
        prop_assert!(undisturbed.len() >= log.len() - log.len() / 100, "all but the duplicates are answered");
        prop_assert!(answers(&new, &log, &deaths) == undisturbed, "deaths at {:?}", deaths);
    }
}

#[test]
fn learning_without_answering_comes_to_the_same_state() {
    let log: Vec<Event> = clicks(small_shop(2_000)).take(9_000).collect();
    for config in [RecommendationsConfig::default(), tight()] {
        let mut lived = RecommendationsProcessor::new(config.clone());
        let mut learnt = RecommendationsProcessor::new(config);
        for event in &log {
            lived.process(event, &mut Vec::new());
            let Event::Clicks(click) = event else { unreachable!("only clicks are in the log") };
            learnt.learn(click);
        }
        for event in &log {
            assert_eq!(learnt.page(event.key()), lived.page(event.key()));
        }
        assert_eq!(learnt.page("nobody"), lived.page("nobody"));
    }
}

/// Several partitions start from one history; that they share most of it changes no answer.
#[test]
fn who_shares_a_past_answers_as_if_it_were_their_own() {
    let log: Vec<Event> = clicks(small_shop(2_000)).take(9_000).collect();
    let (before, after) = log.split_at(6_000);
    let mut own = RecommendationsProcessor::default();
    let mut dropped = Vec::new();
    for event in before {
        own.process(event, &mut dropped);
    }
    let mut past = own.clone();
    past.share_history();
    let mut sharing = [past.clone(), past];
    let mut expected = Vec::new();
    for event in after {
        own.process(event, &mut expected);
    }
    // In turns, for they share their working memory too.
    let mut answers = [Vec::new(), Vec::new()];
    for event in after {
        for (processor, answers) in sharing.iter_mut().zip(&mut answers) {
            processor.process(event, answers);
        }
    }
    for (processor, answers) in sharing.iter().zip(&answers) {
        assert_eq!(answers, &expected);
        assert!(processor.visits.len() < own.visits.len() / 2, "only those who came back, and the new");
    }
    let came_back = after.iter().any(|event| before.iter().any(|earlier| earlier.key() == event.key()));
    assert!(came_back, "the test is worth nothing unless somebody was there before");
}
