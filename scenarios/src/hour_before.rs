//! The bill of the time before a show: what waiting cost before the first frame.
//!
//! A show that begins shortly before a full hour has nothing on its bill for a minute: its first
//! hourly run covers three minutes, and cases are judged when the run after them is out. But the
//! town was there before. So the hour before the show is simulated with its seed and played
//! through both lanes in memory, as `freshet compare` does it, without a broker and as fast as the
//! processors go; the screen shows that bill, with its hours, until the show has one of its own.
//!
//! The same seed gives the same bill, so it is computed once and kept.
//!
//! # Simplifications
//! - The town of the hours before is the one of a show that begun then: it has the same streets,
//!   cards and items, but its cars are not where those of the show begin.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use anyhow::Result;
use bill::compare::{Comparison, Span};
use consumers::fraud::Costs;
use dashboard::{Bill, PastBill};
use events::HOUR_MS;

use crate::business::{Business, Logic, World};
use crate::priority::{Priority, lower_priority};

/// What is simulated before the bill begins, so that the first run has something to learn from. The
/// first run of a show knows less: three minutes.
const LEARNING_MS: i64 = 15 * 60_000;
/// The longest period of the batch lane of which an hour tells something.
pub const LONGEST_PERIOD_MS: i64 = HOUR_MS;

/// How far the hour before a show is, for who waits for it.
#[derive(Debug)]
pub struct HourBeforeProgress {
    /// Of each business, in thousandths.
    simulated: Vec<AtomicU32>,
    is_background: AtomicBool,
}

impl HourBeforeProgress {
    /// Nothing is simulated yet of any of these businesses.
    pub fn new(businesses: &[&'static Business]) -> Self {
        Self {
            simulated: businesses.iter().map(|_| AtomicU32::new(0)).collect(),
            is_background: AtomicBool::new(false),
        }
    }

    /// The part that is done, from 0 to 1.
    pub fn part(&self) -> f64 {
        let simulated: u32 = self.simulated.iter().map(|part| part.load(Ordering::Relaxed)).sum();
        f64::from(simulated) / (1_000 * self.simulated.len().max(1)) as f64
    }

    /// The show does not wait for it: from now on it has the lowest priority.
    pub fn continue_in_background(&self) {
        self.is_background.store(true, Ordering::Relaxed);
    }
}

/// Plays the hour before the show through both lanes, a thread a business; the batch lane runs
/// every `period_ms`, at most [`LONGEST_PERIOD_MS`].
///
/// # Errors
/// When the world can't be made, such as for a map that can't be read.
pub fn bill_of_hour_before(
    businesses: &[&'static Business],
    world: &World,
    period_ms: i64,
    progress: &HourBeforeProgress,
) -> Result<PastBill> {
    assert!((1..=LONGEST_PERIOD_MS).contains(&period_ms), "an hour tells nothing of {period_ms} ms");
    let count = progress.simulated.len();
    assert_eq!(count, businesses.len(), "a progress of {count} businesses is not that of these");
    let show = world.start;
    let judged_from = show.floor(HOUR_MS);
    let start = judged_from.plus_ms(-LEARNING_MS);
    let span = Span { start, end: show, judged_from };
    let past = World { start, ..world.clone() };
    let items = thread::scope(|scope| {
        let parts: Vec<_> = businesses
            .iter()
            .zip(&progress.simulated)
            .map(|(&business, simulated)| {
                let (past, is_background) = (&past, &progress.is_background);
                let reached = move |thousandths| simulated.store(thousandths, Ordering::Relaxed);
                scope.spawn(move || items_of(business, past, span, period_ms, &reached, is_background))
            })
            .collect();
        let parts = parts.into_iter().map(|part| part.join().expect("a simulation does not panic"));
        parts.collect::<Result<Vec<_>>>()
    })?;
    Ok(PastBill {
        from_ms: span.judged_from.ms(),
        until_ms: show.ms(),
        bill: Bill { items: items.into_iter().flatten().collect() },
    })
}

fn items_of(
    business: &Business,
    past: &World,
    span: Span,
    period_ms: i64,
    reached: &dyn Fn(u32),
    is_background: &AtomicBool,
) -> Result<Vec<dashboard::BillItem>> {
    let costs = Costs::default();
    let logic = Logic { map: past.map.clone(), costs, ..Logic::default() };
    let lanes = (business.comparison.lanes)(&logic, Some(past), &[period_ms])?;
    let mut comparison = Comparison::new(business.bill, lanes, 1, span, costs);
    let mut minutes = span.start;
    let mut yields = false;
    for emission in (business.producer.simulate)(past)?.take_while(|emission| emission.at < span.end) {
        comparison.take(&emission.event);
        if emission.at >= minutes {
            minutes = emission.at.plus_ms(60_000);
            reached((1_000 * emission.at.since_ms(span.start) / span.end.since_ms(span.start)) as u32);
            if !yields && is_background.load(Ordering::Relaxed) {
                lower_priority(Priority::Hours);
                yields = true;
            }
        }
    }
    let bills = comparison.into_bills();
    reached(1_000);
    Ok((business.bill_items)(bills[0].as_ref(), &bills[0].lines()))
}

#[cfg(test)]
mod tests {
    use events::Timestamp;

    use super::*;
    use crate::business::OPENING_START;
    use crate::payments::PAYMENTS;

    #[test]
    fn the_hour_before_a_show_has_a_bill_of_both_lanes() {
        let start = OPENING_START.parse().expect("an RFC 3339 instant");
        let world = World { seed: 7, start, drivers: 5, map: None };
        let progress = HourBeforeProgress::new(&[&PAYMENTS]);
        assert!(progress.part() <= 0.0);
        let past = bill_of_hour_before(&[&PAYMENTS], &world, HOUR_MS, &progress)
            .expect("a world without a map's file");
        assert!(progress.part() >= 1.0, "all of it is simulated: {}", progress.part());
        let at = |ms| Timestamp::from_ms(ms).to_string();
        assert_eq!(at(past.from_ms), "2026-03-03T10:00:00.000Z");
        assert_eq!(past.until_ms, start.ms(), "up to the show");
        let money = &past.bill.items[0];
        assert!(money.cases > Some(1_000) && money.stream < money.batch, "{money:?}");
        assert!(money.verdict.is_some(), "it is judged as any bill is: {money:?}");
    }
}
