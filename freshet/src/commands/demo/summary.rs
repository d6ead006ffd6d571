//! What a show amounted to, said when it ends.

use std::fmt;

use serde::Serialize;

use bill::{Bill, Line, LiveVsReplay, PaymentLane, RideLane, ShopLane};
use scenarios::ledger::Sums;

/// Printed after a show, as words or as one JSON object.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// How long the show lasted, on the wall.
    pub(crate) lasted_s: f64,
    /// Simulated seconds in one on the wall.
    pub(crate) speed: f64,
    /// Simulated time that passed.
    pub(crate) simulated_s: f64,
    /// One line a business.
    pub(crate) businesses: Vec<BusinessSummary>,
    /// How long the terminals waited; none when there were none.
    pub(crate) terminals: Option<TerminalSummary>,
    /// Records that no consumer could read.
    pub(crate) dead_letters: u64,
    /// What each lane cost to run.
    pub(crate) costs: Vec<LaneCost>,
    /// The bill of both lanes in event time: the same for a seed on any machine, broker and
    /// database.
    pub(crate) bill: BillSummary,
    /// How far from it the stream's live arrivals lie; none without rides.
    pub(crate) live_arrivals: Option<LiveArrivals>,
    /// The bill as it was seen on the screen: with the time that answers and runs took on the wall,
    /// at the speed of the show.
    pub(crate) wall_clock_bill: BillSummary,
    /// Expectations that failed; empty when all is well.
    pub(crate) failed: Vec<String>,
}

/// What a lane cost to run: the CPU time of its worker processes.
#[derive(Debug, Serialize)]
pub(crate) struct LaneCost {
    pub(crate) lane: &'static str,
    pub(crate) cpu_s: f64,
    pub(crate) records: u64,
    /// Unknown before a record was read.
    pub(crate) cpu_s_per_million: Option<f64>,
}

impl LaneCost {
    pub(crate) fn new(lane: &'static str, cpu_s: f64, records: u64) -> Self {
        let cpu_s_per_million = (records > 0).then(|| cpu_s * 1e6 / records as f64);
        Self { lane, cpu_s, records, cpu_s_per_million }
    }
}

impl fmt::Display for LaneCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, cpu_s, records, cpu_s_per_million } = self;
        write!(f, "cost to run the {lane} lane: {cpu_s:.1} CPU-s for {records} records")?;
        cpu_s_per_million.map_or(Ok(()), |cost| write!(f, ", {cost:.1} a million"))
    }
}

/// How one business did.
#[derive(Debug, Serialize)]
pub(crate) struct BusinessSummary {
    pub(crate) business: &'static str,
    pub(crate) events_in: u64,
    pub(crate) answers_out: u64,
    /// From the event to its answer on the log, on the wall; unknown when there was none.
    pub(crate) freshness_p50_ms: Option<f64>,
    pub(crate) freshness_p99_ms: Option<f64>,
    /// What became of every question, by an audit of the log: `produced`, `answered`, `lost`,
    /// `doubled` and the rest; unknown when nobody looked, or when its questions are not owed
    /// one answer each.
    #[serde(flatten)]
    pub(crate) ledger: Option<Sums>,
}

/// From a swipe to its decision, both as the broker stamped them, on the wall: the newest thousands
/// of swipes.
#[derive(Debug, Serialize)]
pub(crate) struct TerminalSummary {
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) p999_ms: Option<f64>,
    pub(crate) deadline_ms: Option<f64>,
    /// The share of all swipes that were decided before the deadline, 0 to 1.
    pub(crate) in_time: Option<f64>,
}

impl From<&dashboard::Payments> for TerminalSummary {
    fn from(payments: &dashboard::Payments) -> Self {
        Self {
            p50_ms: payments.latency_p50_ms,
            p99_ms: payments.latency_p99_ms,
            p999_ms: payments.latency_p999_ms,
            deadline_ms: payments.deadline_ms,
            in_time: payments.in_time,
        }
    }
}

impl fmt::Display for TerminalSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
        // Nearly all is not all: rounded down.
        let share =
            self.in_time.map_or("–".to_owned(), |share| format!("{:.3} %", (share * 1e5).floor() / 1e3));
        write!(
            f,
            "From swipe to decision: p50 {}, p99 {}, p99.9 {}; {share} of the terminals had it before their deadline of {}",
            ms(self.p50_ms),
            ms(self.p99_ms),
            ms(self.p999_ms),
            ms(self.deadline_ms),
        )
    }
}

/// Both lanes, in each business's own unit, with the number of cases.
#[derive(Debug, Serialize)]
pub(crate) struct BillSummary {
    pub(crate) rides: RidesSummary,
    pub(crate) payments: PaymentsSummary,
    pub(crate) shop: ShopSummary,
    /// What waiting cost, line by line, with its interval and who did better.
    pub(crate) lines: Vec<Line>,
}

/// How far the arrivals that the stream lane gave live lie from those of the bill, which are in
/// order.
#[derive(Debug, Serialize)]
pub(crate) struct LiveArrivals {
    pub(crate) answers: u64,
    pub(crate) mean_apart_s: Option<f64>,
}

impl From<&LiveVsReplay> for LiveArrivals {
    fn from(apart: &LiveVsReplay) -> Self {
        Self { answers: apart.answers, mean_apart_s: apart.mean_apart_s() }
    }
}

impl fmt::Display for LiveArrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Arrivals in order of events; those that the stream gave live lay {} s from them on average ({} answers)",
            self.mean_apart_s.map_or("–".to_owned(), |mean| format!("{mean:.2}")),
            self.answers
        )
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RidesSummary {
    /// The stream over all trips, then both lanes over the trips that both were judged on.
    pub(crate) stream: RideSummary,
    pub(crate) stream_beside_batch: RideSummary,
    pub(crate) batch: RideSummary,
}

#[derive(Debug, Serialize)]
pub(crate) struct RideSummary {
    pub(crate) quotes: u64,
    pub(crate) unanswered: u64,
    pub(crate) mean_error_min: Option<f64>,
    pub(crate) texts_due: u64,
    pub(crate) texts_wrong: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct PaymentsSummary {
    pub(crate) stream: PaymentSummary,
    pub(crate) batch: PaymentSummary,
}

#[derive(Debug, Serialize)]
pub(crate) struct PaymentSummary {
    pub(crate) swipes: u64,
    pub(crate) frauds: u64,
    pub(crate) frauds_stopped: u64,
    pub(crate) fraud_cents: i64,
    pub(crate) lost_cents: i64,
    pub(crate) honest_declined: u64,
    pub(crate) decline_cost_cents: i64,
    pub(crate) stood_in: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShopSummary {
    pub(crate) stream: ShopLaneSummary,
    pub(crate) full_batch: ShopLaneSummary,
    /// An old model with a live session, and the stream on the same cases: views within a session.
    pub(crate) stale_model: ShopLaneSummary,
    pub(crate) stream_beside_stale: ShopLaneSummary,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShopLaneSummary {
    pub(crate) cases: u64,
    pub(crate) hits: u64,
    pub(crate) hit_rate: Option<f64>,
}

impl From<&RideLane> for RideSummary {
    fn from(lane: &RideLane) -> Self {
        Self {
            quotes: lane.quotes,
            unanswered: lane.unanswered,
            mean_error_min: lane.mean_error_min(),
            texts_due: lane.texts_due,
            texts_wrong: lane.texts_wrong,
        }
    }
}

impl From<&PaymentLane> for PaymentSummary {
    fn from(lane: &PaymentLane) -> Self {
        Self {
            swipes: lane.swipes,
            frauds: lane.frauds,
            frauds_stopped: lane.frauds_stopped,
            fraud_cents: lane.fraud_cents,
            lost_cents: lane.lost_cents,
            honest_declined: lane.honest_declined,
            decline_cost_cents: lane.decline_cost_cents,
            stood_in: lane.stood_in,
        }
    }
}

impl From<&ShopLane> for ShopLaneSummary {
    fn from(lane: &ShopLane) -> Self {
        Self { cases: lane.cases, hits: lane.hits, hit_rate: lane.hit_rate() }
    }
}

impl From<&Bill> for BillSummary {
    fn from(bill: &Bill) -> Self {
        Self {
            rides: RidesSummary {
                stream: (&bill.rides.stream).into(),
                stream_beside_batch: (&bill.rides.stream_beside_batch).into(),
                batch: (&bill.rides.batch).into(),
            },
            payments: PaymentsSummary {
                stream: (&bill.payments.stream).into(),
                batch: (&bill.payments.batch).into(),
            },
            shop: ShopSummary {
                stream: (&bill.shop.stream).into(),
                full_batch: (&bill.shop.batch).into(),
                stale_model: (&bill.shop.stale).into(),
                stream_beside_stale: (&bill.shop.stream_beside_stale).into(),
            },
            lines: bill.lines(),
        }
    }
}

impl Summary {
    /// The summary as one JSON object, in the form of the lines before it.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).expect("plain values with string keys have a JSON form");
        json["schema"] = dashboard::headless::SCHEMA.into();
        json["type"] = "summary".into();
        json
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:.0} s on the wall, {:.0} min simulated", self.lasted_s, self.simulated_s / 60.0)?;
        for business in &self.businesses {
            let ms = |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
            let count = |value: Option<u64>| value.map_or("–".to_owned(), |count| count.to_string());
            writeln!(
                f,
                "{:16} {:>9} events in {:>9} answers out   p50 {:>6}  p99 {:>6}   lost {} doubled {}",
                business.business,
                business.events_in,
                business.answers_out,
                ms(business.freshness_p50_ms),
                ms(business.freshness_p99_ms),
                count(business.ledger.and_then(|ledger| ledger.lost)),
                count(business.ledger.map(|ledger| ledger.doubled)),
            )?;
        }
        if let Some(terminals) = &self.terminals {
            writeln!(f, "{terminals}")?;
        }
        let rides = &self.bill.rides;
        let minutes = |lane: &RideSummary| {
            lane.mean_error_min.map_or("–".to_owned(), |mean| format!("{mean:.2} min"))
        };
        writeln!(
            f,
            "ETA error, mean of quotes: stream {} ({} quotes); on the same trips stream {}, batch {} ({} quotes)",
            minutes(&rides.stream),
            rides.stream.quotes,
            minutes(&rides.stream_beside_batch),
            minutes(&rides.batch),
            rides.batch.quotes,
        )?;
        if let Some(live) = &self.live_arrivals {
            writeln!(f, "{live}")?;
        }
        let (stream, batch) = (&self.bill.payments.stream, &self.bill.payments.batch);
        let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        writeln!(
            f,
            "Simulated fraud: {} attempts in {} swipes; stream stopped {} and lost {}, batch stopped {} and lost {}",
            stream.frauds,
            stream.swipes,
            stream.frauds_stopped,
            money(stream.lost_cents),
            batch.frauds_stopped,
            money(batch.lost_cents),
        )?;
        writeln!(
            f,
            "Honest customers declined: stream {} (cost {}), batch {} (cost {}); {} swipes without a verdict",
            stream.honest_declined,
            money(stream.decline_cost_cents),
            batch.honest_declined,
            money(batch.decline_cost_cents),
            stream.stood_in,
        )?;
        let shop = &self.bill.shop;
        let rate = |lane: &ShopLaneSummary| {
            lane.hit_rate.map_or("–".to_owned(), |rate| format!("{:.1} % of {}", rate * 100.0, lane.cases))
        };
        writeln!(
            f,
            "Next new item was on the page: stream {}, full batch {}; within a session: stream {}, stale model {}",
            rate(&shop.stream),
            rate(&shop.full_batch),
            rate(&shop.stream_beside_stale),
            rate(&shop.stale_model),
        )?;
        writeln!(
            f,
            "Who did better (what waiting cost, and where that falls in 95 of 100 drawings of the cases):"
        )?;
        for line in &self.bill.lines {
            writeln!(f, "  {}", line.sentence())?;
        }
        writeln!(
            f,
            "As it was seen, with the time that answers and runs took on the wall, a second of which is {:.0} simulated ones:",
            self.speed
        )?;
        for line in &self.wall_clock_bill.lines {
            writeln!(f, "  {}", line.both())?;
        }
        writeln!(
            f,
            "  {} of {} terminals had no verdict in time and approved by themselves",
            self.wall_clock_bill.payments.stream.stood_in, self.wall_clock_bill.payments.stream.swipes
        )?;
        for cost in &self.costs {
            writeln!(f, "  {cost}")?;
        }
        writeln!(
            f,
            "Everything above is simulated; times are the wall's. Dead letters: {}",
            self.dead_letters
        )?;
        for failed in &self.failed {
            writeln!(f, "FAILED: {failed}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_in_time_is_not_all() {
        let terminals = TerminalSummary {
            p50_ms: Some(4.0),
            p99_ms: Some(6.0),
            p999_ms: None,
            deadline_ms: Some(100.0),
            in_time: Some(0.999_999),
        };
        assert_eq!(
            terminals.to_string(),
            "From swipe to decision: p50 4 ms, p99 6 ms, p99.9 –; 99.999 % of the terminals had it before their deadline of 100 ms"
        );
    }
}
