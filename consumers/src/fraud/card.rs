//! The profile of one card.

use events::{DAY_MS, HOUR_MS};
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::windows::Windows;

/// The most terminals that are remembered for one card, the latest first.
const TERMINALS: usize = 32;
/// The most categories of trade that are remembered for one card.
const CATEGORIES: usize = 12;
/// The most chargebacks whose day is remembered.
const REMEMBERED_CHARGEBACKS: usize = 8;
/// Swipes that follow each other within this are one burst.
const BURST_GAP_MS: i64 = 10 * 60_000;
/// The factor by which a habit of the hour or the trade decays with every swipe.
const HABIT_KEEPS: f32 = 0.99;
/// A fraud that comes so long after the last one begins another episode.
const EPISODE_GAP_MS: i64 = 21 * DAY_MS;

/// The profile of one card. At most 6 KiB of swipes (see [`Windows`]) and 900 bytes of habits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) windows: Windows,
    pub(super) amounts: Baseline,
    pub(super) burst: Burst,
    pub(super) hours: [f32; 24],
    pub(super) chargebacks: ChargebackHistory,
    pub(super) last_at: Option<i64>,
    pub(super) last_location: Option<CardLocation>,
    pub(super) home: Option<CardLocation>,
    /// The model's logit of the worst recent swipe, and when.
    pub(super) suspicion: Option<(i64, f32)>,
    /// When the model was last sure that a swipe was fraud.
    pub(super) alarm_ms: Option<i64>,
    /// Few are ever blocked.
    pub(super) blocked: Option<Box<Block>>,
    terminals: Vec<(u32, u16)>,
    categories: Vec<(u32, f32)>,
}

/// A card that is declined everywhere for a while.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) since_ms: i64,
    pub(super) until_ms: i64,
}

/// Where a card was.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct CardLocation {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) at_ms: i64,
}

/// Swipes in quick succession.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Burst {
    pub(super) count: u32,
    pub(super) started_ms: i64,
    pub(super) last_ms: i64,
    pub(super) largest_cents: i64,
    sum_ln: f32,
}

impl Burst {
    /// Mean of the logarithms of its amounts.
    pub(super) fn mean_ln(&self) -> f32 {
        if self.count == 0 { 0.0 } else { self.sum_ln / self.count as f32 }
    }

    /// The burst as it is for a swipe at `at_ms`: over, if that is too long after.
    pub(super) fn at(self, at_ms: i64) -> Burst {
        if self.count > 0 && (at_ms - self.last_ms).abs() <= BURST_GAP_MS { self } else { Burst::default() }
    }

    fn add(&mut self, at_ms: i64, cents: i64, ln: f32) {
        *self = self.at(at_ms);
        if self.count == 0 {
            *self = Burst { started_ms: at_ms, last_ms: at_ms, largest_cents: cents, ..Burst::default() };
        }
        self.count += 1;
        self.last_ms = self.last_ms.max(at_ms);
        self.started_ms = self.started_ms.min(at_ms);
        self.largest_cents = self.largest_cents.max(cents);
        self.sum_ln += ln;
    }
}

/// The chargebacks of a card or of a terminal so far. Most never have one, and take a word.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ChargebackHistory(Option<Box<Chargebacks>>);

/// The chargebacks of a card or of a terminal that has had one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Chargebacks {
    /// When the latest chargebacks became known, the oldest first; filled with zeros at the front.
    known: [i64; REMEMBERED_CHARGEBACKS],
    /// How many there were.
    frauds: u32,
    /// The first and the last fraudulent swipe of the latest episode.
    episode: Option<(i64, i64)>,
    /// Genuine swipes since the last fraudulent one, as far as they are known.
    genuine_since: u32,
}

impl ChargebackHistory {
    /// Genuine swipes since the last fraudulent one, as far as they are known.
    pub(super) fn genuine_since(&self) -> u32 {
        self.0.as_ref().map_or(0, |known| known.genuine_since)
    }

    /// What it takes beside itself, in bytes.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |_| size_of::<Chargebacks>())
    }

    /// A swipe of `swiped_ms` was fraud: known as of `at_ms`.
    pub(super) fn fraud(&mut self, swiped_ms: i64, at_ms: i64) {
        let this = self.0.get_or_insert_default();
        this.known.rotate_left(1);
        this.known[REMEMBERED_CHARGEBACKS - 1] = at_ms;
        this.frauds = this.frauds.saturating_add(1);
        this.episode = Some(match this.episode {
            Some((first, last)) if (swiped_ms - last).abs() < EPISODE_GAP_MS => {
                (first.min(swiped_ms), last.max(swiped_ms))
            }
            _ => (swiped_ms, swiped_ms),
        });
        if this.episode.is_some_and(|(_, last)| last == swiped_ms) {
            this.genuine_since = 0;
        }
    }

    /// A swipe of `swiped_ms` turned out genuine.
    pub(super) fn genuine(&mut self, swiped_ms: i64) {
        if let Some(this) = &mut self.0
            && this.episode.is_some_and(|(_, last)| swiped_ms > last)
        {
            this.genuine_since = this.genuine_since.saturating_add(1);
        }
    }

    /// How many chargebacks became known in the last day, week and month; at most
    /// [`REMEMBERED_CHARGEBACKS`] each.
    pub(super) fn counts(&self, now_ms: i64) -> [u32; 3] {
        let Some(this) = &self.0 else { return [0; 3] };
        let known =
            &this.known[REMEMBERED_CHARGEBACKS - (this.frauds as usize).min(REMEMBERED_CHARGEBACKS)..];
        [DAY_MS, 7 * DAY_MS, 30 * DAY_MS]
            .map(|span| known.iter().filter(|&&at| at > now_ms - span).count() as u32)
    }

    /// Days since the first and the last fraudulent swipe of the latest episode.
    pub(super) fn episode_days(&self, now_ms: i64) -> Option<(f32, f32)> {
        let days = |since: i64| (now_ms - since) as f32 / DAY_MS as f32;
        self.0.as_ref()?.episode.map(|(first, last)| (days(first), days(last)))
    }
}

impl Card {
    /// How often the card was at this terminal, as far as that is remembered.
    pub(super) fn terminal_visits(&self, terminal: u32) -> u32 {
        self.terminals.iter().find(|known| known.0 == terminal).map_or(0, |known| u32::from(known.1))
    }

    /// All that it takes, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.windows.heap_bytes()
            + self.chargebacks.heap_bytes()
            + self.blocked.as_ref().map_or(0, |_| size_of::<Block>())
            + self.terminals.capacity() * size_of::<(u32, u16)>()
            + self.categories.capacity() * size_of::<(u32, f32)>()
    }

    /// How usual this hour is for the card, compared with its share in the `population`: logarithm
    /// of the ratio.
    pub(super) fn hour_habit(&self, hour: usize, population: f32) -> f32 {
        let near = self.hours[hour] + 0.5 * (self.hours[(hour + 23) % 24] + self.hours[(hour + 1) % 24]);
        let total: f32 = self.hours.iter().sum();
        ((0.5 * near + 5.0 * population) / (total + 5.0) / population).ln()
    }

    /// The share of the card's swipes that were in this trade.
    pub(super) fn category_share(&self, category: u32) -> f32 {
        let total: f32 = self.categories.iter().map(|known| known.1).sum();
        let of_it = self.categories.iter().find(|known| known.0 == category).map_or(0.0, |known| known.1);
        of_it / (total + 1.0)
    }

    /// Learns a swipe that was scored: where it was, when, how much.
    pub(super) fn learn(&mut self, at_ms: i64, cents: i64, ln: f32, terminal: u32, category: Option<u32>) {
        self.burst.add(at_ms, cents, ln);
        self.hours.iter_mut().for_each(|weight| *weight *= HABIT_KEEPS);
        self.hours[hour_of(at_ms)] += 1.0;
        remember(&mut self.terminals, terminal);
        if let Some(category) = category {
            self.categories.iter_mut().for_each(|known| known.1 *= HABIT_KEEPS);
            if let Some(known) = self.categories.iter_mut().find(|known| known.0 == category) {
                known.1 += 1.0;
            } else {
                if self.categories.len() == CATEGORIES {
                    self.categories.remove(0);
                }
                self.categories.push((category, 1.0));
            }
        }
        self.last_at = Some(self.last_at.map_or(at_ms, |last| last.max(at_ms)));
    }

    /// Learns where the card is. Its home drifts to where it is used.
    pub(super) fn learn_location(&mut self, location: CardLocation) {
        if self.last_location.is_none_or(|last| last.at_ms <= location.at_ms) {
            self.last_location = Some(location);
        }
        let home = self.home.get_or_insert(location);
        home.lat += 0.1 * (location.lat - home.lat);
        home.lon += 0.1 * (location.lon - home.lon);
    }
}

/// Counts a visit. The latest terminal comes first; the least recently visited is dropped.
fn remember(terminals: &mut Vec<(u32, u16)>, terminal: u32) {
    if let Some(at) = terminals.iter().position(|known| known.0 == terminal) {
        terminals[..=at].rotate_right(1);
        terminals[0].1 = terminals[0].1.saturating_add(1);
    } else {
        if terminals.len() == TERMINALS {
            terminals.pop();
        }
        terminals.insert(0, (terminal, 1));
    }
}

/// The hour of the day in UTC of an instant in milliseconds.
pub(super) fn hour_of(at_ms: i64) -> usize {
    (at_ms.rem_euclid(DAY_MS) / HOUR_MS) as usize
}
