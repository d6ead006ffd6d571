//! Finds out where a consumer is stuck, and sets it behind that place.
//!
//! librdkafka tells in two ways that it can't read a batch: by an error, or, when the records in it
//! are malformed, by never handing anything over again. The first is looked into when it comes, the
//! second by looking now and then at partitions in which nothing moves although there is more.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};

use crate::TopicPartition;
use crate::group::list;
use crate::unreadable::{Line, Stored, Unreadable};

/// How long the cluster may take to say who leads what, and a consumer to move.
const PATIENCE: Duration = Duration::from_secs(2);
/// How soon it is looked again when something was found.
const SOON: Duration = Duration::from_millis(300);
/// How often librdkafka may complain in vain before whoever reads hears of it. It complains every
/// tenth of a second.
const COMPLAINTS: u32 = 100;

/// Where reading a partition began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    At(i64),
    Beginning,
    Now,
}

impl Start {
    pub(crate) fn of(offset: Offset) -> Self {
        match offset {
            Offset::Offset(offset) => Self::At(offset),
            Offset::Beginning => Self::Beginning,
            _ => Self::Now,
        }
    }
}

/// What is known of a consumer's partitions.
pub(crate) struct Survey {
    every: Duration,
    /// Something was found that is not told yet: to be asked for each record, without a lock.
    any_found: AtomicBool,
    state: Mutex<State>,
}

struct State {
    parts: BTreeMap<TopicPartition, Part>,
    found: VecDeque<Unreadable>,
    looked: Instant,
    /// Something was found when it was last looked: more of the kind may lie behind it.
    suspicious: bool,
    complaints: u32,
}

struct Part {
    start: Start,
    /// Where it stood when it was last looked at.
    stood: Option<i64>,
}

impl Survey {
    /// Of nothing yet. Partitions in which nothing moves are looked at so often.
    #[expect(clippy::disallowed_methods, reason = "the rim: how long nothing moves is measured on the wall")]
    pub(crate) fn new(every: Duration) -> Self {
        let state = State {
            parts: BTreeMap::new(),
            found: VecDeque::new(),
            looked: Instant::now(),
            suspicious: false,
            complaints: 0,
        };
        Self { every, any_found: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// These partitions are read from here on, and no others.
    #[expect(clippy::disallowed_methods, reason = "the rim: how long nothing moves is measured on the wall")]
    pub(crate) fn begin(&self, parts: impl Iterator<Item = (TopicPartition, Start)>) {
        let mut state = self.held();
        state.parts.clear();
        state.found.clear();
        self.any_found.store(false, Ordering::Relaxed);
        state.looked = Instant::now();
        drop(state);
        self.add(parts);
    }

    /// These are read too.
    pub(crate) fn add(&self, parts: impl Iterator<Item = (TopicPartition, Start)>) {
        let part = |(at, start)| (at, Part { start, stood: None });
        self.held().parts.extend(parts.map(part));
    }

    /// What was found in a partition that `wanted` names, and not told yet.
    pub(crate) fn found(&self, wanted: impl Fn(&TopicPartition) -> bool) -> Option<Unreadable> {
        if !self.any_found.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.held();
        let place = state.found.iter().position(|found| wanted(&found.at))?;
        let found = state.found.remove(place);
        self.any_found.store(!state.found.is_empty(), Ordering::Relaxed);
        found
    }

    /// librdkafka complains of something that it can't read, in one of the partitions that `may_be`
    /// names, and in a batch at `reported` if it says so. Whether that can be hoped to be over: the
    /// error is to be told otherwise.
    pub(crate) fn look_into<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        may_be: impl Fn(&TopicPartition) -> bool,
        error: &KafkaError,
        reported: Option<i64>,
    ) -> bool {
        let places = self.places(consumer, reported, |at, _, _| may_be(at));
        let stored = asked(consumer, places);
        let same = |stored: &Stored| reported.is_none_or(|offset| offset == stored.base);
        let broken: Vec<_> = stored.iter().filter(|(.., s)| same(s) && s.fault.is_some()).collect();
        // What librdkafka can't open a broker may well: then its word counts, if it is clear.
        let meant: Vec<_> = if broken.is_empty() && reported.is_some() {
            stored.iter().filter(|(.., stored)| same(stored)).collect()
        } else {
            Vec::new()
        };
        let meant = if meant.len() == 1 { meant } else { broken };
        let any = !meant.is_empty();
        for (at, next, stored) in meant {
            self.skip(consumer, stored.unreadable(at.clone(), *next, &error.to_string()));
        }
        let mut state = self.held();
        state.complaints = if any { 0 } else { state.complaints + 1 };
        state.complaints < COMPLAINTS
    }

    /// Looks, if it is time, at the partitions in which nothing has moved since the last look.
    #[expect(clippy::disallowed_methods, reason = "the rim: how long nothing moves is measured on the wall")]
    pub(crate) fn look_now_and_then<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) {
        let mut state = self.held();
        let every = if state.suspicious { SOON.min(self.every) } else { self.every };
        if state.looked.elapsed() < every || state.parts.is_empty() {
            return;
        }
        state.looked = Instant::now();
        state.suspicious = false;
        drop(state);
        let still = self.places(consumer, None, |_, part, next| part.stood.replace(next) == Some(next));
        let stored = asked(consumer, behind_the_end(consumer, still));
        for (at, next, stored) in stored.iter().filter(|(.., stored)| stored.fault.is_some()) {
            self.skip(consumer, stored.unreadable(at.clone(), *next, ""));
        }
    }

    /// Where the partitions stand that `wanted` names. Of those that have not been read yet from
    /// an offset that is known, at `otherwise`.
    fn places<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        otherwise: Option<i64>,
        wanted: impl Fn(&TopicPartition, &mut Part, i64) -> bool,
    ) -> Vec<(TopicPartition, i64)> {
        let read = consumer.position().unwrap_or_default();
        let mut places = Vec::new();
        for (at, part) in &mut self.held().parts {
            let position = read.find_partition(&at.topic, at.partition).map(|element| element.offset());
            let next = match (position, part.start) {
                (Some(Offset::Offset(next)), Start::At(start)) => Some(next.max(start)),
                (Some(Offset::Offset(next)), _) => Some(next),
                (_, Start::At(start)) => Some(start),
                (_, Start::Beginning) => {
                    consumer.fetch_watermarks(&at.topic, at.partition, PATIENCE).ok().map(|(first, _)| first)
                }
                (_, Start::Now) => otherwise,
            };
            if let Some(next) = next.filter(|next| wanted(at, part, *next)) {
                places.push((at.clone(), next));
            }
        }
        places
    }

    /// Goes on behind what can't be read. If that fails, librdkafka complains again.
    fn skip<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>, unreadable: Unreadable) {
        let (at, behind) = (&unreadable.at, unreadable.last + 1);
        if let Err(error) = consumer.seek(&at.topic, at.partition, Offset::Offset(behind), PATIENCE) {
            tracing::debug!("going on at {at}@{behind}: {error}");
            return;
        }
        let mut state = self.held();
        let part = Part { start: Start::At(behind), stood: Some(behind) };
        state.parts.insert(at.clone(), part);
        state.suspicious = true;
        state.found.push_back(unreadable);
        self.any_found.store(true, Ordering::Relaxed);
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of `places` behind which there is more.
fn behind_the_end<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: Vec<(TopicPartition, i64)>,
) -> Vec<(TopicPartition, i64)> {
    if places.is_empty() {
        return places;
    }
    let at: Vec<_> = places.iter().map(|(at, _)| at.clone()).collect();
    let mut ends = list(&at);
    let ends: KafkaResult<_> =
        ends.set_all_offsets(Offset::End).and_then(|()| consumer.offsets_for_times(ends, PATIENCE));
    let Ok(ends) = ends else { return Vec::new() };
    let more = |at: &TopicPartition, next: i64| {
        let end = ends.find_partition(&at.topic, at.partition).map(|element| element.offset());
        matches!(end, Some(Offset::Offset(end)) if end > next)
    };
    places.into_iter().filter(|(at, next)| more(at, *next)).collect()
}

/// Each of `places` with the batch that lies there. What can't be found out now is left out.
fn asked<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: Vec<(TopicPartition, i64)>,
) -> Vec<(TopicPartition, i64, Stored)> {
    let mut leaders: HashMap<String, HashMap<i32, String>> = HashMap::new();
    let mut lines: HashMap<String, Line> = HashMap::new();
    let mut all = Vec::new();
    for (at, next) in places {
        let of_topic = leaders
            .entry(at.topic.clone())
            .or_insert_with(|| leaders_of(consumer, &at.topic).unwrap_or_default());
        let Some(address) = of_topic.get(&at.partition) else { continue };
        if !lines.contains_key(address) {
            match Line::connect(address) {
                Ok(line) => drop(lines.insert(address.clone(), line)),
                Err(error) => {
                    tracing::debug!("asking {address} what lies at {at}@{next}: {error}");
                    continue;
                }
            }
        }
        let line = lines.get_mut(address).expect("it was there, or put there");
        match line.batch(&at, next) {
            Ok(Some(stored)) => all.push((at, next, stored)),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!("asking {address} what lies at {at}@{next}: {error}");
                lines.remove(address);
            }
        }
    }
    all
}

/// The address of each partition's leader.
fn leaders_of<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> KafkaResult<HashMap<i32, String>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let addresses: HashMap<i32, String> = metadata
        .brokers()
        .iter()
        .map(|broker| (broker.id(), format!("{}:{}", broker.host(), broker.port())))
        .collect();
    let partitions = metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
    Ok(partitions
        .filter_map(|partition| Some((partition.id(), addresses.get(&partition.leader())?.clone())))
        .collect())
}
