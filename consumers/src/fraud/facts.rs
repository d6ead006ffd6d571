//! The facts at the moment of a swipe, in natural units: amounts, hours, kilometres, days.
//!
//! They are taken before the swipe itself is learnt; `features` turns them into the model's input.

use super::baseline::{Baseline, ln_amount};
use super::card::{Burst, Card, hour_of};
use super::lru_slab::SlotId;
use super::terminal::Terminal;

/// The facts at the moment of a swipe, in natural units, before the swipe itself is learnt; only
/// the windows include it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) cents: i64,
    pub(super) ln: f32,
    pub(super) hour: usize,
    /// Swipes of this card before this one.
    pub(super) history: u32,
    /// Logarithm of the card's usual amount, and this one's *z-score*: how many spreads it lies
    /// above the usual.
    pub(super) usual_ln: f32,
    pub(super) z_card: f32,
    /// The z-scores among the amounts of all cards, and among this terminal's.
    pub(super) z_population: f32,
    pub(super) z_terminal: f32,
    /// Logarithm of the ratio to the largest amount of the card's last 30 days.
    pub(super) over_largest: Option<f32>,
    /// Swipes and cents in the last hour, day, week and month, this one included.
    pub(super) counts: [u32; 4],
    pub(super) sums: [i64; 4],
    /// Since the card's last swipe.
    pub(super) gap_ms: Option<i64>,
    /// How usual the hour is for the card: logarithm of a ratio.
    pub(super) hour_habit: f32,
    /// The burst of swipes that this one follows.
    pub(super) burst: Burst,
    /// How often the card was at this terminal before.
    pub(super) visits: u32,
    pub(super) card_frauds: [u32; 3],
    pub(super) card_episode: Option<(f32, f32)>,
    pub(super) card_genuine_since: u32,
    pub(super) terminal_seen: u32,
    pub(super) terminal_frauds: [u32; 3],
    pub(super) terminal_episode: Option<(f32, f32)>,
    pub(super) terminal_genuine_since: u32,
    /// Share of fraud and number of swipes, for those made in the last mature days.
    pub(super) terminal_rates: [(f32, u32); 3],
    pub(super) outcomes: u16,
    pub(super) matured: u32,
    pub(super) tiny_cards: u32,
    pub(super) rush: f32,
    /// Kilometres and hours since the card's last place; kilometres from its home.
    pub(super) travel: Option<(f32, f32)>,
    pub(super) from_home_km: Option<f32>,
    /// Share of the card's swipes in this trade.
    pub(super) category_share: Option<f32>,
    pub(super) category: Option<u32>,
    /// What is left of the worst recent logit, above the average one.
    pub(super) suspicion: f32,
}

/// The habits of all cards together, which a single swipe is compared with.
#[derive(Clone, Debug, Default)]
pub(super) struct Population {
    pub(super) amounts: Baseline,
    hours: [f32; 24],
}

impl Population {
    pub(super) fn learn(&mut self, at_ms: i64, cents: i64, ln: f32) {
        if cents != 0 {
            self.amounts.learn(ln, None);
        }
        self.hours[hour_of(at_ms)] += 1.0;
        if self.hours.iter().sum::<f32>() > 1e6 {
            self.hours.iter_mut().for_each(|count| *count *= 0.5);
        }
    }

    fn hour_share(&self, hour: usize) -> f32 {
        (self.hours[hour] + 5.0) / (self.hours.iter().sum::<f32>() + 120.0)
    }

    /// Whether an amount is as small as those with which stolen numbers are tested: a fifth of the
    /// usual, or less.
    pub(super) fn is_tiny(&self, cents: i64) -> bool {
        cents > 0 && self.amounts.seen() > 100 && ln_amount(cents) < self.amounts.mean() - 1.6
    }
}

/// A swipe as the facts need it.
pub(super) struct NormalizedSwipe {
    pub(super) at_ms: i64,
    pub(super) cents: i64,
    pub(super) card: SlotId,
    pub(super) terminal: SlotId,
    pub(super) category: Option<u32>,
    pub(super) location: Option<(f64, f64)>,
}

/// After so many swipes a card has habits from which a swipe can differ.
pub(super) const KNOWN: u32 = 8;

/// Half-life of suspicion.
const SUSPICION_MS: f32 = 6.0 * 3_600_000.0;

impl Facts {
    /// `label_days` is the label delay in whole days: what was swiped before has its label; `prior`
    /// is the share of fraud.
    pub(super) fn new(
        swipe: &NormalizedSwipe,
        card: &Card,
        terminal: &Terminal,
        population: &Population,
        label_days: i32,
        prior: f32,
    ) -> Self {
        let &NormalizedSwipe { at_ms, cents, .. } = swipe;
        let ln = ln_amount(cents);
        let hour = hour_of(at_ms);
        let (usual_ln, spread) = card.amounts.usual(&population.amounts);
        let (terminal_ln, terminal_spread) = terminal.amounts.usual(&population.amounts);
        Self {
            cents,
            ln,
            hour,
            history: card.amounts.seen(),
            usual_ln,
            z_card: (ln - usual_ln) / spread,
            z_population: (ln - population.amounts.mean()) / population.amounts.spread(),
            z_terminal: (ln - terminal_ln) / terminal_spread,
            over_largest: card.windows.largest_cents().map(|largest| ln - ln_amount(largest)),
            counts: [0; 4],
            sums: [0; 4],
            gap_ms: card.last_at.map(|last| (at_ms - last).max(0)),
            hour_habit: card.hour_habit(hour, population.hour_share(hour)),
            burst: card.burst.at(at_ms),
            visits: card.terminal_visits(swipe.terminal.number()),
            card_frauds: card.chargebacks.counts(at_ms),
            card_episode: card.chargebacks.episode_days(at_ms),
            card_genuine_since: card.chargebacks.genuine_since(),
            terminal_seen: terminal.amounts.seen(),
            terminal_frauds: terminal.chargebacks.counts(at_ms),
            terminal_episode: terminal.chargebacks.episode_days(at_ms),
            terminal_genuine_since: terminal.chargebacks.genuine_since(),
            terminal_rates: [
                (label_days + 1, label_days + 2),
                (label_days + 1, label_days + 7),
                (label_days + 1, label_days + 30),
            ]
            .map(|(from, to)| terminal.rate(at_ms, from, to, prior)),
            outcomes: terminal.outcomes,
            matured: terminal.matured,
            tiny_cards: terminal.tiny_cards(at_ms),
            rush: terminal.rush(at_ms),
            travel: swipe.location.zip(card.last_location).map(|(here, last)| {
                (kilometres(here, (last.lat, last.lon)), (at_ms - last.at_ms).unsigned_abs() as f32 / 3.6e6)
            }),
            from_home_km: swipe
                .location
                .zip(card.home)
                .map(|(here, home)| kilometres(here, (home.lat, home.lon))),
            category_share: swipe.category.map(|category| card.category_share(category)),
            category: swipe.category,
            suspicion: card.suspicion.map_or(0.0, |(when_ms, logit)| {
                logit
                    * (-((at_ms - when_ms).unsigned_abs() as f32) / SUSPICION_MS * std::f32::consts::LN_2)
                        .exp()
            }),
        }
    }

    /// Counts the swipe itself, once it is in the card's windows.
    pub(super) fn count(&mut self, counts: [u32; 4], sums: [i64; 4]) {
        self.counts = counts;
        self.sums = sums;
    }

    /// Whether the last day holds more swipes than twice what is usual for a card that is known.
    pub(super) fn crowded_day(&self) -> bool {
        self.history >= KNOWN && over_usual(self.counts[1] as f32, self.counts[3] as f32, 30.0) > 0.7
    }

    /// Speed that the card would have had to travel at, km/h; none for a short way, which places on
    /// a map can't tell.
    pub(super) fn speed_kmh(&self) -> Option<f32> {
        self.travel.map(|(km, hours)| if km < 5.0 { 0.0 } else { km / hours.max(0.05) })
    }
}

/// Great-circle distance on a sphere (haversine).
fn kilometres((lat, lon): (f64, f64), (to_lat, to_lon): (f64, f64)) -> f32 {
    let (north, east) = ((to_lat - lat).to_radians(), (to_lon - lon).to_radians());
    let (lat, to_lat) = (lat.to_radians(), to_lat.to_radians());
    let h = (north / 2.0).sin().powi(2) + lat.cos() * to_lat.cos() * (east / 2.0).sin().powi(2);
    (12_742.0 * h.clamp(0.0, 1.0).sqrt().asin()) as f32
}

/// Logarithm of how much more there is in the short window than the long one, which is `times` as
/// long, would suggest.
pub(super) fn over_usual(short: f32, long: f32, times: f32) -> f32 {
    let (short, long) = (short.max(0.0), long.max(0.0));
    ((short + 1.0) / ((long - short).max(0.0) / (times - 1.0) + 1.0)).ln()
}
