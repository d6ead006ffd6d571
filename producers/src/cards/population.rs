//! Who pays, and where: cards with a home and habits, terminals with a location and a trade. Fixed
//! by the seed alone.
//!
//! # Simplifications
//! - A city is a normal distribution round its centre: no streets, and shops may lie in the sea.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Normal};

use super::CardsConfig;

/// A trade: what is sold, and what it costs.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    /// Share of the terminals.
    share: f64,
    /// How much more often than others its terminals are visited.
    traffic: f64,
    /// Median price in cents.
    pub(super) median_cents: f64,
    /// Spread of prices: standard deviation of the logarithm.
    pub(super) sigma: f64,
}

const fn category(name: &'static str, share: f64, traffic: f64, median_cents: f64, sigma: f64) -> Category {
    Category { name, share, traffic, median_cents, sigma }
}

/// Where card testers and thieves shop; such a shop has no location.
pub(super) const ONLINE: usize = 0;
pub(super) const ELECTRONICS: usize = 1;
/// Where ten small payments in a row are honest.
pub(super) const TRANSPORT: usize = 2;

pub(super) const CATEGORIES: [Category; 10] = [
    category("online", 0.05, 5.0, 2_900.0, 0.8),
    category("electronics", 0.05, 0.5, 9_000.0, 0.9),
    category("transport", 0.08, 1.5, 350.0, 0.4),
    category("groceries", 0.20, 2.0, 2_400.0, 0.7),
    category("fuel", 0.06, 1.5, 4_200.0, 0.4),
    category("restaurant", 0.22, 1.0, 1_900.0, 0.6),
    category("clothing", 0.12, 0.5, 4_500.0, 0.7),
    category("pharmacy", 0.08, 1.0, 1_500.0, 0.6),
    category("travel", 0.04, 0.3, 16_000.0, 0.8),
    category("entertainment", 0.10, 0.7, 2_200.0, 0.6),
];

/// The cities, the town first: kilometres north and east of the town, and
/// their share of the terminals.
const CITIES: [(f64, f64, f64); 5] = [
    (0.0, 0.0, 0.80),
    (-390.0, 60.0, 0.08),
    (810.0, 120.0, 0.05),
    (-510.0, 1_200.0, 0.04),
    (1_900.0, -560.0, 0.03),
];
/// The town; every other city is abroad.
pub(super) const TOWN: usize = 0;
/// How far a city reaches, as a standard deviation in kilometres.
const CITY_KM: f64 = 4.0;
const KM_PER_DEGREE: f64 = 111.2;
const FAVOURITES: usize = 12;

#[derive(Clone, Debug)]
pub(super) struct Terminal {
    pub(super) category: usize,
    /// Degrees north and east; none for an online shop.
    pub(super) location: Option<(f64, f64)>,
    /// Its prices relative to its trade's.
    pub(super) price_factor: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Card {
    /// Swipes per second when the town is at its busiest.
    pub(super) rate: f64,
    /// What its holder spends relative to the median price.
    pub(super) spend_factor: f64,
    /// Spread of what its holder spends: standard deviation of the logarithm.
    pub(super) spend_sigma: f64,
    /// How many hours its holder's day is ahead of UTC.
    pub(super) utc_offset_h: i64,
    /// Terminals that it visits most of the time, the favourite first.
    pub(super) favourites: Vec<u32>,
}

/// Everyone, and a way to draw from them.
#[derive(Debug)]
pub(super) struct Population {
    pub(super) cards: Vec<Card>,
    pub(super) terminals: Vec<Terminal>,
    /// Per city: its terminals (online shops are in none), with running sums of
    /// how often each is visited.
    cities: Vec<WeightedTerminals>,
    online: WeightedTerminals,
    resale: WeightedTerminals,
}

/// Draws terminals in proportion to a weight.
#[derive(Debug, Default)]
struct WeightedTerminals {
    terminals: Vec<u32>,
    sums: Vec<f64>,
}

impl WeightedTerminals {
    fn add(&mut self, terminal: u32, weight: f64) {
        self.sums.push(self.sums.last().copied().unwrap_or(0.0) + weight);
        self.terminals.push(terminal);
    }

    fn draw(&self, rng: &mut StdRng) -> u32 {
        let total = *self.sums.last().expect("every city and trade has a terminal");
        let at = rng.random::<f64>() * total;
        self.terminals[self.sums.partition_point(|&sum| sum <= at).min(self.terminals.len() - 1)]
    }
}

impl Population {
    pub(super) fn new(config: &CardsConfig) -> Self {
        assert!(config.cards > 0, "a payments business has cards");
        let mut rng = StdRng::seed_from_u64(config.seed ^ 0x706f_7075_6c61_7465);
        let mut population = Self {
            cards: Vec::new(),
            terminals: Vec::new(),
            cities: Vec::new(),
            online: WeightedTerminals::default(),
            resale: WeightedTerminals::default(),
        };
        population.cities.resize_with(CITIES.len(), WeightedTerminals::default);
        population.build_terminals(config, &mut rng);
        population.build_cards(config, &mut rng);
        population
    }

    fn build_terminals(&mut self, config: &CardsConfig, rng: &mut StdRng) {
        let spread = Normal::new(0.0, CITY_KM).expect("a finite spread");
        let price_factor = LogNormal::new(0.0, 0.25).expect("a finite spread");
        let popular = LogNormal::new(0.0, 1.0).expect("a finite spread");
        // The first few make sure that each city has every trade, however
        // few terminals are asked for.
        let seeded = CITIES.len() * CATEGORIES.len();
        for number in 0..config.terminals.max(seeded as u32) as usize {
            let (city, category) = if number < seeded {
                (number % CITIES.len(), number / CITIES.len())
            } else {
                (
                    pick(rng, &CITIES.map(|city| city.2)),
                    pick(rng, &std::array::from_fn::<_, 10, _>(|at| CATEGORIES[at].share)),
                )
            };
            let (north, east, _) = CITIES[city];
            let (lat, lon) = offset(config.center, north + spread.sample(rng), east + spread.sample(rng));
            let terminal = Terminal {
                category,
                location: (category != ONLINE).then_some((lat, lon)),
                price_factor: price_factor.sample(rng),
            };
            let weight = popular.sample(rng) * CATEGORIES[category].traffic;
            if category == ONLINE {
                self.online.add(number as u32, weight);
            } else {
                self.cities[city].add(number as u32, weight);
            }
            if category == ELECTRONICS && city == TOWN {
                self.resale.add(number as u32, weight);
            }
            self.terminals.push(terminal);
        }
    }

    fn build_cards(&mut self, config: &CardsConfig, rng: &mut StdRng) {
        let spread = Normal::new(0.0, CITY_KM).expect("a finite spread");
        let activity = LogNormal::new(0.0, 0.7).expect("a finite spread");
        let spend_factor = LogNormal::new(0.0, 0.4).expect("a finite spread");
        for _ in 0..config.cards {
            let home = offset(config.center, spread.sample(rng), spread.sample(rng));
            let mut favourites = self.near(home, rng);
            favourites.push(self.online.draw(rng));
            favourites.push(self.online.draw(rng));
            self.cards.push(Card {
                rate: activity.sample(rng),
                spend_factor: spend_factor.sample(rng),
                spend_sigma: rng.random_range(0.15..0.5),
                utc_offset_h: -rng.random_range(-2..=3),
                favourites,
            });
        }
        let total: f64 = self.cards.iter().map(|card| card.rate).sum();
        for card in &mut self.cards {
            card.rate *= config.busy_swipes_per_second / total;
        }
    }

    /// A holder's favourites: the nearest of a sample in which popular terminals are frequent.
    fn near(&self, home: (f64, f64), rng: &mut StdRng) -> Vec<u32> {
        let mut candidates: Vec<(i64, u32)> = (0..4 * FAVOURITES)
            .map(|_| {
                let terminal = self.cities[TOWN].draw(rng);
                let (lat, lon) =
                    self.terminals[terminal as usize].location.expect("only online shops have no place");
                (((lat - home.0).hypot(lon - home.1) * 1e6) as i64, terminal)
            })
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().map(|(_, terminal)| terminal).take(FAVOURITES - 2).collect()
    }

    /// Some terminal of a city, the popular ones more often.
    pub(super) fn terminal_in(&self, city: usize, rng: &mut StdRng) -> u32 {
        self.cities[city].draw(rng)
    }

    /// Some online shop.
    pub(super) fn online_shop(&self, rng: &mut StdRng) -> u32 {
        self.online.draw(rng)
    }

    /// A shop of the town whose goods are easy to resell.
    pub(super) fn resale_shop(&self, rng: &mut StdRng) -> u32 {
        self.resale.draw(rng)
    }

    /// A city that is not the town.
    pub(super) fn city_abroad(rng: &mut StdRng) -> usize {
        rng.random_range(1..CITIES.len())
    }

    /// What this card's holder usually pays at this terminal, in cents.
    pub(super) fn usual_cents(&self, card: u32, terminal: u32) -> f64 {
        let terminal = &self.terminals[terminal as usize];
        self.cards[card as usize].spend_factor
            * terminal.price_factor
            * CATEGORIES[terminal.category].median_cents
    }

    /// What this card's holder usually pays anywhere, in cents.
    pub(super) fn usual_anywhere_cents(&self, card: u32) -> f64 {
        self.cards[card as usize].spend_factor * 2_400.0
    }
}

fn pick(rng: &mut StdRng, shares: &[f64]) -> usize {
    let mut at = rng.random::<f64>() * shares.iter().sum::<f64>();
    for (index, share) in shares.iter().enumerate() {
        at -= share;
        if at < 0.0 {
            return index;
        }
    }
    shares.len() - 1
}

/// The point so many kilometres north and east of another, held within the map.
fn offset((lat, lon): (f64, f64), north_km: f64, east_km: f64) -> (f64, f64) {
    let lat = (lat + north_km / KM_PER_DEGREE).clamp(-89.0, 89.0);
    let lon = lon + east_km / (KM_PER_DEGREE * lat.to_radians().cos());
    (round5(lat), round5((lon + 540.0).rem_euclid(360.0) - 180.0))
}

/// To about a metre, as a terminal would know it.
fn round5(degrees: f64) -> f64 {
    (degrees * 1e5).round() / 1e5
}
