//! What everybody's clicks have taught, and the page that one session gets from it.
//!
//! An item's chance to come next is estimated three times, and the estimates are added:
//!
//! 1. **Neighbours** (VMIS-kNN: Kersbergen, Sprangers and Schelter, "Serenade", SIGMOD 2022). Each of the shopper's
//!    latest items votes for the m latest sessions that met it, later items with more weight; the k sessions with most
//!    votes are the neighbours, and what else they met is proposed. As in STAN (Garg and others, SIGIR 2019) a neighbour
//!    counts less the older it is, and an item of it the further it stands from the item both have met.
//! 2. **Companions**: what came before or after each of the latest items in any session, nearer ones with more weight
//!    ("sequential rules", Ludewig and Jannach, UMUAI 2018).
//! 3. **Trending**: what everybody meets now. It breaks ties, fills pages of which the others know too little, and is
//!    the whole page of someone of whom nothing is known.
//!
//! # Simplifications
//! - Items are names: no category, price or text is looked at, so an item is proposed only after somebody met it.
//! - Nothing is learnt from pages that were shown and not clicked.
//! - A program's first clicks count until its rhythm gives it away.
//! - When a slot of the catalogue goes to another item, the lists of trending items are one shorter until the next meeting.

use std::cmp::Ordering;

use events::PAGE_ITEMS;

use super::catalogue::{Catalogue, ItemId};
use super::clock::Clock;
use super::companions::CompanionRow;
use super::config::RecommendationsConfig;
use super::past::PastSessions;
use super::trending::Trending;
use super::visits::{Met, Visit};

/// How much less an item of the session counts for each one that was met after it.
const POSITION_DECAY: f64 = 0.7;
/// How much less an item of a neighbour counts for each step away from the common one.
const DISTANCE_DECAY: f64 = 0.7;
/// More of the latest items than this are not asked, whatever the configuration says.
const MOST_RECENT_ITEMS: usize = 32;
/// How far back a new item is counted as a companion of those met before it.
const COMPANION_REACH: usize = 6;
/// What "b, then a" says about a after b has been met, against "a, then b" about b.
const BACKWARD: f64 = 0.5;
/// How many neighbours' worth of doubt there is about neighbours.
const NEIGHBOUR_PRIOR: f64 = 1.0;
/// How many companions' worth of doubt there is about companions.
const COMPANION_PRIOR: f64 = 2.0;

/// Everything learnt.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) catalogue: Catalogue,
    past: PastSessions,
    /// By slot of the item.
    rows: Vec<CompanionRow>,
    trending: Trending,
    clock: Clock,
}

/// Working memory of an answer, kept from one to the next so that answering allocates nothing. By slots and places.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Counts up with every page, so that marks of earlier pages need not be wiped.
    page: u32,
    /// The last page that left out this slot's item.
    met: Vec<u32>,
    scores: Vec<Score>,
    /// Whose score counts on this page.
    proposed: Vec<ItemId>,
    votes: Vec<Votes>,
    /// Places of sessions that got votes.
    voted: Vec<u32>,
    ranked: Vec<Neighbour>,
    best: Vec<(f64, ItemId)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    page: u32,
    neighbours: f32,
    companions: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    page: u32,
    sum: f32,
    /// The latest item that both have met.
    common: u32,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    weight: f64,
    number: u32,
    common: u32,
}

impl Model {
    pub(super) fn new(config: &RecommendationsConfig) -> Self {
        Self {
            catalogue: Catalogue::new(config.items),
            past: PastSessions::new(config.sessions, config.entries, config.posting),
            rows: Vec::new(),
            trending: Self::trending(config, 0),
            clock: Clock::default(),
        }
    }

    fn trending(config: &RecommendationsConfig, now_ms: i64) -> Trending {
        Trending::new(
            config.trend_half_life_ms,
            config.popularity_half_life_ms,
            config.popularity_prior,
            now_ms,
        )
    }

    /// An event of this time has arrived: returns the time it is now.
    pub(super) fn advance(&mut self, at_ms: i64, config: &RecommendationsConfig) -> i64 {
        if self.clock.now_ms().is_none() {
            self.trending = Self::trending(config, at_ms);
        }
        self.clock.advance(at_ms)
    }

    /// The model's time in milliseconds, 0 before the first event.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms().unwrap_or(0)
    }

    /// The number of an item, which it is given if it has none; another item's memory may have to go for it.
    pub(super) fn meet(&mut self, name: &str, config: &RecommendationsConfig) -> ItemId {
        let meeting = self.catalogue.meet(name);
        let slot = meeting.item.slot();
        if meeting.recycled {
            self.past.clear(slot);
            self.trending.clear(slot);
        }
        if self.rows.len() <= slot || meeting.recycled {
            let row = CompanionRow::new(config.companion_half_life_ms, self.now_ms());
            if slot < self.rows.len() { self.rows[slot] = row } else { self.rows.push(row) }
        }
        meeting.item
    }

    /// A session has met an item for the first time, now or (a late event) a while ago. The item is the last in `visit`.
    pub(super) fn learn(&mut self, visit: &mut Visit, at_ms: i64, config: &RecommendationsConfig) {
        let Some((&Met { item, .. }, earlier)) = visit.met.split_last() else { return };
        let now_ms = self.now_ms();
        let at_ms = at_ms.min(now_ms);
        let number = match visit.number {
            Some(number) if self.past.get(number).is_some() => number,
            _ => self.past.begin(now_ms),
        };
        visit.number = Some(number);
        visit.lessons += 1;
        self.past.meet(number, item, at_ms);
        self.trending.add(item, at_ms, now_ms, &self.catalogue);
        for (steps, met) in (1_i32..).zip(earlier.iter().rev().take(COMPANION_REACH)) {
            if self.catalogue.knows(met.item) {
                let nearness = 1.0 / f64::from(steps);
                let size = config.companions;
                self.rows[met.item.slot()].add(item, nearness, at_ms, now_ms, size);
                self.rows[item.slot()].add(met.item, BACKWARD * nearness, at_ms, now_ms, size);
            }
        }
    }

    /// The session turned out to be a program's: it is nobody's neighbour any more.
    pub(super) fn unmask(&mut self, number: u32) {
        self.past.unmask(number);
    }

    /// The page for a session, best first: at most [`PAGE_ITEMS`] items, none that it has met. `itself` is the
    /// session's own number in this model's past.
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
        scratch.begin(self.catalogue.len(), self.past.len());
        for met in &visit.met {
            if self.catalogue.knows(met.item) {
                scratch.leave_out(met.item);
            }
        }
        self.ask_neighbours(visit, itself, scratch, config);
        self.ask_companions(visit, scratch, config);
        self.best(scratch, config)
    }

    /// The page for someone who has no session yet.
    pub(super) fn front_page(&self, scratch: &mut Scratch, config: &RecommendationsConfig) -> Vec<String> {
        self.page(&Visit::default(), None, scratch, config)
    }

    fn ask_neighbours(
        &self,
        visit: &Visit,
        itself: Option<u32>,
        scratch: &mut Scratch,
        config: &RecommendationsConfig,
    ) {
        let latest = || visit.met.iter().rev().take(config.recent_items.min(MOST_RECENT_ITEMS));
        for ((common, met), decay) in (0_u32..).zip(latest()).zip(decaying(POSITION_DECAY)) {
            if !self.catalogue.knows(met.item) {
                continue;
            }
            let vote = (decay * f64::from(met.interest)) as f32;
            for (number, place) in self.past.met(met.item) {
                if Some(number) != itself {
                    scratch.vote(number, place, vote, common);
                }
            }
        }
        scratch.rank_neighbours(&self.past, self.now_ms(), config);

        let latest: [Option<&Met>; MOST_RECENT_ITEMS] = {
            let mut items = latest();
            std::array::from_fn(|_| items.next())
        };
        let total: f64 = scratch.ranked.iter().map(|neighbour| neighbour.weight).sum();
        let unit = 1.0 / (total + NEIGHBOUR_PRIOR);
        let ranked = std::mem::take(&mut scratch.ranked);
        for neighbour in &ranked {
            let (Some(session), Some(common)) =
                (self.past.get(neighbour.number), latest[neighbour.common as usize])
            else {
                continue;
            };
            let Some(common) = session.items.iter().position(|&item| item == common.item) else { continue };
            let mut weight = neighbour.weight * unit;
            for (before, after) in around(&session.items, common) {
                for item in [after, before].into_iter().flatten() {
                    if self.catalogue.knows(item) {
                        scratch.score(item, |score| score.neighbours += weight as f32);
                    }
                }
                weight *= DISTANCE_DECAY;
            }
        }
        scratch.ranked = ranked;
    }

    fn ask_companions(&self, visit: &Visit, scratch: &mut Scratch, config: &RecommendationsConfig) {
        let latest = || visit.met.iter().rev().take(config.recent_items).zip(decaying(POSITION_DECAY));
        let total: f64 = latest().map(|(met, decay)| decay * f64::from(met.interest)).sum();
        for (met, decay) in latest().filter(|(met, _)| self.catalogue.knows(met.item)) {
            let weight = decay * f64::from(met.interest) / total;
            for (item, chance) in self.rows[met.item.slot()].shares(self.now_ms(), COMPANION_PRIOR) {
                if self.catalogue.knows(item) {
                    scratch.score(item, |score| score.companions += (weight * chance) as f32);
                }
            }
        }
    }

    fn best(&self, scratch: &mut Scratch, config: &RecommendationsConfig) -> Vec<String> {
        for item in self.trending.leaders() {
            scratch.score(item, |_| ());
        }
        let shares = self.trending.shares(self.now_ms());
        let blend = &config.blend;
        let Scratch { proposed, scores, best, .. } = scratch;
        best.clear();
        best.extend(proposed.iter().map(|&item| {
            let score = scores[item.slot()];
            let value = blend.neighbours * f64::from(score.neighbours)
                + blend.companions * f64::from(score.companions)
                + blend.trending * shares.of(item);
            (value, item)
        }));
        let order = |a: &(f64, ItemId), b: &(f64, ItemId)| -> Ordering {
            b.0.total_cmp(&a.0).then_with(|| self.catalogue.by_name(a.1, b.1))
        };
        if best.len() > PAGE_ITEMS {
            best.select_nth_unstable_by(PAGE_ITEMS, order);
            best.truncate(PAGE_ITEMS);
        }
        best.sort_unstable_by(order);
        best.iter().map(|&(_, item)| self.catalogue.name(item).to_owned()).collect()
    }
}

/// 1, and then ever less by the same factor.
fn decaying(factor: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(1.0), move |share| Some(share * factor))
}

/// Pairs of items at the same distance from a place: the one before it, the one after it; nearest first. Beyond this reach
/// an item's weight would be less than a hundredth.
fn around(items: &[ItemId], place: usize) -> impl Iterator<Item = (Option<ItemId>, Option<ItemId>)> {
    const REACH: usize = 12;
    (1..=REACH)
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
        if self.met.len() < items {
            self.met.resize(items, 0);
            self.scores.resize(items, Score::default());
        }
        if self.votes.len() < sessions {
            self.votes.resize(sessions, Votes::default());
        }
        self.proposed.clear();
        self.voted.clear();
        self.ranked.clear();
    }

    fn leave_out(&mut self, item: ItemId) {
        self.met[item.slot()] = self.page;
    }

    fn score(&mut self, item: ItemId, add: impl FnOnce(&mut Score)) {
        if self.met[item.slot()] == self.page {
            return;
        }
        let score = &mut self.scores[item.slot()];
        if score.page != self.page {
            *score = Score { page: self.page, ..Score::default() };
            self.proposed.push(item);
        }
        add(score);
    }

    fn vote(&mut self, number: u32, place: usize, vote: f32, common: u32) {
        let votes = &mut self.votes[place];
        if votes.page == self.page {
            votes.sum += vote;
        } else {
            *votes = Votes { page: self.page, sum: vote, common };
            self.voted.push(number);
        }
    }

    fn rank_neighbours(&mut self, past: &PastSessions, now_ms: i64, config: &RecommendationsConfig) {
        let half_life_ms = config.neighbour_half_life_ms.max(1) as f64;
        for &number in &self.voted {
            let Some((place, session)) = past.find(number) else { continue };
            if session.bot {
                continue;
            }
            let votes = self.votes[place];
            let age = now_ms.saturating_sub(session.last_ms).max(0) as f64 / half_life_ms;
            let weight = f64::from(votes.sum) * (-age).exp2() / (session.items.len() as f64).sqrt();
            self.ranked.push(Neighbour { weight, number, common: votes.common });
        }
        // Numbers wrap round, so age decides which of two equals is the more recent, not size.
        let newest = past.newest();
        let order = |a: &Neighbour, b: &Neighbour| {
            let age = |neighbour: &Neighbour| newest.wrapping_sub(neighbour.number);
            b.weight.total_cmp(&a.weight).then_with(|| age(a).cmp(&age(b)))
        };
        if self.ranked.len() > config.neighbours {
            self.ranked.select_nth_unstable_by(config.neighbours, order);
            self.ranked.truncate(config.neighbours);
        }
        self.ranked.sort_unstable_by(order);
    }
}
