//! Incidents: crashes, closures, burst pipes; and a football match.
//!
//! An incident slows a **corridor**: its own link most, the links that lead to it less and less, as
//! a queue grows backwards, and the opposite direction a little, because people look. Its effect
//! rises, stays, and falls.
//!
//! # Simplifications
//! - A closed road is slow, never impassable.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;
use streets::{LinkId, Map, RoadClass, distance_m};

use super::config::CityConfig;
use super::delivery::Outbox;
use super::demand::Demand;
use super::instant;
use super::noise::{Purpose, hash, rng, unit};
use events::SimulationTruth;

/// The most incidents that are active or planned: each has a bit in the mask of every link.
const SLOTS: usize = 64;
/// Incidents are planned so far ahead, so that the oracle can look at the whole of a trip.
const AHEAD_S: f64 = 5400.0;
/// More would not find a slot.
const MOST_PER_HOUR: f64 = 200.0;
/// The crash of the opening: the factor at its scene, and how far its queue reaches, in metres.
const STAGED_WORST: f64 = 8.0;
const STAGED_M: f64 = 1500.0;
/// The longest crash or closure, in seconds.
const LONGEST_S: f64 = 2400.0;

#[derive(Debug)]
pub(super) struct Incidents {
    rng: StdRng,
    seed: u64,
    utc_offset_s: f64,
    /// Mean seconds between two; none when there are none.
    every_s: Option<f64>,
    next_s: f64,
    /// The day (since 1970, local) up to which matches are planned.
    match_day: i64,
    stadium: (f64, f64),
    slots: Vec<Option<Incident>>,
    /// For each link, in which slots there is an incident that slows it.
    masks: Vec<u64>,
    /// Main roads with the sum of their lengths so far: where crashes happen.
    main: Vec<(LinkId, f64)>,
    count: u32,
}

#[derive(Debug)]
struct Incident {
    id: String,
    text: String,
    begin: f64,
    end: f64,
    /// The factor of the pace at its peak, on the link of the scene.
    worst: f64,
    /// The share of the effect on each link, 0 to 1, by link.
    links: Vec<(LinkId, f32)>,
    published: bool,
}

impl Incident {
    /// 0 before and after, 1 at its worst, rising in the first fifth and falling in the last third.
    fn strength(&self, t: f64) -> f64 {
        let share = (t - self.begin) / (self.end - self.begin);
        (share * 5.0).min((1.0 - share) * 3.0).clamp(0.0, 1.0)
    }

    fn factor(&self, link: LinkId, t: f64) -> f64 {
        let felt = self
            .links
            .binary_search_by_key(&link, |&(link, _)| link)
            .map_or(0.0, |at| f64::from(self.links[at].1));
        1.0 + (self.worst - 1.0) * self.strength(t) * felt
    }
}

impl Incidents {
    pub(super) fn new(config: &CityConfig, map: &Map, demand: &Demand) -> Incidents {
        let mut sum = 0.0;
        let main = map.link_ids().filter_map(|id| {
            let link = map.link(id);
            let weight = match link.class {
                RoadClass::Motorway | RoadClass::Trunk | RoadClass::Primary => 2.0,
                RoadClass::Secondary => 1.5,
                RoadClass::Tertiary => 1.0,
                _ => return None,
            };
            // More happens where more people drive.
            let (lat, lon) = demand.place(id);
            let far_m = distance_m(lat, lon, demand.centre().0, demand.centre().1);
            sum += link.length_m * weight * (0.2 + (-far_m / 5000.0).exp());
            Some((id, sum))
        });
        let every_s =
            (config.incidents_per_hour > 0.0).then(|| 3600.0 / config.incidents_per_hour.min(MOST_PER_HOUR));
        let mut rng = rng(config.seed, Purpose::Incidents, 0);
        let start = super::seconds(config.start);
        Incidents {
            main: main.collect(),
            seed: config.seed,
            utc_offset_s: config.utc_offset_h * 3600.0,
            every_s,
            next_s: start - LONGEST_S + every_s.unwrap_or(0.0) * rng.sample::<f64, _>(Exp1),
            match_day: i64::MIN,
            stadium: demand.anywhere(map, &mut rng).map(|spot| demand.place(spot.link)).unwrap_or_default(),
            slots: (0..SLOTS).map(|_| None).collect(),
            masks: vec![0; map.link_count()],
            rng,
            count: 0,
        }
    }

    /// The factor by which incidents slow this link at `t`; 1 without one. Of two, the worse
    /// counts.
    pub(super) fn factor(&self, link: LinkId, t: f64) -> f64 {
        self.factor_as_of(link, t, t)
    }

    /// The same with only those incidents that have begun by `known`.
    pub(super) fn factor_as_of(&self, link: LinkId, t: f64, known: f64) -> f64 {
        let mut mask = self.masks[link.index()];
        let mut factor = 1.0_f64;
        while mask != 0 {
            let slot = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let begun = self.slots[slot].as_ref().filter(|incident| incident.begin <= known);
            factor = factor.max(begun.map_or(1.0, |incident| incident.factor(link, t)));
        }
        factor
    }

    /// Forgets what is over and decides on what is to come.
    pub(super) fn plan(&mut self, now: f64, map: &Map, demand: &Demand) {
        for slot in 0..SLOTS {
            if self.slots[slot].as_ref().is_some_and(|incident| incident.end + 120.0 < now) {
                for (link, _) in self.slots[slot].take().expect("it is there").links {
                    self.masks[link.index()] &= !(1 << slot);
                }
            }
        }
        let Some(every_s) = self.every_s else { return };
        while self.next_s < now + AHEAD_S {
            let begin = self.next_s;
            self.next_s += every_s * self.rng.sample::<f64, _>(Exp1);
            let hour = ((begin + self.utc_offset_s) / 3600.0).rem_euclid(24.0);
            let by_day = (6.0..22.0).contains(&hour);
            if self.rng.random_bool(if by_day { 1.0 } else { 0.33 }) {
                self.crash(begin, map);
            }
        }
        let day = ((now + AHEAD_S + self.utc_offset_s) / 86_400.0).floor() as i64;
        if day > self.match_day {
            self.match_day = day;
            if unit(hash(self.seed, Purpose::Match, day as u64, 0)) < 0.5 {
                self.football(day as f64 * 86_400.0 - self.utc_offset_s + 20.0 * 3600.0, map, demand);
            }
        }
    }

    /// Tells the truth about incidents that have begun.
    pub(super) fn publish_truth(&mut self, now: f64, keys: &[String], outbox: &mut Outbox) {
        for incident in
            self.slots.iter_mut().flatten().filter(|incident| !incident.published && incident.begin <= now)
        {
            incident.published = true;
            outbox.send(
                instant(now),
                SimulationTruth::Incident {
                    ts: instant(incident.begin),
                    id: incident.id.clone(),
                    link_ids: incident.links.iter().map(|(link, _)| keys[link.index()].clone()).collect(),
                    until: instant(incident.end),
                    slowdown: (incident.worst * 100.0).round() / 100.0,
                    text: incident.text.clone(),
                },
            );
        }
    }

    fn crash(&mut self, begin: f64, map: &Map) {
        let Some(&(_, sum)) = self.main.last() else { return };
        let drawn = self.rng.random_range(0.0..sum);
        let (scene, _) =
            self.main[self.main.partition_point(|&(_, weight)| weight <= drawn).min(self.main.len() - 1)];
        let length_m = self.rng.random_range(1000.0..3000.0);
        let minutes: f64 = self.rng.random_range(10.0..40.0);
        let what = ["crash", "closed lane", "burst pipe", "broken-down bus"][self.rng.random_range(0..4)];
        let place = map.name(scene).map_or_else(|| "a road without a name".to_owned(), str::to_owned);
        let worst = self.rng.random_range(3.0..8.0);
        let links = corridor(map, scene, length_m);
        self.add(begin, begin + minutes * 60.0, worst, links, format!("{what} on {place}"));
    }

    /// A crash at this very place, which stops nearly all traffic at once.
    pub(super) fn crash_at(&mut self, scene: LinkId, (begin, end): (f64, f64), map: &Map) {
        let place = map.name(scene).map_or_else(|| "a road without a name".to_owned(), str::to_owned);
        self.add(begin, end, STAGED_WORST, corridor(map, scene, STAGED_M), format!("crash on {place}"));
    }

    /// Everybody comes in the hour before, and leaves in the hour after.
    fn football(&mut self, kick_off: f64, map: &Map, demand: &Demand) {
        let near: Vec<(LinkId, f32, bool)> = map
            .link_ids()
            .filter(|&link| map.link(link).class <= RoadClass::Tertiary)
            .filter_map(|link| {
                let (lat, lon) = demand.place(link);
                let far_m = distance_m(lat, lon, self.stadium.0, self.stadium.1);
                let towards = streets::bearing_deg(lat, lon, self.stadium.0, self.stadium.1);
                let heading = map.place_at(link, map.link(link).length_m / 2.0).heading_deg;
                let inbound = (towards - heading).to_radians().cos() > 0.0;
                (far_m < 1500.0).then_some((link, (1.0 - far_m / 2500.0) as f32, inbound))
            })
            .collect();
        let those = |wanted: bool| {
            near.iter().filter(|one| one.2 == wanted).map(|one| (one.0, one.1)).collect::<Vec<_>>()
        };
        let (coming, leaving) = (those(true), those(false));
        self.add(
            kick_off - 4500.0,
            kick_off + 600.0,
            2.4,
            coming,
            "football match, people coming".to_owned(),
        );
        self.add(
            kick_off + 6300.0,
            kick_off + 9900.0,
            2.8,
            leaving,
            "football match, people leaving".to_owned(),
        );
    }

    fn add(&mut self, begin: f64, end: f64, worst: f64, mut links: Vec<(LinkId, f32)>, text: String) {
        let Some(slot) = self.slots.iter().position(Option::is_none) else { return };
        if links.is_empty() {
            return;
        }
        links.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        links.dedup_by_key(|link| link.0);
        for (link, _) in &links {
            self.masks[link.index()] |= 1 << slot;
        }
        self.count += 1;
        let id = format!("i{:04}", self.count);
        self.slots[slot] = Some(Incident { id, text, begin, end, worst, links, published: false });
    }
}

/// The scene and what leads to it, along main roads, up to so many metres back,
/// and the opposite direction.
fn corridor(map: &Map, scene: LinkId, length_m: f64) -> Vec<(LinkId, f32)> {
    let mut links: Vec<(LinkId, f32)> = vec![(scene, 1.0)];
    // (link, metres from its beginning to the scene), the links that are still to be followed back.
    let mut open = vec![(scene, map.link(scene).length_m)];
    while let Some((link, back_m)) = open.pop() {
        let share = 1.0 - back_m / length_m;
        if share <= 0.0 || links.len() > 200 {
            continue;
        }
        for &before in map.arriving(map.link(link).from) {
            let is_main =
                map.link(before).class <= RoadClass::Tertiary && map.link(before).class != RoadClass::Unknown;
            if is_main
                && map.turn_deg(before, link).abs() < 60.0
                && links.iter().all(|&(known, _)| known != before)
            {
                links.push((before, share as f32));
                open.push((before, back_m + map.link(before).length_m));
            }
        }
    }
    let opposite: Vec<(LinkId, f32)> =
        links.iter().filter_map(|&(link, share)| map.twin(link).map(|twin| (twin, share * 0.25))).collect();
    links.extend(opposite);
    links
}
