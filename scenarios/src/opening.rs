//! The opening of a show, played through both lanes without a broker: do the processors see what a
//! newcomer is shown?

use std::sync::Arc;

use dashboard::{FollowedCase, Snapshot};
use streets::Map;

use crate::business::{Business, Logic, OPENING_START, World};
use crate::payments::PAYMENTS;
use crate::ride_share::RIDE_SHARE;
use crate::shop::SHOP;
use crate::view::{CaseClock, PaneSource};

/// The case that a business shows after its first minutes, as the screen follows it at sixty times
/// the speed of the wall clock.
fn case_after(business: &Business, minutes: i64) -> FollowedCase {
    let world = World { seed: 7, start: OPENING_START.parse().unwrap(), drivers: 60, map: None };
    let mut view = (business.view)(&Arc::new(Map::la_serena()));
    let mut lanes = (business.comparison.lanes)(&Logic::default(), Some(&world), &[events::HOUR_MS]).unwrap();
    let (mut stream, mut batch) = (Vec::new(), vec![Vec::new()]);
    let (mut now, mut drawn_ms) = (world.start, 0);
    let end = world.start.plus_ms(minutes * 60_000);
    for emission in (business.producer.simulate)(&world).unwrap().take_while(|emission| emission.at < end) {
        now = emission.at;
        let wall_ms = now.since_ms(world.start) / 60;
        lanes.process(&emission.event, &mut stream, &mut batch);
        view.observe(&emission.event, wall_ms, None);
        for answer in stream.drain(..).chain(batch[0].drain(..)) {
            view.observe(&answer, wall_ms, None);
        }
        // The screen is drawn five times a second.
        if wall_ms - drawn_ms >= 200 {
            drawn_ms = wall_ms;
            view.show(&PaneSource { now_ms: wall_ms, here: true, silent: None }, &mut Snapshot::default());
        }
    }
    view.case(&CaseClock { start: world.start, now, period_ms: Some(events::HOUR_MS), is_running: false })
}

#[test]
fn a_card_is_stolen_and_the_stream_declines_what_the_thief_came_for() {
    let case = case_after(&PAYMENTS, 5);
    assert!(case.subject.starts_with("card-"), "{case:?}");
    assert!(case.stream[0].starts_with("declined its 9th swipe after "), "{case:?}");
    assert_eq!(case.batch[..2], ["approved it", "finds out in 58 min"], "{case:?}");
}

#[test]
fn a_ride_is_delayed_and_the_batch_lane_does_not_know() {
    let case = case_after(&RIDE_SHARE, 10);
    assert!(case.subject.starts_with("ride t"), "{case:?}");
    assert!(case.stream[0].starts_with("arrives 11:"), "{case:?}");
    assert!(case.batch[0].starts_with("still says 11:"), "{case:?}");
}

#[test]
fn a_shopper_opens_what_the_stream_shows_and_the_batch_lane_does_not() {
    let case = case_after(&SHOP, 8);
    assert!(case.subject.starts_with("session-"), "{case:?}");
    assert!(case.stream[0].ends_with(" items opened next"), "{case:?}");
    assert_eq!(case.batch[1], "its page is of 11:00", "{case:?}");
}
