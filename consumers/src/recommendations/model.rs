//! What everybody's clicks have taught, and the page that one session gets from it.
//!
//! An item's chance to come next is estimated three times, and the estimates are added:
//!
//! 1. **Neighbours** (VMIS-kNN: Kersbergen, Sprangers and Schelter, "Serenade", SIGMOD 2022). Each
//!    of the shopper's latest items votes for the m latest sessions that met it, later items with
//!    more weight; the k sessions with most votes are the neighbours, and what else they met is
//!    proposed. As in STAN (Garg and others, SIGIR 2019) a neighbour counts less the older it is,
//!    and an item of it the further it stands from the item both have met, by as much as is learnt.
//! 2. **Companions**: what came before or after each of the latest items in any session, nearer
//!    ones with more weight ("sequential rules", Ludewig and Jannach, UMUAI 2018). What nearer is
//!    worth, and what before, is learnt ([`super::order`]). What comes with the best proposals so
//!    far is proposed in turn: two steps of a walk over the graph of items, and most of what is
//!    known where the first step knows little, as with most items of a large shop.
//! 3. **Trending**: what everybody meets now. It breaks ties, fills pages of which the others know
//!    too little, and is the whole page of someone of whom nothing is known.
//!
//! # Simplifications
//! - Items are names: no category, price or text is looked at, so an item is proposed only after
//!   somebody met it.
//! - Nothing is learnt from pages that were shown and not clicked.
//! - A program's first clicks count until its rhythm gives it away.
//! - When a slot of the catalogue goes to another item, the lists of trending items are one shorter
//!   until the next meeting.

use std::cmp::Ordering;

use events::{PAGE_ITEMS, Timestamp};

use super::catalogue::{Catalogue, ItemId, tag};
use super::companions::Companions;
use super::config::RecommendationsConfig;
use super::decay_watermark;
use super::order::{OrderSense, REACH};
use super::past::PastSessions;
use super::trending::Trending;
use super::visits::{Met, Visit};
use processor::event_time::Watermark;

/// How much less an item of the session counts for each one that was met after it.
const POSITION_DECAY: f32 = 0.7;
/// And for each time this long that lies between: a shopper who comes back the next day wants
/// something else.
const AGE_HALF_LIFE_MINUTES: f32 = 12.0 * 60.0;
/// How much less an item of a neighbour counts for each step away from the common one, beyond what
/// is learnt about.
const DISTANCE_DECAY: f32 = 0.7;
/// More of the latest items than this are not asked, whatever the configuration says.
const MOST_RECENT_ITEMS: usize = 32;
/// How far back a new item is counted as a companion of those met before it.
const COMPANION_REACH: usize = REACH;
/// How many neighbours' worth of doubt there is about neighbours.
const NEIGHBOUR_PRIOR: f64 = 1.0;
/// How many companions' worth of doubt there is about companions.
const COMPANION_PRIOR: f64 = 2.0;
/// So many of the best proposals are asked for their companions in turn.
const PROPOSALS_ASKED: usize = PAGE_ITEMS;

/// Everything learnt.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) catalogue: Catalogue,
    past: PastSessions,
    companions: Companions,
    trending: Trending,
    order: OrderSense,
    watermark: Watermark,
}

/// Working memory of an answer, kept from one to the next so that answering allocates nothing. By
/// slots and places.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Counts up with every page, so that marks of earlier pages need not be wiped.
    page: u32,
    /// The last page that left out this slot's item.
    met: Vec<u32>,
    /// Tags of items that the session has met and that have been forgotten since: somebody may have
    /// met one anew.
    gone: Vec<u32>,
    scores: Vec<Score>,
    /// Whose score counts on this page.
    proposed: Vec<ItemId>,
    votes: Vec<Votes>,
    /// Places of sessions that got votes.
    voted: Vec<u32>,
    neighbours: Vec<Neighbour>,
    best: Vec<(f32, ItemId)>,
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
    /// The latest item that both have met, by its place from the end of the session.
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
        Self::beginning(config, 0)
    }

    fn beginning(config: &RecommendationsConfig, now_ms: i64) -> Self {
        Self {
            catalogue: Catalogue::new(config.items),
            past: PastSessions::new(
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
            order: OrderSense::new(),
            watermark: decay_watermark(),
        }
    }

    /// An event of this time has arrived: returns the time it is now.
    pub(super) fn advance(&mut self, at: Timestamp, config: &RecommendationsConfig) -> i64 {
        let begins = self.watermark.now().is_none() || self.watermark.would_restart(at);
        let now_ms = self.watermark.observe(at).ms();
        if begins {
            // What has been met so far keeps its number: one item at most.
            let catalogue = std::mem::replace(&mut self.catalogue, Catalogue::new(0));
            *self = Self { catalogue, watermark: self.watermark, ..Self::beginning(config, now_ms) };
        }
        now_ms
    }

    /// The model's time in milliseconds, 0 before the first event.
    pub(super) fn now_ms(&self) -> i64 {
        self.watermark.now().map_or(0, Timestamp::ms)
    }

    /// The number of an item, which it is given if it has none; another item's memory may have to
    /// go for it.
    pub(super) fn meet(&mut self, name: &str) -> Met {
        let meeting = self.catalogue.meet(name);
        if meeting.recycled {
            let slot = meeting.item.slot();
            self.past.clear(slot);
            self.companions.clear(slot);
            self.trending.clear(slot);
        }
        Met::new(meeting.item, self.catalogue.tag(meeting.item))
    }

    /// What a session meets that this model only looks on at: an item that is not known stays
    /// unknown.
    pub(super) fn look_at(&self, name: &str) -> Met {
        Met::new(self.catalogue.find(name).unwrap_or(ItemId::UNKNOWN), tag(name))
    }

    /// A session has met an item for the first time, now or (a late event) a while ago. The item is
    /// the last in `visit`.
    pub(super) fn learn(&mut self, visit: &mut Visit, at_ms: i64) {
        let Some((&latest, earlier)) = visit.met.split_last() else { return };
        let item = latest.item;
        let now_ms = self.now_ms();
        let at_ms = at_ms.min(now_ms);
        let before = earlier.last().filter(|met| self.catalogue.knows(met.item));
        visit.lessons += 1;
        visit.number = match (visit.number, before) {
            (Some(number), _) if self.past.remembers(number) => Some(number),
            (_, Some(before)) => {
                let number = self.past.begin();
                self.past.meet(number, before.item, at_ms, now_ms);
                Some(number)
            }
            (_, None) => None,
        };
        if let Some(number) = visit.number {
            self.past.meet(number, item, at_ms, now_ms);
        }
        self.trending.add(item, at_ms, now_ms, &self.catalogue);
        self.order.learn(item, earlier.iter().rev().map(|met| met.item));
        let worth = *self.order.worth();
        for (steps, met) in earlier.iter().rev().take(COMPANION_REACH).enumerate() {
            if self.catalogue.knows(met.item) {
                let near = f64::from(faded(latest.minutes_after(met)));
                self.companions.add(met.item, item, near * f64::from(worth.after[steps]), at_ms, now_ms);
                self.companions.add(item, met.item, near * f64::from(worth.before[steps]), at_ms, now_ms);
            }
        }
    }

    /// The session turned out to be a program's: it is nobody's neighbour any more.
    pub(super) fn unmask(&mut self, number: u32) {
        self.past.unmask(number);
    }

    /// The page for a session, best first: at most [`PAGE_ITEMS`] items, none that it has met.
    /// `itself` is the session's own number in this model's past.
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
            scratch.leave_out(met, &self.catalogue);
        }
        self.ask_neighbours(visit, itself, scratch, config);
        self.ask_companions(visit, scratch, config);
        if config.blend.companions > 0.0 {
            self.ask_companions_of_proposals(scratch);
        }
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
        for (common, (met, weight)) in (0_u32..).zip(latest(visit, config)) {
            if self.catalogue.knows(met.item) {
                for (number, place) in self.past.met(met.item) {
                    if Some(number) != itself {
                        scratch.vote(place, weight, common);
                    }
                }
            }
        }
        scratch.choose_neighbours(&self.past, config.neighbours);

        let neighbours = std::mem::take(&mut scratch.neighbours);
        let total: f64 = neighbours.iter().map(|neighbour| f64::from(neighbour.weight)).sum();
        // A neighbour's weight becomes its share of all, NEIGHBOUR_PRIOR of them being nobody's.
        let unit = config.blend.neighbours / (total + NEIGHBOUR_PRIOR / self.past.unit(self.now_ms()));
        let worth = self.order.worth();
        for neighbour in &neighbours {
            let items = &self.past.at(neighbour.place).items;
            let common = visit.met[visit.met.len() - 1 - neighbour.common as usize].item;
            let Some(common) = items.iter().position(|&item| item == common) else { continue };
            let weight = (f64::from(neighbour.weight) * unit) as f32;
            for (steps, (before, after)) in around(items, common).enumerate() {
                let near = steps.min(REACH - 1);
                let far = DISTANCE_DECAY.powi((steps - near) as i32);
                for (item, weight) in
                    [(after, far * worth.after[near] * weight), (before, far * worth.before[near] * weight)]
                {
                    if let Some(item) = item.filter(|&item| self.catalogue.knows(item)) {
                        scratch.score(item, weight);
                    }
                }
            }
        }
        scratch.neighbours = neighbours;
    }

    fn ask_companions(&self, visit: &Visit, scratch: &mut Scratch, config: &RecommendationsConfig) {
        let total: f32 = latest(visit, config).map(|(_, weight)| weight).sum();
        for (met, weight) in latest(visit, config).filter(|(met, _)| self.catalogue.knows(met.item)) {
            let weight = config.blend.companions as f32 * weight / total;
            for (item, chance) in self.companions.shares(met.item, self.now_ms(), COMPANION_PRIOR) {
                if self.catalogue.knows(item) {
                    scratch.score(item, weight * chance);
                }
            }
        }
    }

    fn ask_companions_of_proposals(&self, scratch: &mut Scratch) {
        let mut first = std::mem::take(&mut scratch.best);
        first.clear();
        first.extend(scratch.proposed.iter().map(|&item| (scratch.scores[item.slot()].value, item)));
        self.keep_best(&mut first, PROPOSALS_ASKED);
        for &(value, via) in &first {
            for (item, chance) in self.companions.shares(via, self.now_ms(), COMPANION_PRIOR) {
                if self.catalogue.knows(item) {
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
        let Scratch { proposed, scores, best, gone, .. } = scratch;
        if !gone.is_empty() {
            proposed.retain(|&item| !gone.contains(&self.catalogue.tag(item)));
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

/// The session's latest items, the latest first, and how much it is about each.
fn latest<'a>(visit: &'a Visit, config: &RecommendationsConfig) -> impl Iterator<Item = (&'a Met, f32)> {
    let last = visit.met.last();
    let decay = std::iter::successors(Some(1.0), |decay| Some(decay * POSITION_DECAY));
    let most = config.recent_items.min(MOST_RECENT_ITEMS);
    visit.met.iter().rev().take(most).zip(decay).map(move |(met, decay)| {
        let age = last.map_or(0, |last| last.minutes_after(met));
        (met, decay * faded(age) * met.interest)
    })
}

/// What is left of an item's weight when this much lies between it and the next.
fn faded(minutes: u32) -> f32 {
    (-(minutes as f32) / AGE_HALF_LIFE_MINUTES).exp2()
}

/// Pairs of items at the same distance from a place: the one before it, the one after it; nearest
/// first. Beyond this reach an item's weight would be less than a hundredth.
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
        self.gone.clear();
        self.proposed.clear();
        self.voted.clear();
    }

    fn leave_out(&mut self, met: &Met, catalogue: &Catalogue) {
        if catalogue.knows(met.item) {
            self.met[met.item.slot()] = self.page;
        } else {
            self.gone.push(met.tag);
        }
    }

    /// Adds to an item's score, unless the session has met it.
    fn score(&mut self, item: ItemId, more: f32) {
        if self.met[item.slot()] == self.page {
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

    /// The `most` sessions whose votes weigh most; of equals, those that began later.
    fn choose_neighbours(&mut self, past: &PastSessions, most: usize) {
        let Self { voted, votes, neighbours, .. } = self;
        neighbours.clear();
        neighbours.extend(voted.iter().map(|&place| {
            let Votes { sum, common, .. } = votes[place as usize];
            Neighbour { weight: sum * past.at(place).say, place, common }
        }));
        if neighbours.len() > most {
            neighbours.select_nth_unstable_by(most, |a, b| {
                b.weight.total_cmp(&a.weight).then_with(|| b.place.cmp(&a.place))
            });
            neighbours.truncate(most);
        }
    }
}
