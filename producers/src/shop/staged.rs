//! The visit of the opening: somebody who knows what they want, and looks at one such item after
//! the other.
//!
//! Half of all visits follow similar items, but most are over after two or three. So a show may
//! begin with one that a newcomer can follow, just after a full hour: a page that is made
//! after each click can keep up with it, one of the hour before can't. What they look at is up to
//! the seed; what the pages show is up to the processors.
//!
//! # Simplifications
//! - `simulation_truth` is silent about it, so that no bill counts a visit that was put there to be
//!   seen. The processors learn from it as from any other.

use events::{Click, ClickKind, Timestamp};
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand::{RngExt, SeedableRng};

use super::catalogue::Slot;
use super::{Due, Shop, event_id};

/// Keeps the opening's random numbers apart from those of the shop.
const STAGED: u64 = 0x5354_4147_4544_2153;
/// The first view, in seconds after the moment.
const BEGINS_S: f64 = 150.0;
/// How many items are viewed, and milliseconds from one to the next.
const VIEWS: usize = 7;
const GAP_MS: std::ops::Range<i64> = 12_000..20_000;

/// An open visit of the opening.
#[derive(Debug)]
pub(super) struct StagedVisit {
    session_id: String,
    shopper_id: String,
    /// The items still to be viewed, the next one last, and the time until the one after it.
    ahead: Vec<(Slot, i64)>,
}

impl Shop {
    /// Plans the visit, without a number from the shop's own generator.
    pub(super) fn stage_visit(&mut self, moment: Timestamp) {
        let mut rng = Rng::seed_from_u64(self.config.seed ^ STAGED);
        let mut slots = vec![self.catalogue.any(&mut rng)];
        // A similar item is drawn again when it was viewed already; a shop of a hundred items has
        // enough.
        while slots.len() < VIEWS {
            let next = self.catalogue.similar(slots[slots.len() - 1], &mut rng);
            if !slots.contains(&next) {
                slots.push(next);
            }
        }
        let ahead = slots.into_iter().rev().map(|slot| (slot, rng.random_range(GAP_MS))).collect();
        let visit = StagedVisit {
            session_id: format!("session-{:07}", 9_000_000 + rng.random_range(0..1_000_000)),
            shopper_id: format!("shopper-{:05}", rng.random_range(0..50_000)),
            ahead,
        };
        self.plan(moment.plus_seconds(BEGINS_S), Due::StagedView(Box::new(visit)));
    }

    pub(super) fn staged_view(&mut self, now: Timestamp, mut visit: Box<StagedVisit>) {
        let Some((slot, gap_ms)) = visit.ahead.pop() else { return };
        self.events += 1;
        let view = Click {
            ts: now,
            event_id: Some(event_id(self.events)),
            session_id: visit.session_id.clone(),
            shopper_id: Some(visit.shopper_id.clone()),
            kind: ClickKind::View,
            item_id: Some(self.catalogue.name(slot)),
            dwell_ms: None,
            depth: None,
        };
        self.plan(now, Due::Send(Box::new(view.into())));
        self.plan(now.plus_ms(gap_ms), Due::StagedView(visit));
    }
}
