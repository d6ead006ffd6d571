//! What is learnt from all clicks, and the page that one session gets from it.
//!
//! The probability that an item comes next is estimated three times, and the estimates are added:
//!
//! 1. **Neighbours** (VMIS-kNN: Kersbergen, Sprangers and Schelter, "Serenade", SIGMOD 2022). Each
//!    of the shopper's latest items votes for the m latest sessions that met it, later items with
//!    more weight; the k sessions with most votes are the neighbours, and their other items are
//!    proposed. As in STAN (Garg and others, SIGIR 2019) a neighbour weighs less the older it is,
//!    and an item of a neighbour weighs less the further it is from the item in common. How much
//!    less is learnt.
//! 2. **Companions**: what came before or after each of the latest items in any session, nearer
//!    ones with more weight ("sequential rules", Ludewig and Jannach, UMUAI 2018). The weights by
//!    distance and direction are learnt ([`super::order_weights`]). The companions of the best
//!    proposals so far are proposed in turn: two steps of a random walk over the graph of items.
//!    In a large shop most items have few companions, and the second step finds most of what is
//!    known.
//! 3. **Trending**: what all sessions meet now. It breaks ties, fills pages for which the other two
//!    know too little, and is the whole page of a session of which nothing is known.
//!
//! # Simplifications
//! - Items are names: no category, price or text is used, so an item is proposed only after a
//!   session has met it.
//! - Nothing is learnt from pages that were shown and not clicked.
//! - A bot's first clicks count until its rhythm shows that it is one.
//! - When a slot of the catalogue is given to another item, the lists of trending items are one
//!   shorter until the next click.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events::{PAGE_ITEMS, Timestamp};

use super::catalogue::{Catalogue, ItemId, tag};
use super::companions::Companions;
use super::config::RecommendationsConfig;
use super::decay_watermark;
use super::order_weights::{MAX_DISTANCE, OrderWeights};
use super::session_index::SessionIndex;
use super::trending::Trending;
use super::visit::{SessionItem, Visit};
use processor::event_time::Watermark;

/// The factor on an item of the session for each item that was met after it.
const POSITION_DECAY: f32 = 0.7;
/// The half-life of an item of the session: a shopper who comes back the next day wants something
/// else.
const AGE_HALF_LIFE_MINUTES: f32 = 12.0 * 60.0;
/// The factor on an item of a neighbour for each step away from the common item, beyond the
/// distances whose weights are learnt.
const DISTANCE_DECAY: f32 = 0.7;
/// A page is made from at most so many of the latest items, whatever the configuration says.
const MAX_RECENT_ITEMS: usize = 32;
/// How many items back a new item is counted as a companion.
const COMPANION_DISTANCE: usize = MAX_DISTANCE;
/// The weight of the prior against the neighbours, in neighbours.
const NEIGHBOUR_PRIOR: f64 = 1.0;
/// The weight of the prior against the companions, in companions.
const COMPANION_PRIOR: f64 = 2.0;
/// So many of the best proposals have their companions proposed in turn.
const EXPANDED_PROPOSALS: usize = PAGE_ITEMS;

/// Everything that is learnt.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) catalogue: Catalogue,
    index: SessionIndex,
    companions: Companions,
    trending: Trending,
    order: OrderWeights,
    watermark: Watermark,
}

/// Working memory of an answer, kept from one to the next so that answering allocates nothing.
/// Indexed by slots of items and by places of sessions, of whichever model makes a page.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The number of the page, so that marks of earlier pages need not be cleared.
    page: u32,
    /// The last page from which this slot's item was excluded.
    excluded: Vec<u32>,
    /// Tags of items that the session has met and that were evicted since: one may be in the
    /// catalogue again, under another number.
    evicted: Vec<u32>,
    scores: Vec<Score>,
    /// The items with a score on this page.
    proposed: Vec<ItemId>,
    votes: Vec<Votes>,
    /// Places of sessions with votes.
    voted: Vec<u32>,
    neighbours: Vec<Neighbour>,
    best: Vec<(f32, ItemId)>,
}

/// The working memory of a recommender and of its clones: it holds nothing between two pages, and
/// one for each partition would take a megabyte.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedScratch(Arc<Mutex<Scratch>>);

impl SharedScratch {
    pub(super) fn lock(&self) -> MutexGuard<'_, Scratch> {
        // A page begins by clearing what another one left.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    page: u32,
    value: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    page: u32,
    sum: f32,
    /// The latest item in common, by its place from the end of the session.
    common: u32,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    weight: f32,
    place: u32,
    common: u32,
}

impl Model {
    pub(super) fn new(config: &RecommendationsConfig) -> Self {
        Self::starting_at(config, 0)
    }

    fn starting_at(config: &RecommendationsConfig, now_ms: i64) -> Self {
        Self {
            catalogue: Catalogue::new(config.items),
            index: SessionIndex::new(
                config.sessions,
                config.entries,
                config.posting,
                config.neighbour_half_life_ms,
                now_ms,
            ),
            companions: Companions::new(config.companions, config.companion_half_life_ms, now_ms),
            trending: Trending::new(
                config.trend_half_life_ms,
                config.popularity_half_life_ms,
                config.popularity_prior,
                now_ms,
            ),
            order: OrderWeights::new(),
            watermark: decay_watermark(),
        }
    }

    /// Takes the time of an event that has arrived; returns the watermark that follows.
    pub(super) fn advance(&mut self, at: Timestamp, config: &RecommendationsConfig) -> i64 {
        let starts = self.watermark.now().is_none() || self.watermark.would_restart(at);
        let now_ms = self.watermark.observe(at).ms();
        if starts {
            // The catalogue stays: so far it has one item at most.
            let catalogue = std::mem::replace(&mut self.catalogue, Catalogue::new(0));
            *self = Self { catalogue, watermark: self.watermark, ..Self::starting_at(config, now_ms) };
        }
        now_ms
    }

    /// The model's time in milliseconds, 0 before the first event.
    pub(super) fn now_ms(&self) -> i64 {
        self.watermark.now().map_or(0, Timestamp::ms)
    }

    /// The item of this name; it gets a number if it has none, for which another item may be
    /// evicted.
    pub(super) fn get_or_insert(&mut self, name: &str) -> SessionItem {
        let lookup = self.catalogue.get_or_insert(name);
        if lookup.recycled {
            let slot = lookup.item.slot();
            self.index.clear(slot);
            self.companions.clear(slot);
            self.trending.clear(slot);
        }
        SessionItem::new(lookup.item, self.catalogue.tag(lookup.item))
    }

    /// The item of this name as this model knows it, which does not change: an unknown item stays
    /// unknown.
    pub(super) fn find(&self, name: &str) -> SessionItem {
        SessionItem::new(self.catalogue.find(name).unwrap_or(ItemId::UNKNOWN), tag(name))
    }

    /// Learns that a session has met an item for the first time: the last of `visit`. The time of a
    /// late event is earlier than now.
    pub(super) fn learn(&mut self, visit: &mut Visit, at_ms: i64) {
        let Some((&latest, earlier)) = visit.items.split_last() else { return };
        let item = latest.item;
        let now_ms = self.now_ms();
        let at_ms = at_ms.min(now_ms);
        let before = earlier.last().filter(|met| self.catalogue.contains(met.item));
        visit.training_examples += 1;
        visit.number = match (visit.number, before) {
            (Some(number), _) if self.index.contains(number) => Some(number),
            (_, Some(before)) => {
                let number = self.index.add_session();
                self.index.add_item(number, before.item, at_ms, now_ms);
                Some(number)
            }
            (_, None) => None,
        };
        if let Some(number) = visit.number {
            self.index.add_item(number, item, at_ms, now_ms);
        }
        self.trending.add(item, at_ms, now_ms, &self.catalogue);
        self.order.learn(item, earlier.iter().rev().map(|met| met.item));
        let weights = *self.order.weights();
        for (steps, met) in earlier.iter().rev().take(COMPANION_DISTANCE).enumerate() {
            if self.catalogue.contains(met.item) {
                let near = f64::from(decayed(latest.minutes_after(met)));
                self.companions.add(met.item, item, near * f64::from(weights.after[steps]), at_ms, now_ms);
                self.companions.add(item, met.item, near * f64::from(weights.before[steps]), at_ms, now_ms);
            }
        }
    }

    /// The session is a bot's: it is no neighbour from now on.
    pub(super) fn mark_as_bot(&mut self, number: u32) {
        self.index.mark_as_bot(number);
    }

    /// The page for a session, best first: at most [`PAGE_ITEMS`] items, none that it has met.
    /// `itself` is the session's own number in this model's index.
    pub(super) fn page(
        &self,
        visit: &Visit,
        itself: Option<u32>,
        scratch: &mut Scratch,
        config: &RecommendationsConfig,
    ) -> Vec<String> {
        if visit.overflowed {
            return Vec::new();
        }
        scratch.begin(self.catalogue.len(), self.index.len());
        for met in &visit.items {
            scratch.exclude(met, &self.catalogue);
        }
        self.score_neighbours(visit, itself, scratch, config);
        self.score_companions(visit, scratch, config);
        if config.blend.companions > 0.0 {
            self.score_second_step(scratch);
        }
        self.best(scratch, config)
    }

    /// The page for someone who has no session yet.
    pub(super) fn front_page(&self, scratch: &mut Scratch, config: &RecommendationsConfig) -> Vec<String> {
        self.page(&Visit::default(), None, scratch, config)
    }

    fn score_neighbours(
        &self,
        visit: &Visit,
        itself: Option<u32>,
        scratch: &mut Scratch,
        config: &RecommendationsConfig,
    ) {
        for (common, (met, weight)) in (0_u32..).zip(latest(visit, config)) {
            if self.catalogue.contains(met.item) {
                for (number, place) in self.index.sessions_with(met.item) {
                    if Some(number) != itself {
                        scratch.vote(place, weight, common);
                    }
                }
            }
        }
        scratch.choose_neighbours(&self.index, config.neighbours);

        let neighbours = std::mem::take(&mut scratch.neighbours);
        let total: f64 = neighbours.iter().map(|neighbour| f64::from(neighbour.weight)).sum();
        // A neighbour's weight becomes its share of all of them and of the prior.
        let unit = config.blend.neighbours / (total + NEIGHBOUR_PRIOR / self.index.unit(self.now_ms()));
        let weights = self.order.weights();
        for neighbour in &neighbours {
            let items = &self.index.at(neighbour.place).items;
            let common = visit.items[visit.items.len() - 1 - neighbour.common as usize].item;
            let Some(common) = items.iter().position(|&item| item == common) else { continue };
            let weight = (f64::from(neighbour.weight) * unit) as f32;
            for (steps, (before, after)) in by_distance(items, common).enumerate() {
                let near = steps.min(MAX_DISTANCE - 1);
                let far = DISTANCE_DECAY.powi((steps - near) as i32);
                for (item, weight) in [
                    (after, far * weights.after[near] * weight),
                    (before, far * weights.before[near] * weight),
                ] {
                    if let Some(item) = item.filter(|&item| self.catalogue.contains(item)) {
                        scratch.score(item, weight);
                    }
                }
            }
        }
        scratch.neighbours = neighbours;
    }

    fn score_companions(&self, visit: &Visit, scratch: &mut Scratch, config: &RecommendationsConfig) {
        let total: f32 = latest(visit, config).map(|(_, weight)| weight).sum();
        for (met, weight) in latest(visit, config).filter(|(met, _)| self.catalogue.contains(met.item)) {
            let weight = config.blend.companions as f32 * weight / total;
            for (item, chance) in self.companions.shares(met.item, self.now_ms(), COMPANION_PRIOR) {
                if self.catalogue.contains(item) {
                    scratch.score(item, weight * chance);
                }
            }
        }
    }

    fn score_second_step(&self, scratch: &mut Scratch) {
        let mut first = std::mem::take(&mut scratch.best);
        first.clear();
        first.extend(scratch.proposed.iter().map(|&item| (scratch.scores[item.slot()].value, item)));
        self.keep_best(&mut first, EXPANDED_PROPOSALS);
        for &(value, via) in &first {
            for (item, chance) in self.companions.shares(via, self.now_ms(), COMPANION_PRIOR) {
                if self.catalogue.contains(item) {
                    scratch.score(item, value * chance);
                }
            }
        }
        scratch.best = first;
    }

    fn best(&self, scratch: &mut Scratch, config: &RecommendationsConfig) -> Vec<String> {
        for item in self.trending.leaders() {
            scratch.score(item, 0.0);
        }
        let shares = self.trending.shares(self.now_ms());
        let Scratch { proposed, scores, best, evicted, .. } = scratch;
        if !evicted.is_empty() {
            proposed.retain(|&item| !evicted.contains(&self.catalogue.tag(item)));
        }
        best.clear();
        best.extend(proposed.iter().map(|&item| {
            let value = scores[item.slot()].value + (config.blend.trending * shares.of(item)) as f32;
            (value, item)
        }));
        self.keep_best(best, PAGE_ITEMS);
        best.sort_unstable_by(|&a, &b| self.order(a, b));
        best.iter().map(|&(_, item)| self.catalogue.name(item).to_owned()).collect()
    }

    /// Leaves the best `most` of them, in any order.
    fn keep_best(&self, items: &mut Vec<(f32, ItemId)>, most: usize) {
        if items.len() > most {
            items.select_nth_unstable_by(most, |&a, &b| self.order(a, b));
            items.truncate(most);
        }
    }

    /// Better items first.
    fn order(&self, a: (f32, ItemId), b: (f32, ItemId)) -> Ordering {
        b.0.total_cmp(&a.0).then_with(|| self.catalogue.by_name(a.1, b.1))
    }
}

/// The session's latest items, the latest first, each with its weight.
fn latest<'a>(
    visit: &'a Visit,
    config: &RecommendationsConfig,
) -> impl Iterator<Item = (&'a SessionItem, f32)> {
    let last = visit.items.last();
    let decay = std::iter::successors(Some(1.0), |decay| Some(decay * POSITION_DECAY));
    let most = config.recent_items.min(MAX_RECENT_ITEMS);
    visit.items.iter().rev().take(most).zip(decay).map(move |(met, decay)| {
        let age = last.map_or(0, |last| last.minutes_after(met));
        (met, decay * decayed(age) * met.interest)
    })
}

/// What is left of an item's weight after so many minutes.
fn decayed(minutes: u32) -> f32 {
    (-(minutes as f32) / AGE_HALF_LIFE_MINUTES).exp2()
}

/// Pairs of items at the same distance from a place: the one before it, the one after it; nearest
/// first. Beyond this distance an item's weight would be less than a hundredth.
fn by_distance(items: &[ItemId], place: usize) -> impl Iterator<Item = (Option<ItemId>, Option<ItemId>)> {
    const FURTHEST: usize = 12;
    (1..=FURTHEST)
        .map(move |distance| {
            let before = place.checked_sub(distance).map(|place| items[place]);
            (before, items.get(place + distance).copied())
        })
        .take_while(|(before, after)| before.is_some() || after.is_some())
}

impl Scratch {
    fn begin(&mut self, items: usize, sessions: usize) {
        if self.page == u32::MAX {
            *self = Self::default();
        }
        self.page += 1;
        if self.excluded.len() < items {
            self.excluded.resize(items, 0);
            self.scores.resize(items, Score::default());
        }
        if self.votes.len() < sessions {
            self.votes.resize(sessions, Votes::default());
        }
        self.evicted.clear();
        self.proposed.clear();
        self.voted.clear();
    }

    fn exclude(&mut self, met: &SessionItem, catalogue: &Catalogue) {
        if catalogue.contains(met.item) {
            self.excluded[met.item.slot()] = self.page;
        } else {
            self.evicted.push(met.tag);
        }
    }

    /// Adds to an item's score, unless the session has met it.
    fn score(&mut self, item: ItemId, more: f32) {
        if self.excluded[item.slot()] == self.page {
            return;
        }
        let score = &mut self.scores[item.slot()];
        if score.page == self.page {
            score.value += more;
        } else {
            *score = Score { page: self.page, value: more };
            self.proposed.push(item);
        }
    }

    fn vote(&mut self, place: u32, vote: f32, common: u32) {
        let votes = &mut self.votes[place as usize];
        if votes.page == self.page {
            votes.sum += vote;
        } else {
            *votes = Votes { page: self.page, sum: vote, common };
            self.voted.push(place);
        }
    }

    /// The `most` sessions whose votes weigh most; of equal ones, those that began later.
    fn choose_neighbours(&mut self, index: &SessionIndex, most: usize) {
        let Self { voted, votes, neighbours, .. } = self;
        neighbours.clear();
        neighbours.extend(voted.iter().map(|&place| {
            let Votes { sum, common, .. } = votes[place as usize];
            Neighbour { weight: sum * index.at(place).weight, place, common }
        }));
        if neighbours.len() > most {
            neighbours.select_nth_unstable_by(most, |a, b| {
                b.weight.total_cmp(&a.weight).then_with(|| b.place.cmp(&a.place))
            });
            neighbours.truncate(most);
        }
    }
}
