//! What waiting has cost, as a curve: a bounded number of points, however long a show lasts.
//!
//! Each point is what each headline of the bill had come to at an instant of event time. When there
//! are too many, every second one is dropped, and from then on they are taken half as often: so the
//! curve always reaches back to where the dashboard began to look, and its oldest part is as fine
//! as its newest.
//!
//! # Simplifications
//! - A dashboard that attaches to a running show has a curve from then on.

use crate::snapshot::{Bill, Snapshot};

/// The most points; as many columns as a wide screen has.
const MOST: usize = 240;
/// The most lines of the bill of which curves are kept: the first headlines.
pub(crate) const LINES: usize = 4;
/// The least event time between two points, in milliseconds: half a second of wall-clock time at
/// the usual speed.
const STEP_MS: i64 = 30_000;

/// The curves of the first headlines of the bill.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs {
    /// The lines of the bill that they are of.
    keys: Vec<String>,
    /// When, in milliseconds since 1970 in event time, and what each line had cost.
    points: Vec<(i64, [Option<f64>; LINES])>,
    step_ms: i64,
}

impl Costs {
    /// Takes what the bill says now, if enough time has passed. Another bill, or a clock that has
    /// gone back, is another show's.
    pub(crate) fn take(&mut self, snapshot: &Snapshot) {
        let Some(now) = snapshot.title.clock_ms else { return };
        let bill = &snapshot.lanes.data.bill;
        let headlines = || bill.headlines().into_iter().take(LINES);
        let is_same = headlines().map(|(item, _)| &item.key).eq(&self.keys);
        let last = self.points.last().map(|(at, _)| *at);
        if !is_same || last.is_some_and(|last| now < last) {
            let keys = headlines().map(|(item, _)| item.key.clone()).collect();
            *self = Costs { keys, points: Vec::new(), step_ms: STEP_MS };
        }
        let is_due = |(at, _): &(i64, _)| now.saturating_sub(*at) >= self.step_ms;
        if self.keys.is_empty() || !self.points.last().is_none_or(is_due) {
            return;
        }
        self.points.push((now, costs(bill)));
        if self.points.len() > MOST {
            let mut at = 0;
            self.points.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.step_ms = self.step_ms.saturating_mul(2);
        }
    }

    /// When the curves begin, in event time.
    pub(crate) fn since_ms(&self) -> Option<i64> {
        self.points.first().map(|(at, _)| *at)
    }

    /// The curve of the headline with this index, with what it is at `now_ms`: so many values at
    /// equal distances of time from the beginning to now. Before anything was known it is 0.
    pub(crate) fn curve(&self, line: usize, now_ms: i64, now: Option<f64>, values: usize) -> Vec<f64> {
        let Some(since) = self.since_ms().filter(|_| line < LINES && values > 0) else { return Vec::new() };
        let length = now_ms.saturating_sub(since).max(0) as f64;
        let mut known = self.points.iter().peekable();
        let mut value = 0.0;
        let mut curve: Vec<f64> = (0..values)
            .map(|at| {
                let until = since as f64 + length * (at + 1) as f64 / values as f64;
                while let Some((_, costs)) = known.next_if(|(at, _)| *at as f64 <= until) {
                    value = costs[line].unwrap_or(value);
                }
                value
            })
            .collect();
        if let (Some(last), Some(now)) = (curve.last_mut(), now) {
            *last = now;
        }
        curve
    }
}

fn costs(bill: &Bill) -> [Option<f64>; LINES] {
    let mut costs = [None; LINES];
    for (cost, (item, _)) in costs.iter_mut().zip(bill.headlines()) {
        *cost = item.delay_cost();
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{BillItem, Headline};

    /// A show in which waiting costs a unit a minute.
    fn at(minutes: i64) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.title.clock_ms = Some(minutes * 60_000);
        snapshot.lanes.data.bill.items = vec![BillItem {
            key: "money_cents".into(),
            headline: Some(Headline::default()),
            stream: Some(0.0),
            batch: Some(minutes as f64),
            ..BillItem::default()
        }];
        snapshot
    }

    #[test]
    fn the_curve_reaches_back_to_the_start_and_stays_bounded() {
        let mut costs = Costs::default();
        for minutes in 600..20_000 {
            costs.take(&at(minutes));
            costs.take(&at(minutes));
            assert!(costs.points.len() <= MOST, "{} points", costs.points.len());
        }
        assert_eq!(costs.since_ms(), Some(600 * 60_000));
        assert!(costs.points.len() > MOST / 3, "{} points", costs.points.len());
        let curve = costs.curve(0, 20_000 * 60_000, Some(20_000.0), 10);
        assert_eq!(curve.len(), 10);
        for (at, value) in (1..).zip(&curve) {
            let exact = 600.0 + 1_940.0 * f64::from(at);
            assert!((value - exact).abs() < 200.0, "{value} is not about {exact}: {curve:?}");
        }
        assert_eq!(curve.last(), Some(&20_000.0), "it ends with what the screen says");
        assert_eq!(costs.curve(LINES, 0, None, 10), [0.0; 0], "no such line");
    }

    #[test]
    fn another_show_begins_another_curve() {
        let mut costs = Costs::default();
        costs.take(&Snapshot::default());
        assert_eq!(costs.since_ms(), None, "without a clock or a bill there is nothing to draw");
        costs.take(&at(100));
        costs.take(&at(200));
        costs.take(&at(50));
        assert_eq!(costs.since_ms(), Some(50 * 60_000));
        let mut other = at(60);
        other.lanes.data.bill.items[0].key = "clicks".into();
        costs.take(&other);
        assert_eq!(costs.since_ms(), Some(60 * 60_000));
        other.title.clock_ms = Some(i64::MAX);
        costs.take(&other);
        assert_eq!(costs.curve(0, i64::MAX, None, 3), [60.0; 3]);
    }
}
