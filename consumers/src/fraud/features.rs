//! Feature extraction: from *facts* in natural units to one small number (a *bin*) per feature.
//!
//! Every feature is relative to the card, to the terminal or to all cards, or on a logarithmic
//! scale: nothing depends on the currency, the size of the population or the rate of swipes. Bins
//! make the model robust (the wildest amount is just the last bin), let a feature have any shape,
//! and are all that must be kept of a swipe until its label comes.
//!
//! An additive model cannot see that two things together mean more than each alone; where that
//! matters, the feature is a *cross*: a bin for each pair. Some crosses are written out below; the
//! last ten features, the *keys*, are crossed each with each by the model.

use super::baseline::ln_amount;
use super::facts::{Facts, KNOWN, over_usual};

/// What a feature is about. Features of one family give one reason together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Amount,
    Burst,
    Velocity,
    Hour,
    NewTerminal,
    Terminal,
    Probing,
    Rush,
    Card,
    Travel,
    Category,
    Suspicion,
    History,
}

impl Family {
    /// How many there are.
    pub(super) const COUNT: usize = 13;
}

/// The declaration of a feature.
pub(super) struct Feature {
    pub(super) family: Family,
    pub(super) bins: u8,
    /// What a bin is worth before anything was learnt, in log-odds.
    pub(super) prior: fn(u8) -> f32,
}

fn nothing(_: u8) -> f32 {
    0.0
}

macro_rules! features {
    (|$facts:ident| $( $family:ident, $bins:literal, $prior:expr, $bin:expr; )*) => {
        /// How many features there are.
        pub(super) const FEATURES: usize = [$( $bins ),*].len();

        /// All features, in the order of their bins.
        pub(super) const TABLE: [Feature; FEATURES] = [$( Feature { family: Family::$family, bins: $bins, prior: $prior } ),*];

        /// The bin of each feature.
        pub(super) fn bins($facts: &Facts) -> Bins {
            let bins: Bins = [$( $bin ),*];
            debug_assert!(bins.iter().zip(&TABLE).all(|(&bin, feature)| bin < feature.bins), "{bins:?}");
            bins
        }
    };
}

/// The number of steps by which a card can be known.
pub(super) const HISTORY_BINS: usize = 12;
/// The feature that says how well the card is known.
const HISTORY: usize = {
    let mut feature = 0;
    while !(matches!(TABLE[feature].family, Family::History) && TABLE[feature].bins as usize == HISTORY_BINS)
    {
        feature += 1;
    }
    feature
};

/// How well the card was known, in 12 steps.
pub(super) fn known(bins: &Bins) -> u8 {
    bins[HISTORY]
}

/// The last so many features are *keys*: each has at most [`KEY_BINS`] bins, and the model crosses
/// each with each.
pub(super) const KEYS: usize = 10;
/// The most bins that a key has.
pub(super) const KEY_BINS: usize = 8;
const _: () = {
    let mut key = FEATURES - KEYS;
    while key < FEATURES {
        assert!(TABLE[key].bins as usize <= KEY_BINS);
        key += 1;
    }
};

/// A swipe as the model sees it, and all that is kept of it until its label comes.
pub(super) type Bins = [u8; FEATURES];

features! { |f|
    // The amount itself: coarse bins learn fast, fine ones see where a step is.
    Amount, 32, nothing, step(f.ln, 0.0, 0.693, 32);
    Amount, 225, nothing, step(f.ln, 0.0, 0.0866, 225);
    Amount, 20, |bin| ramp(bin, 10, 0.15), step(f.z_population, -4.0, 0.5, 20);
    // The amount for this card.
    Amount, 30, |bin| ramp(bin, 12, 0.2), step(f.z_card, -5.0, 0.5, 30);
    Amount, 40, nothing, step(f.ln - f.usual_ln, -4.0, 0.2, 40);
    Amount, 30, |bin| ramp(bin, 17, 0.1), f.over_largest.map_or(0, |over| 1 + step(over, -4.0, 0.25, 29));
    Amount, 24, nothing, step(f.z_terminal, -5.0, 0.5, 24);
    Amount, 80, nothing, pair(step(f.z_card, -1.0, 1.0, 8), step(f.z_population, -1.5, 0.5, 10), 10);
    Amount, 2, nothing, u8::from(f.cents <= 0);
    // How often and how much, lately and usually.
    Velocity, 12, nothing, count(f.counts[0]);
    Velocity, 12, nothing, count(f.counts[1]);
    Velocity, 25, nothing, recently(f, f.counts[1] as f32, f.counts[3] as f32, 30.0, -2.0, 24);
    Velocity, 25, nothing, recently(f, f.counts[2] as f32, f.counts[3] as f32, 4.3, -2.0, 24);
    Velocity, 31, nothing, recently(f, f.sums[1] as f32, f.sums[3] as f32, 30.0, -3.0, 30);
    Velocity, 31, nothing, recently(f, f.sums[2] as f32, f.sums[3] as f32, 4.3, -3.0, 30);
    Velocity, 26, nothing, f.gap_ms.map_or(0, |gap| 1 + step((gap as f32 / 1_000.0 + 1.0).log2(), 0.0, 1.0, 25));
    // Bursts: how many tiny ones, and what this one is next to them.
    Burst, 72, |bin| 0.25 * f32::from((bin / 6).saturating_sub(2)).min(6.0), pair(count(f.burst.count), burst_step(f), 6);
    Burst, 48, nothing, pair(count(f.burst.count).min(7), step(ratio_ln(f.burst.largest_cents, f), -3.0, 1.0, 6), 6);
    // When.
    Hour, 24, nothing, f.hour as u8;
    Hour, 20, |bin| if bin < 5 { 0.2 } else { 0.0 }, if f.history < 10 { 0 } else { 1 + step(f.hour_habit, -2.5, 0.25, 19) };
    // Where, for this card.
    NewTerminal, 36, nothing, pair(count(f.visits).min(5), count(f.history / 8).min(5), 6);
    NewTerminal, 32, nothing, pair(terminal_familiarity(f), step(f.z_card, -1.0, 1.0, 8), 8);
    History, 12, nothing, count(f.history);
    // The labels of the terminal.
    Terminal, 8, |bin| 0.5 * f32::from(bin).min(4.0), f.terminal_frauds[0].min(7) as u8;
    Terminal, 9, |bin| 0.3 * f32::from(bin).min(4.0), f.terminal_frauds[1].min(8) as u8;
    Terminal, 9, nothing, f.terminal_frauds[2].min(8) as u8;
    Terminal, 40, |bin| ramp(bin / 4, 2, 0.12), rate_bin(f.terminal_rates[0]);
    Terminal, 40, |bin| ramp(bin / 4, 2, 0.12), rate_bin(f.terminal_rates[1]);
    Terminal, 40, |bin| ramp(bin / 4, 2, 0.12), rate_bin(f.terminal_rates[2]);
    Terminal, 64, nothing, outcome_bin(f);
    Terminal, 104, nothing, pair(episode_bin(f.terminal_episode), (rate_bin(f.terminal_rates[1]) / 5).min(7), 8);
    Terminal, 90, nothing, episode_pair(f.terminal_episode, f.terminal_genuine_since);
    Terminal, 12, nothing, count(f.terminal_seen);
    // The terminal now.
    Probing, 8, |bin| 0.15 * f32::from(bin.saturating_sub(1)), f.tiny_cards.min(7) as u8;
    Rush, 16, nothing, step(f.rush, -1.0, 0.25, 16);
    // The labels of the card.
    Card, 9, |bin| 0.3 * f32::from(bin).min(3.0), f.card_frauds[1].min(8) as u8;
    Card, 9, nothing, f.card_frauds[2].min(8) as u8;
    Card, 90, nothing, episode_pair(f.card_episode, f.card_genuine_since);
    Card, 60, |bin| if bin % 4 > 0 { 0.4 + ramp(bin / 4, 4, 0.15) } else { 0.0 }, pair(step(f.z_card, -1.0, 0.5, 15), f.card_frauds[2].min(3) as u8, 4);
    // Where in the world, when it is known.
    Travel, 20, |bin| if bin < 14 { 0.0 } else { 0.4 }, f.speed_kmh().map_or(0, |kmh| 1 + step((kmh + 1.0).ln(), 0.0, 0.5, 19));
    Travel, 20, nothing, f.from_home_km.map_or(0, |km| 1 + step((km + 1.0).ln(), 0.0, 0.5, 19));
    Category, 50, nothing, f.category.map_or(0, |category| 1 + (category % 49) as u8);
    Category, 16, nothing, f.category_share.map_or(0, |share| 1 + step(share, 0.0, 0.07, 15));
    // The model's scores of the card's last swipes.
    Suspicion, 30, nothing, step(f.suspicion, 0.0, 0.3, 30);
    // The keys: coarse, and crossed each with each by the model.
    Amount, 8, nothing, step(f.z_card, -1.5, 0.75, 8);
    Amount, 8, nothing, step(f.z_population, -2.0, 0.75, 8);
    Amount, 8, nothing, step(f.z_terminal, -2.0, 0.75, 8);
    NewTerminal, 4, nothing, terminal_familiarity(f);
    History, 6, nothing, count(f.history / 8).min(5);
    Velocity, 8, nothing, pair(u8::from(f.crowded_day()), count(f.counts[0]).saturating_sub(1).min(3), 4);
    Velocity, 8, nothing, f.gap_ms.map_or(0, |gap| 1 + step((gap as f32 / 60_000.0 + 1.0).ln(), 0.0, 1.7, 7));
    Terminal, 8, nothing, terminal_record(f.terminal_frauds[1], f.terminal_rates[1]);
    Card, 8, nothing, pair(u8::from(f.suspicion > 2.0), f.card_frauds[2].min(3) as u8, 4);
    Hour, 8, nothing, pair(u8::from(f.history >= 10 && f.hour_habit < -1.0), (f.hour / 6) as u8, 4);
}

/// Log-odds that rise by `slope` with each bin after `from`.
fn ramp(bin: u8, from: u8, slope: f32) -> f32 {
    slope * f32::from(bin.saturating_sub(from).min(8))
}

/// The bin of a value, `bins` of them, each `width` wide, from `from` on; what is outside falls
/// into the first or last.
fn step(value: f32, from: f32, width: f32, bins: u8) -> u8 {
    // A float cast saturates, and NaN becomes 0: there is no value that has no bin.
    (((value - from) / width) as u8).min(bins - 1)
}

/// 0, 1, 2, 3, 4, 5–6, 7–9, 10–15, 16–31, 32–63, 64–127, and more: 12 bins.
fn count(count: u32) -> u8 {
    match count {
        0..=4 => count as u8,
        5..=6 => 5,
        7..=9 => 6,
        10..=15 => 7,
        16..=31 => 8,
        32..=63 => 9,
        64..=127 => 10,
        128.. => 11,
    }
}

/// A cross: a bin for each pair, where `seconds` is how many bins the second has.
fn pair(first: u8, second: u8, seconds: u8) -> u8 {
    first * seconds + second
}

/// How well a card knows this terminal: too little known of the card, never there before, once,
/// more often. For a new card every terminal is new, which says nothing; for a known card a new
/// terminal does.
fn terminal_familiarity(facts: &Facts) -> u8 {
    match facts.visits {
        0 if facts.history < KNOWN => 0,
        0 => 1,
        1 => 2,
        _ => 3,
    }
}

/// How much more there is recently than usual, `bins` steps of a quarter from `from` on; bin 0 for
/// cards of which too little is known.
fn recently(facts: &Facts, short: f32, long: f32, times: f32, from: f32, bins: u8) -> u8 {
    if facts.history < KNOWN { 0 } else { 1 + step(over_usual(short, long, times), from, 0.25, bins) }
}

/// A terminal's labels in short: the number of chargebacks of the week, crossed with the share of
/// fraud in its latest week with labels.
fn terminal_record(frauds: u32, (rate, swipes): (f32, u32)) -> u8 {
    let share = step(log_odds(rate), -3.5, 1.5, 3);
    match frauds {
        0 if swipes < 3 => 0,
        0 => 1 + share.min(1),
        1 => 3 + share.min(1),
        _ => 5 + share,
    }
}

/// Log-odds of a share, finite for 1.
fn log_odds(share: f32) -> f32 {
    (share / (1.0 - share).max(1e-3)).ln()
}

/// Logarithm of the ratio of this amount to another.
fn ratio_ln(cents: i64, facts: &Facts) -> f32 {
    facts.ln - ln_amount(cents)
}

/// Whether the burst's amounts are tiny for this card, and how much larger this one is: 6 bins.
fn burst_step(facts: &Facts) -> u8 {
    if facts.burst.count == 0 {
        return 0;
    }
    let tiny = u8::from(facts.burst.mean_ln() < facts.usual_ln - 1.2);
    let out = facts.ln - facts.burst.mean_ln();
    tiny * 3
        + if out < 0.7 {
            0
        } else if out < 2.0 {
            1
        } else {
            2
        }
}

/// A fraud rate on the scale of log-odds, crossed with the number of swipes it rests on: 4 times 10
/// bins.
fn rate_bin((rate, swipes): (f32, u32)) -> u8 {
    let support = match swipes {
        0 => 0,
        1..=2 => 1,
        3..=9 => 2,
        10.. => 3,
    };
    pair(step(log_odds(rate), -5.5, 0.9, 10), support, 4)
}

/// The last four labels of the terminal, and how many of the eight before were fraud: 4 times 16
/// bins, the last for terminals that have no four labels yet.
fn outcome_bin(facts: &Facts) -> u8 {
    let many = if facts.matured < 4 { 3 } else { 0 }.max(match (facts.outcomes & 0x0ff0).count_ones() {
        0 => 0,
        1..=3 => 1,
        4.. => 2,
    });
    pair(many, (facts.outcomes & 15) as u8, 16)
}

/// Days since an episode of fraud began: 13 bins, the first for none.
fn episode_bin(episode: Option<(f32, f32)>) -> u8 {
    episode.map_or(0, |(first, _)| match first {
        ..4.0 => 1,
        ..8.0 => 2,
        ..10.0 => 3,
        ..12.0 => 4,
        ..14.0 => 5,
        ..17.0 => 6,
        ..21.0 => 7,
        ..25.0 => 8,
        ..28.0 => 9,
        ..32.0 => 10,
        ..40.0 => 11,
        _ => 12,
    })
}

/// Days since the last fraud of the episode, with how many genuine swipes were seen since: 15 times
/// 6 bins.
fn episode_pair(episode: Option<(f32, f32)>, genuine_since: u32) -> u8 {
    let age = episode.map_or(0, |(_, last)| 1 + step(last, 0.0, 2.0, 14));
    pair(age, count(genuine_since).min(5), 6)
}
