//! A burst: for ten seconds of wall-clock time, ten times as many events of a business.
//!
//! It is a second run of the same simulator beside the first, nine times as busy, that begins at
//! the moment of the burst. The seed is the same, and with it the streets and how fast one gets
//! along them, the card holders and their habits, the items and how they are related; so a burst is
//! more of the same world. The ids of what is new (drivers, trips, visits, events) begin with the
//! moment of the burst, so that they are new to the consumers.
//!
//! # Simplifications
//! - A burst has no crashes, flash trends or new items.
//! - At its end its drivers stop sending, as if they were in a tunnel that has no end.

use anyhow::Result;
use events::Timestamp;

use crate::business::{Emissions, Producer, World};

impl Producer {
    /// The events that a burst at `moment` adds: deterministic by moment and world.
    pub fn burst_at(&self, world: &World, moment: Timestamp) -> Result<Emissions> {
        let prefix = format!("b{:x}-", moment.ms() / 1000);
        let rename = self.rename;
        Ok(Box::new((self.burst)(world, moment)?.map(move |mut emission| {
            rename(&mut emission.event, &prefix);
            emission
        })))
    }
}

#[cfg(test)]
mod tests {
    use events::Event;
    use producers::Emission;

    use super::*;
    use crate::business::Business;
    use crate::businesses::ALL;

    /// What comes in the ten minutes after the moment: without, and with nothing but, the burst.
    fn both(business: &Business) -> (Vec<Emission>, Vec<Emission>) {
        let start = "2026-03-03T10:45:00Z".parse().unwrap();
        let world = World { seed: 7, start, drivers: 5, map: None };
        let moment = start.plus_ms(20 * 60_000);
        let usual = (business.producer.simulate)(&world).unwrap();
        let within = |emissions: Emissions| -> Vec<Emission> {
            let end = moment.plus_ms(10 * 60_000);
            emissions
                .skip_while(move |emission| emission.at < moment)
                .take_while(move |emission| emission.at < end)
                .collect()
        };
        (within(usual), within(business.producer.burst_at(&world, moment).unwrap()))
    }

    #[test]
    fn a_burst_is_about_nine_times_the_usual_and_repeats() {
        for business in ALL {
            let (usual, more) = both(business);
            let name = business.name;
            assert_eq!(more, both(business).1, "{name}: the same moment");
            // Lorries and incidents are in the usual only, and few swipes come in ten minutes.
            let count = |emissions: &[Emission]| {
                let main = |emission: &&Emission| emission.event.topic() == business.main_topic();
                emissions.iter().filter(main).count() as f64
            };
            let times = count(&more) / count(&usual);
            assert!((6.0..13.0).contains(&times), "{name}: {times:.1} times as much");
        }
    }

    #[test]
    fn new_ids_are_never_known_ones_and_cards_stay_the_same() {
        for business in ALL {
            let (_, more) = both(business);
            assert!(!more.is_empty());
            for emission in more {
                let new = |id: &str| assert!(id.starts_with('b') && id.contains('-'), "{id}");
                if let Event::DriverLocations(ping) = &emission.event {
                    new(&ping.driver_id);
                    ping.trip_id.iter().for_each(|id| new(id));
                } else if let Event::Trips(trip) = &emission.event {
                    new(&trip.trip_id);
                    new(&trip.driver_id);
                } else if let Event::CardSwipes(swipe) = &emission.event {
                    new(&swipe.swipe_id);
                    assert!(swipe.card_id.starts_with("card-"), "{}", swipe.card_id);
                } else if let Event::Clicks(click) = &emission.event {
                    click.event_id.iter().for_each(|id| new(id));
                    new(&click.session_id);
                } else if let Event::SimulationTruth(truth) = &emission.event {
                    new(truth.id());
                }
            }
        }
    }
}
