//! A burst: for ten seconds of the wall, ten times as much of a business.
//!
//! It is a second run of the same simulator beside the first, nine times as busy, that begins at
//! the moment of the burst. The seed is the same, and with it the streets and how fast one gets
//! along them, the card holders and their habits, the items and what leads to what; so what comes
//! is more of the same and not another world. Who or what is new (drivers, trips, visits, events)
//! has an id that begins with the moment of its burst, so that it is nobody whom the consumers
//! know.
//!
//! # Simplifications
//! - Of crashes, flash trends and new items a burst knows nothing.
//! - When it is over, its drivers are not heard of again: to a consumer they are in a tunnel
//!   without an end.

use anyhow::Result;
use events::{Business, Event, SimulationTruth, Timestamp};
use producers::cards::{Cards, CardsConfig};
use producers::city::{City, CityConfig};
use producers::shop::{Shop, ShopConfig};

use super::produce::{Emissions, cards_config, shop_config};
use super::replay::map;
use crate::cli::ProduceArgs;

/// How many times the usual comes on top of the usual.
const MORE: u32 = 9;
/// So much earlier the doors open for the visitors of a burst: when it begins, they are in the
/// middle of their visits.
const VISITS_MS: i64 = 10 * 60_000;

/// What a burst at `moment` adds to the business. Same moment and arguments, same events.
pub(super) fn emissions(args: &ProduceArgs, moment: Timestamp) -> Result<Emissions> {
    let prefix = format!("b{:x}-", moment.ms() / 1000);
    let more: Emissions = match args.business {
        Business::RideShare => Box::new(City::new(CityConfig {
            seed: args.time.seed,
            start: moment,
            map: map(args.map.as_ref())?,
            drivers: args.drivers.saturating_mul(MORE),
            lorries: 0,
            incidents_per_hour: 0.0,
            ..CityConfig::default()
        })),
        Business::Payments => {
            let usual = cards_config(&args.time);
            Box::new(Cards::new(&CardsConfig {
                start: moment,
                busy_swipes_per_second: usual.busy_swipes_per_second * f64::from(MORE),
                // Its people have no past of their own to live through.
                history_days: 0,
                ..usual
            }))
        }
        Business::Shop => {
            let usual = shop_config(&args.time);
            let shop = Shop::new(ShopConfig {
                start: moment.plus_ms(-VISITS_MS),
                sessions_per_hour: usual.sessions_per_hour * f64::from(MORE),
                trends_per_day: 0.0,
                new_items_per_day: 0.0,
                ..usual
            });
            Box::new(shop.skip_while(move |emission| emission.at < moment))
        }
    };
    Ok(Box::new(more.map(move |mut emission| {
        rename(&mut emission.event, &prefix);
        emission
    })))
}

/// Puts the prefix before every id of something new. Cards, terminals, shoppers, items and streets
/// are those that there are anyway.
fn rename(event: &mut Event, prefix: &str) {
    let to = |id: &mut String| id.insert_str(0, prefix);
    match event {
        Event::DriverLocations(ping) => {
            to(&mut ping.driver_id);
            ping.trip_id.as_mut().map(to);
        }
        Event::TruckGpsCoordinates(ping) => to(&mut ping.truck_id),
        Event::Trips(trip) => {
            to(&mut trip.trip_id);
            to(&mut trip.driver_id);
            trip.rider_id.as_mut().map(to);
        }
        Event::CardSwipes(swipe) => to(&mut swipe.swipe_id),
        Event::Chargebacks(chargeback) => to(&mut chargeback.swipe_id),
        Event::Clicks(click) => {
            click.event_id.as_mut().map(to);
            to(&mut click.session_id);
        }
        Event::SimulationTruth(truth) => match truth {
            SimulationTruth::Trip { id, driver_id, .. } => {
                to(id);
                to(driver_id);
            }
            SimulationTruth::Intent { id, session_id, .. } => {
                to(id);
                to(session_id);
            }
            SimulationTruth::Link { id, .. }
            | SimulationTruth::Incident { id, .. }
            | SimulationTruth::Swipe { id, .. } => to(id),
        },
        // The rest is what consumers say.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use producers::Emission;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(business: &str) -> ProduceArgs {
        let cli = Cli::try_parse_from(["freshet", "produce", business, "--drivers", "5"]).unwrap();
        match cli.command {
            Command::Produce(args) => args,
            _ => unreachable!("it was asked to produce"),
        }
    }

    /// What comes in the ten minutes after the moment: without, and with nothing but, the burst.
    fn both(business: &str) -> (Vec<Emission>, Vec<Emission>) {
        let args = args(business);
        let moment = args.time.start.plus_ms(20 * 60_000);
        let usual = super::super::produce::emissions(&args).unwrap();
        let within = |emissions: Emissions| -> Vec<Emission> {
            let end = moment.plus_ms(10 * 60_000);
            emissions
                .skip_while(move |emission| emission.at < moment)
                .take_while(move |emission| emission.at < end)
                .collect()
        };
        (within(usual), within(emissions(&args, moment).unwrap()))
    }

    #[test]
    fn a_burst_is_about_nine_times_the_usual_and_repeats() {
        for business in ["gps", "swipes", "clicks"] {
            let (usual, more) = both(business);
            assert_eq!(more, both(business).1, "{business}: the same moment");
            // Lorries and incidents are in the usual only, and few swipes come in ten minutes.
            let count = |emissions: &[Emission]| {
                let told = emissions.iter().filter(|emission| {
                    matches!(
                        emission.event,
                        Event::DriverLocations(_) | Event::CardSwipes(_) | Event::Clicks(_)
                    )
                });
                told.count() as f64
            };
            let times = count(&more) / count(&usual);
            assert!((6.0..13.0).contains(&times), "{business}: {times:.1} times as much");
        }
    }

    #[test]
    fn nobody_new_has_the_id_of_somebody_known_and_cards_stay_the_same() {
        for business in ["gps", "swipes", "clicks"] {
            let (_, more) = both(business);
            assert!(!more.is_empty());
            for emission in more {
                let new = |id: &str| assert!(id.starts_with('b') && id.contains('-'), "{id}");
                match &emission.event {
                    Event::DriverLocations(ping) => {
                        new(&ping.driver_id);
                        ping.trip_id.iter().for_each(|id| new(id));
                    }
                    Event::Trips(trip) => {
                        new(&trip.trip_id);
                        new(&trip.driver_id);
                    }
                    Event::CardSwipes(swipe) => {
                        new(&swipe.swipe_id);
                        assert!(swipe.card_id.starts_with("card-"), "{}", swipe.card_id);
                    }
                    Event::Clicks(click) => {
                        click.event_id.iter().for_each(|id| new(id));
                        new(&click.session_id);
                    }
                    Event::SimulationTruth(truth) => new(truth.id()),
                    Event::Chargebacks(_) => {}
                    other => panic!("a business says nothing like {other:?}"),
                }
            }
        }
    }
}
