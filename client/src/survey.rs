//! Finds out where a consumer is stuck, and sets it behind that place.
//!
//! librdkafka tells in two ways that it can't read a batch: by an error, or, when the records in it
//! are malformed, by never handing anything over again. The first is looked into when it comes, the
//! second by looking now and then at partitions in which nothing moves although there is more.
//!
//! Such a look asks the cluster, and a question waits behind a fetch that the broker keeps open
//! until there is something to read: half a second, or as long as a cluster is away. So it is a
//! thread of its own that looks; the reader learns what it found the next time it asks, and
//! moves the consumer itself.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};

use crate::broker_connection::BrokerConnection;
use crate::group::list;
use crate::unreadable::{Stored, Unreadable};
use crate::{Settings, TopicPartition};

/// How long the cluster may take to say who leads what, and a consumer to move.
const PATIENCE: Duration = Duration::from_secs(2);
/// How soon it is looked again when something was found.
const SOON: Duration = Duration::from_millis(300);
/// How often librdkafka may complain in vain before the reader learns of it. It complains every
/// tenth of a second.
const COMPLAINTS: u32 = 100;

/// No offset: nothing has been read yet, and reading begins wherever the log does.
const UNREAD: i64 = -1;

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
    /// How brokers are asked what lies in their logs.
    settings: Settings,
    every: Duration,
    /// Something was found that is not told yet: to be asked for each record, without a lock.
    any_found: AtomicBool,
    state: Mutex<State>,
    /// The look that goes on, or that has ended and whose result was not taken.
    look: Arc<Mutex<Look>>,
}

/// A partition, and the next offset to read in it when it was looked at.
type LogPosition = (TopicPartition, i64);

/// What a thread that looks has come to.
#[derive(Default)]
enum Look {
    #[default]
    None,
    GoesOn,
    Found(Vec<(LogPosition, Unreadable)>),
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
    /// Where it stood when it was last looked at; [`UNREAD`] where only the cluster knows.
    stood: Option<i64>,
}

impl Part {
    /// The next offset to read, with `read` for the consumer's positions.
    fn next(&self, at: &TopicPartition, read: &TopicPartitionList) -> Option<i64> {
        let position = read.find_partition(&at.topic, at.partition).map(|element| element.offset());
        match (position, self.start) {
            (Some(Offset::Offset(next)), Start::At(start)) => Some(next.max(start)),
            (Some(Offset::Offset(next)), _) => Some(next),
            (_, Start::At(start)) => Some(start),
            (_, Start::Beginning | Start::Now) => None,
        }
    }
}

impl Survey {
    /// Of nothing yet. Partitions in which nothing moves are looked at so often.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long nothing moves is measured in wall-clock time"
    )]
    pub(crate) fn new(settings: &Settings, every: Duration) -> Self {
        let state = State {
            parts: BTreeMap::new(),
            found: VecDeque::new(),
            looked: Instant::now(),
            suspicious: false,
            complaints: 0,
        };
        Self {
            settings: settings.clone(),
            every,
            any_found: AtomicBool::new(false),
            state: Mutex::new(state),
            look: Arc::default(),
        }
    }

    /// These partitions are read from here on, and no others.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long nothing moves is measured in wall-clock time"
    )]
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
        let places = self.places(consumer, reported, may_be);
        let stored = asked(consumer, &self.settings, places);
        let same = |stored: &Stored| reported.is_none_or(|offset| offset == stored.base);
        // One before that which is reported: librdkafka took it for empty and said nothing of it.
        let not_behind = |stored: &Stored| reported.is_none_or(|offset| offset >= stored.base);
        let broken: Vec<_> = stored.iter().filter(|(.., s)| not_behind(s) && s.fault.is_some()).collect();
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

    /// Has a thread look, if it is time, at the partitions in which nothing has moved since the
    /// last look, and goes on behind what the one before found there. Asks the cluster nothing.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long nothing moves is measured in wall-clock time"
    )]
    pub(crate) fn look_now_and_then<C: ConsumerContext + 'static>(&self, consumer: &Arc<BaseConsumer<C>>) {
        let mut result = held(&self.look);
        if matches!(*result, Look::GoesOn) {
            return;
        }
        let last = std::mem::take(&mut *result);
        drop(result);
        if let Look::Found(all) = last {
            self.skip_unreadable(consumer, all);
        }
        let mut state = self.held();
        let every = if state.suspicious { SOON.min(self.every) } else { self.every };
        if state.looked.elapsed() < every || state.parts.is_empty() {
            return;
        }
        state.looked = Instant::now();
        state.suspicious = false;
        let read = consumer.position().unwrap_or_default();
        let mut still = Vec::new();
        for (at, part) in &mut state.parts {
            let next = part.next(at, &read);
            let stands = part.stood.replace(next.unwrap_or(UNREAD)) == Some(next.unwrap_or(UNREAD));
            if stands && (next.is_some() || part.start == Start::Beginning) {
                still.push((at.clone(), next));
            }
        }
        drop(state);
        if still.is_empty() {
            return;
        }
        *held(&self.look) = Look::GoesOn;
        let (looks, result) = (Arc::clone(consumer), Arc::clone(&self.look));
        let settings = self.settings.clone();
        let looking = thread::Builder::new().name("survey".into()).spawn(move || {
            let found = look(&looks, &settings, still);
            *held(&result) = if found.is_empty() { Look::None } else { Look::Found(found) };
        });
        if let Err(error) = looking {
            tracing::debug!("looking at partitions in which nothing moves: {error}");
            *held(&self.look) = Look::None;
        }
    }

    /// Moves the consumer past what a look has found, where it is still before it: it may have
    /// been given other partitions meanwhile, or have moved.
    fn skip_unreadable<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        found: Vec<(LogPosition, Unreadable)>,
    ) {
        let read = consumer.position().unwrap_or_default();
        for ((at, next), unreadable) in found {
            let stands = self.held().parts.get(&at).is_some_and(|part| match part.next(&at, &read) {
                Some(now) => now == next,
                None => part.start == Start::Beginning,
            });
            if stands {
                self.skip(consumer, unreadable);
            }
        }
    }

    /// Where the partitions stand that `wanted` names. Of those that have not been read yet from
    /// an offset that is known, at `otherwise`.
    fn places<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        otherwise: Option<i64>,
        wanted: impl Fn(&TopicPartition) -> bool,
    ) -> Vec<LogPosition> {
        let read = consumer.position().unwrap_or_default();
        let mut places = Vec::new();
        for (at, part) in &self.held().parts {
            let next = match (part.next(at, &read), part.start) {
                (None, Start::Beginning) => beginning(consumer, at),
                (None, _) => otherwise,
                (known, _) => known,
            };
            if let Some(next) = next.filter(|_| wanted(at)) {
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
        held(&self.state)
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The unreadable offsets at these positions; where none is known, at the beginning.
fn look<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    settings: &Settings,
    still: Vec<(TopicPartition, Option<i64>)>,
) -> Vec<(LogPosition, Unreadable)> {
    let places = still
        .into_iter()
        .filter_map(|(at, next)| {
            let next = next.or_else(|| beginning(consumer, &at))?;
            Some((at, next))
        })
        .collect();
    asked(consumer, settings, behind_the_end(consumer, places))
        .into_iter()
        .filter(|(.., stored)| stored.fault.is_some())
        .map(|(at, next, stored)| {
            let unreadable = stored.unreadable(at.clone(), next, "");
            ((at, next), unreadable)
        })
        .collect()
}

/// The first offset that the log has.
fn beginning<C: ConsumerContext>(consumer: &BaseConsumer<C>, at: &TopicPartition) -> Option<i64> {
    consumer.fetch_watermarks(&at.topic, at.partition, PATIENCE).ok().map(|(first, _)| first)
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
///
/// A consumer's position stands before batches that it is handed nothing of, so these are stepped
/// over.
fn asked<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    settings: &Settings,
    places: Vec<LogPosition>,
) -> Vec<(TopicPartition, i64, Stored)> {
    let mut leaders: HashMap<String, HashMap<i32, String>> = HashMap::new();
    let mut connections: HashMap<String, BrokerConnection> = HashMap::new();
    let mut all = Vec::new();
    for (at, next) in places {
        let of_topic = leaders
            .entry(at.topic.clone())
            .or_insert_with(|| leaders_of(consumer, &at.topic).unwrap_or_default());
        let Some(address) = of_topic.get(&at.partition) else { continue };
        if !connections.contains_key(address) {
            match BrokerConnection::connect(address, settings) {
                Ok(connection) => drop(connections.insert(address.clone(), connection)),
                Err(error) => {
                    tracing::debug!("asking {address} what lies at {at}@{next}: {error}");
                    continue;
                }
            }
        }
        let connection = connections.get_mut(address).expect("it was there, or put there");
        match connection.batch(&at, next) {
            Ok(Some(stored)) => all.push((at, next, stored)),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!("asking {address} what lies at {at}@{next}: {error}");
                connections.remove(address);
            }
        }
    }
    all
}

/// The address of each partition's leader.
pub(crate) fn leaders_of<C: ConsumerContext>(
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
