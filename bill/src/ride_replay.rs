//! The stream's rides once more, in the order in which things happened.
//!
//! An answer to a card or a shopper depends on their own partition, which has one order. A rider's
//! answer depends on all of the city: each partition's matcher says how fast its cars drove, and
//! reads from the topic `traffic` what the others said. Whether that comes before or after a car's
//! next ping is a matter of milliseconds, so no two live shows quote the same arrivals to the
//! second. A bill without wall-clock timing must leave that out too. So the processors of the
//! stream lane's workers, one matcher for each partition and one for the traffic, are run here over
//! the same records in the order of their sending, and what one says the others know at once.
//!
//! The order is known without waiting for any length of time: each simulator numbers what it sends
//! (see [`SimulatedSendTime`]), so the record after number 17 is number 18, whenever it comes.
//!
//! How far this is from what the lane really said is measured, answer by answer: see
//! [`LiveVsReplay`].
//!
//! # Simplifications
//! - A record without a number (a student's own car) or with an old one (a burst's) happens when it
//!   is read, so a show with such guests is not billed twice the same.
//! - A number that does not come (its producer was down) is waited for until [`MOST_AHEAD`] others
//!   have.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use consumers::eta::{EtaConfig, EtaProcessor, TrafficProcessor};
use consumers::notifications::NotificationsProcessor;
use events::{Business, Event, Timestamp};
use processor::Processor as _;

use crate::send_time::{LogPosition, SimulatedSendTime};

/// So many records wait for one that was sent before them: half a minute of a large city. A reader
/// that is far behind gets tens of thousands of one partition before the first of another.
const MOST_AHEAD: usize = 200_000;
/// So many gaps in the numbers are told apart; after that the last one grows.
const MOST_GAPS: usize = 1_000;
/// So many answers wait for their counterpart.
const MOST_UNMATCHED: usize = 200_000;

/// A business's answers of the stream lane once more, in the order of its events: for a business
/// whose partitions learn from each other, so that a live answer hangs on which of two records was
/// read first.
pub trait AnswerReplay: Send {
    /// Whose answers they are.
    fn business(&self) -> Business;

    /// Whether this answer of the lane is one of those that are given here in its place.
    fn replaces(&self, answer: &Event) -> bool;

    /// Takes what the business's simulator says, hidden truth included, in whatever order it is
    /// read; `arrived` is for records without a number. Gives it on, and the answers to it, each
    /// with the instant at which it was there.
    fn take(
        &mut self,
        place: LogPosition,
        event: &Event,
        send_time: Option<SimulatedSendTime>,
        arrived: Timestamp,
        give: &mut dyn FnMut(&Event, Timestamp),
    );

    /// No more comes: what is still waited for never will.
    fn finish(&mut self, give: &mut dyn FnMut(&Event, Timestamp));

    /// The lane has given this answer to a question.
    fn live(&mut self, question: LogPosition, answer: &Event);

    /// Everything that was sent before has happened; none before anything has.
    fn now(&self) -> Option<Timestamp>;

    /// How the lane's answers lie beside these.
    fn live_vs_replay(&self) -> &LiveVsReplay;
}

/// The workers of the stream lane that drivers and riders have, without the wires between them.
pub struct DeterministicRideReplay {
    config: EtaConfig,
    lanes: BTreeMap<i32, PartitionTask>,
    traffic: TrafficProcessor,
    /// The number of the record that is next.
    next: u64,
    /// Numbers that were not waited for any longer.
    gaps: Vec<Range<u64>>,
    /// Records that have been read before it.
    ahead: BTreeMap<(u64, LogPosition), (Timestamp, Event)>,
    /// Everything that was sent before has happened.
    now: Option<Timestamp>,
    live_vs_replay: LiveVsReplay,
    said: Vec<Event>,
    speeds: Vec<Event>,
}

/// What one partition's workers know.
struct PartitionTask {
    eta: EtaProcessor,
    texts: NotificationsProcessor,
}

/// How the lane's own answers lie beside those in order.
#[derive(Debug, Default)]
pub struct LiveVsReplay {
    /// Questions that both answered.
    pub answers: u64,
    /// Sum over them of how far apart the two arrivals are, in milliseconds.
    pub apart_ms: u64,
    /// Records that were read after the turn of one that was sent later: what is said from then on
    /// is not what a show in order says.
    pub out_of_turn: u64,
    /// Arrivals that one of the two has given, by the question.
    unmatched: HashMap<LogPosition, Timestamp>,
}

impl LiveVsReplay {
    /// One of the two gives its answer to a question.
    fn meet(&mut self, question: LogPosition, eta: Timestamp) {
        if let Some(other) = self.unmatched.remove(&question) {
            self.answers += 1;
            self.apart_ms += eta.since_ms(other).unsigned_abs();
        } else if self.unmatched.len() < MOST_UNMATCHED {
            self.unmatched.insert(question, eta);
        }
    }

    /// Mean distance in seconds; none when there was no answer.
    pub fn mean_apart_s(&self) -> Option<f64> {
        (self.answers > 0).then(|| self.apart_ms as f64 / self.answers as f64 / 1000.0)
    }
}

impl DeterministicRideReplay {
    /// Workers that have seen nothing.
    pub fn new(config: EtaConfig) -> Self {
        Self {
            traffic: TrafficProcessor::new(&config),
            config,
            lanes: BTreeMap::new(),
            next: 0,
            gaps: Vec::new(),
            ahead: BTreeMap::new(),
            now: None,
            live_vs_replay: LiveVsReplay::default(),
            said: Vec::new(),
            speeds: Vec::new(),
        }
    }

    fn take_first(&mut self, give: &mut dyn FnMut(&Event, Timestamp)) {
        if let Some(((number, place), (at, event))) = self.ahead.pop_first() {
            if number > self.next {
                self.skip_to(number);
            }
            self.next = self.next.max(number.saturating_add(1));
            self.apply(place, &event, at, give);
            self.now = self.now.max(Some(at));
        }
    }

    /// What is numbered from the next on and before `number` is not waited for any longer.
    fn skip_to(&mut self, number: u64) {
        if self.gaps.len() < MOST_GAPS {
            self.gaps.push(self.next..number);
        } else {
            self.gaps[MOST_GAPS - 1].end = number;
        }
    }

    fn apply(
        &mut self,
        place: LogPosition,
        event: &Event,
        at: Timestamp,
        give: &mut dyn FnMut(&Event, Timestamp),
    ) {
        give(event, at);
        if matches!(event, Event::SimulationTruth(_)) {
            return;
        }
        let (_, partition, _) = place;
        let lane = self.lanes.entry(partition).or_insert_with(|| PartitionTask {
            eta: EtaProcessor::new(&self.config),
            texts: NotificationsProcessor::new(),
        });
        lane.eta.process(event, &mut self.said);
        let mut texts = Vec::new();
        lane.texts.process(event, &mut texts);
        for answer in self.said.drain(..) {
            if let Event::EtaUpdates(update) = &answer {
                self.live_vs_replay.meet(place, update.eta);
                lane.texts.process(&answer, &mut texts);
                give(&answer, at);
            } else {
                self.traffic.process(&answer, &mut self.speeds);
            }
        }
        for text in texts {
            give(&text, at);
        }
        for speed in self.speeds.drain(..) {
            for lane in self.lanes.values_mut() {
                lane.eta.process(&speed, &mut self.said);
            }
        }
    }
}

impl AnswerReplay for DeterministicRideReplay {
    fn business(&self) -> Business {
        Business::RideShare
    }

    fn replaces(&self, answer: &Event) -> bool {
        matches!(answer, Event::EtaUpdates(_) | Event::Notifications(_))
    }

    fn take(
        &mut self,
        place: LogPosition,
        event: &Event,
        send_time: Option<SimulatedSendTime>,
        arrived: Timestamp,
        give: &mut dyn FnMut(&Event, Timestamp),
    ) {
        match send_time {
            Some(SimulatedSendTime { at, number }) if number > self.next => {
                self.ahead.insert((number, place), (at, event.clone()));
            }
            Some(SimulatedSendTime { at, number }) => {
                // A burst counts from 0 again: an old number alone says nothing.
                let is_late = number < self.next && self.gaps.iter().any(|gap| gap.contains(&number));
                self.live_vs_replay.out_of_turn += u64::from(is_late);
                self.next = self.next.max(number.saturating_add(1));
                self.apply(place, event, at, give);
                self.now = self.now.max(Some(at));
            }
            None => self.apply(place, event, arrived, give),
        }
        while let Some(entry) = self.ahead.first_entry()
            && (entry.key().0 <= self.next || self.ahead.len() > MOST_AHEAD)
        {
            self.take_first(give);
        }
        let first = self.ahead.keys().next();
        assert!(
            first.is_none_or(|&(number, _)| number > self.next) && self.ahead.len() <= MOST_AHEAD,
            "record {first:?} of {} waits, and {} is next: its turn has come",
            self.ahead.len(),
            self.next
        );
    }

    fn finish(&mut self, give: &mut dyn FnMut(&Event, Timestamp)) {
        while !self.ahead.is_empty() {
            self.take_first(give);
        }
    }

    fn live(&mut self, question: LogPosition, answer: &Event) {
        if let Event::EtaUpdates(update) = answer {
            self.live_vs_replay.meet(question, update.eta);
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    fn live_vs_replay(&self) -> &LiveVsReplay {
        &self.live_vs_replay
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use events::{EtaUpdate, Source, Topic};
    use producers::city::{City, CityConfig};
    use streets::Map;

    use super::*;
    use crate::event_time::{BillRecord, EventTimeBill};
    use crate::id::Id;

    type Sent = (LogPosition, SimulatedSendTime, Event);

    /// Ten minutes of a small town, as its simulator sends them to the partitions of a cluster.
    fn city(map: &Arc<Map>) -> Vec<Sent> {
        let start: Timestamp = "2026-03-03T10:45:00Z".parse().unwrap();
        let config =
            CityConfig { seed: 3, start, map: Arc::clone(map), drivers: 12, ..CityConfig::default() };
        sent(config, 10)
    }

    /// So many minutes of a town, as its simulator sends them to the partitions of a cluster.
    fn sent(config: CityConfig, minutes: i64) -> Vec<Sent> {
        let end = config.start.plus_ms(minutes * 60_000);
        let mut ends = HashMap::new();
        let emissions = City::new(config).take_while(|emission| emission.at < end);
        (0..)
            .zip(emissions)
            .map(|(number, emission)| {
                let key: i32 = emission.event.key().bytes().map(i32::from).sum();
                let (topic, partition) = (emission.event.topic(), key % 4);
                let end = ends.entry((topic, partition)).or_insert(0);
                *end += 1;
                ((topic, partition, *end - 1), SimulatedSendTime { at: emission.at, number }, emission.event)
            })
            .collect()
    }

    /// The same records, as somebody reads them who comes to the partitions in an order that `seed`
    /// decides.
    fn read(sent: &[Sent], seed: u64) -> Vec<Sent> {
        let mut logs: BTreeMap<(Topic, i32), VecDeque<Sent>> = BTreeMap::new();
        for record in sent {
            logs.entry((record.0.0, record.0.1)).or_default().push_back(record.clone());
        }
        let (mut logs, mut dice, mut read) = (logs.into_values().collect::<Vec<_>>(), seed, Vec::new());
        while !logs.is_empty() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let from = (dice >> 33) as usize % logs.len();
            // A fetch brings some records of a partition.
            for _ in 0..(dice >> 59) {
                read.extend(logs[from].pop_front());
            }
            logs.retain(|log| !log.is_empty());
        }
        read
    }

    /// Everything that is given on, and how many of it were arrivals.
    fn given(rides: &mut DeterministicRideReplay, read: &[Sent]) -> (Vec<(Event, Timestamp)>, usize) {
        let mut given = Vec::new();
        let mut give = |event: &Event, at| given.push((event.clone(), at));
        for (place, send_time, event) in read {
            rides.take(*place, event, Some(*send_time), send_time.at, &mut give);
        }
        rides.finish(&mut give);
        let arrivals = given.iter().filter(|(event, _)| matches!(event, Event::EtaUpdates(_))).count();
        (given, arrivals)
    }

    #[test]
    fn riders_are_told_the_same_in_whatever_order_the_partitions_are_read() {
        let map = Arc::new(Map::la_serena());
        let sent = city(&map);
        let rides = || DeterministicRideReplay::new(EtaConfig::new(Arc::clone(&map)));
        let (first, arrivals) = given(&mut rides(), &sent);
        assert!(arrivals > 1_000, "{arrivals}");
        assert!(first.is_sorted_by_key(|(_, at)| *at));
        for seed in 0..3 {
            let read = read(&sent, seed);
            assert_ne!(read, sent);
            assert_eq!(given(&mut rides(), &read), (first.clone(), arrivals), "seed {seed}");
        }
    }

    /// What makes the lane or its replay cheaper must not change an answer by a millisecond: of
    /// each town the numbers of arrivals and of all that is given, and a fingerprint of it. A
    /// change that is meant to change answers writes down the new ones.
    #[test]
    fn no_answer_changes_when_it_is_made_cheaper() {
        let map = Arc::new(Map::la_serena());
        let mut found = Vec::new();
        for seed in 1..=3 {
            let drivers = 10 * seed as u32;
            let config = CityConfig { seed, map: Arc::clone(&map), drivers, ..CityConfig::default() };
            let mut rides = DeterministicRideReplay::new(EtaConfig::new(Arc::clone(&map)));
            let (given, arrivals) = given(&mut rides, &sent(config, 20));
            // What a bill takes: each event, and when it was there.
            let fingerprint = given.iter().fold(0, |hash: u64, (event, at)| {
                let Id(line) =
                    Id::from(&format!("{} {}", at.ms(), String::from_utf8_lossy(&event.to_json())));
                (hash ^ line).wrapping_mul(0x0100_0000_01b3)
            });
            found.push((seed, arrivals, given.len(), fingerprint));
        }
        let known = [
            (1, 10_500, 27_077, 0x0364_2395_9efa_fc1d),
            (2, 15_885, 44_541, 0x841d_8649_c4c4_df81),
            (3, 26_876, 69_751, 0x26a0_861a_4359_32a9),
        ];
        assert_eq!(found, known);
    }

    #[test]
    fn what_never_comes_is_not_waited_for_for_ever() {
        let map = Arc::new(Map::la_serena());
        let mut sent = city(&map);
        sent.retain(|(_, send_time, _)| send_time.number != 100);
        let mut rides = DeterministicRideReplay::new(EtaConfig::new(map));
        let mut there = 0;
        let mut give = |event: &Event, _| there += usize::from(event.topic().role().is_simulated());
        for (place, send_time, event) in &sent {
            rides.take(*place, event, Some(*send_time), send_time.at, &mut give);
        }
        assert_eq!(rides.now(), Some(sent[99].1.at), "nothing later is judged");
        assert_eq!(rides.ahead.len(), sent.len() - 100);
        rides.finish(&mut give);
        assert_eq!(there, sent.len(), "all but what never came");
    }

    /// A record that comes after it was given up is counted; a burst, which has old numbers, not.
    #[test]
    fn what_comes_after_its_turn_is_counted_and_a_burst_is_not() {
        let map = Arc::new(Map::la_serena());
        let mut sent = city(&map);
        let (late, burst) = (sent.remove(100), sent[3].clone());
        let mut rides = DeterministicRideReplay::new(EtaConfig::new(map));
        for (place, send_time, event) in sent {
            rides.take(place, &event, Some(send_time), send_time.at, &mut |_, _| {});
        }
        rides.finish(&mut |_, _| {});
        for ((place, send_time, event), counted) in [(burst, 0), (late, 1)] {
            rides.take(place, &event, Some(send_time), send_time.at, &mut |_, _| {});
            assert_eq!(rides.live_vs_replay().out_of_turn, counted);
        }
    }

    #[test]
    fn a_sequence_number_far_ahead_stops_nothing() {
        let map = Arc::new(Map::la_serena());
        let mut sent = city(&map);
        sent[100].1.number = u64::MAX;
        let mut rides = DeterministicRideReplay::new(EtaConfig::new(map));
        let mut there = 0;
        let mut give = |event: &Event, _| there += usize::from(event.topic().role().is_simulated());
        for (place, send_time, event) in &sent {
            rides.take(*place, event, Some(*send_time), send_time.at, &mut give);
        }
        rides.finish(&mut give);
        assert_eq!(there, sent.len());
    }

    #[test]
    fn the_lanes_own_answers_are_held_against_these() {
        let map = Arc::new(Map::la_serena());
        let mut rides = DeterministicRideReplay::new(EtaConfig::new(Arc::clone(&map)));
        let sent = city(&map);
        let mut asked = None;
        for (place, send_time, event) in sent {
            let mut arrival = None;
            rides.take(place, &event, Some(send_time), send_time.at, &mut |event, _| {
                if let Event::EtaUpdates(update) = event {
                    arrival = Some(update.clone());
                }
            });
            if let Some(update) = arrival {
                // The lane says three seconds later, and of one question nothing at all.
                if asked.replace(place).is_some() {
                    let eta = update.eta.plus_ms(3_000);
                    rides.live(place, &EtaUpdate { eta, ..update }.into());
                }
            }
        }
        assert!(rides.live_vs_replay().answers > 1_000);
        assert_eq!(rides.live_vs_replay().mean_apart_s(), Some(3.0));
        assert_eq!(rides.live_vs_replay().unmatched.len(), 1);
    }

    /// A screen may read a minute of a lane's answers before the first of the questions.
    #[test]
    fn what_is_answered_once_more_does_not_wait_for_its_question() {
        let map = Arc::new(Map::la_serena());
        let sent = city(&map);
        let start = sent[0].1.at;
        let replay = DeterministicRideReplay::new(EtaConfig::new(Arc::clone(&map)));
        let mut bill = EventTimeBill::new(&[&crate::RIDES], start).with_replay(Box::new(replay));
        let pings = sent.iter().filter(|(_, _, event)| event.topic() == Topic::DriverLocations);
        for (place, at, _) in pings.take(1_000) {
            let (topic, partition, offset) = *place;
            let answer = EtaUpdate {
                ts: at.at,
                trip_id: "t".into(),
                driver_id: "d".into(),
                eta: at.at,
                p10: at.at,
                p90: at.at,
                remaining_m: 0.0,
            };
            bill.take(&BillRecord {
                place: (Topic::EtaUpdates, partition, offset),
                event: &answer.into(),
                source: Some(Source { topic, partition, offset }),
                run: None,
                send_time: None,
            });
        }
        assert_eq!(bill.waiting(), 0);
        for (place, send_time, event) in &sent {
            let (place, send_time) = (*place, Some(*send_time));
            bill.take(&BillRecord { place, event, source: None, run: None, send_time });
        }
        let met: u64 = bill.live_vs_replay().map(|(_, apart)| apart.answers).sum();
        assert!(met > 100, "{met} of the answers met those that stand in for them");
    }
}
