//! An independent world, after the published description of the simulator in "Reproducible Machine
//! Learning for Credit Card Fraud Detection – Practical Handbook" (Le Borgne, Siblini, Lebichot,
//! Bontempi; chapter 3.2), written again.
//!
//! Customers and terminals lie on a square of 100 by 100; a customer uses the terminals within a
//! radius of 5, `U(0, 4)` times a day on average, around noon, for amounts around a mean of their
//! own, `U(5, 100)`. Fraud is (1) every amount above 220; (2) every swipe for 28 days at two
//! terminals that are drawn each day; (3) a third of the swipes, at five times their amount, for 14
//! days of three customers who are drawn each day. Here a chargeback arrives seven days after its
//! swipe.

use std::collections::HashMap;

use events::{CardSwipe, Chargeback, DAY_MS, Event, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal, Poisson};

use crate::World;

struct Customer {
    mean: f64,
    a_day: f64,
    terminals: Vec<usize>,
}

/// Simulates so many days.
pub(crate) fn world(seed: u64, customers: usize, terminals: usize, days: usize) -> World {
    let mut rng = StdRng::seed_from_u64(seed);
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an RFC 3339 instant");
    let places: Vec<(f64, f64)> =
        (0..terminals).map(|_| (rng.random_range(0.0..100.0), rng.random_range(0.0..100.0))).collect();
    let people: Vec<Customer> = (0..customers)
        .map(|_| {
            let home: (f64, f64) = (rng.random_range(0.0..100.0), rng.random_range(0.0..100.0));
            let near = |at: &(f64, f64)| (at.0 - home.0).hypot(at.1 - home.1) < 5.0;
            Customer {
                mean: rng.random_range(5.0..100.0),
                a_day: rng.random_range(0.0..4.0),
                terminals: (0..terminals).filter(|&terminal| near(&places[terminal])).collect(),
            }
        })
        .collect();
    // (day, milliseconds, customer, terminal, amount)
    let mut swipes: Vec<(i64, usize, usize, f64)> = Vec::new();
    let noon = Normal::new(43_200.0, 20_000.0).expect("a finite spread");
    for (who, customer) in people.iter().enumerate().filter(|(_, customer)| !customer.terminals.is_empty()) {
        let amounts = Normal::new(customer.mean, customer.mean / 2.0).expect("a finite spread");
        for day in 0..days as i64 {
            let count: f64 = Poisson::new(customer.a_day.max(1e-9)).expect("a rate").sample(&mut rng);
            for _ in 0..count as u64 {
                let second: f64 = noon.sample(&mut rng);
                if !(0.0..86_400.0).contains(&second) {
                    continue;
                }
                let amount: f64 = amounts.sample(&mut rng);
                let amount = if amount < 0.0 { rng.random_range(0.0..2.0 * customer.mean) } else { amount };
                let terminal = customer.terminals[rng.random_range(0..customer.terminals.len())];
                swipes.push((day * DAY_MS + second as i64 * 1_000, who, terminal, amount));
            }
        }
    }
    swipes.sort_by_key(|swipe| (swipe.0, swipe.1, swipe.2));
    let fraud = mark(&mut rng, &mut swipes, customers, terminals, days as i64);

    let mut arrivals: Vec<(Timestamp, bool, Event)> = Vec::new();
    let mut truth = HashMap::new();
    for (number, &(at, who, terminal, amount)) in swipes.iter().enumerate() {
        let ts = start.plus_ms(at);
        let swipe_id = number.to_string();
        let (card_id, terminal_id) = (format!("c{who}"), format!("t{terminal}"));
        if let Some(scenario) = fraud[number] {
            truth.insert(swipe_id.clone(), scenario.to_owned());
            let chargeback = Chargeback {
                ts: ts.plus_ms(7 * DAY_MS),
                swipe_id: swipe_id.clone(),
                card_id: card_id.clone(),
                terminal_id: terminal_id.clone(),
            };
            arrivals.push((chargeback.ts, false, chargeback.into()));
        }
        let swipe = CardSwipe {
            ts,
            swipe_id,
            card_id,
            terminal_id,
            amount_cents: (amount * 100.0).round() as i64,
            currency: None,
            category: None,
            lat: None,
            lon: None,
        };
        arrivals.push((ts, true, swipe.into()));
    }
    // At one instant, chargebacks come before swipes.
    arrivals.sort_by_key(|arrival| (arrival.0, arrival.1));
    World { events: arrivals.into_iter().map(|arrival| arrival.2).collect(), fraud: truth }
}

/// The three scenarios, the later ones over the earlier.
fn mark(
    rng: &mut StdRng,
    swipes: &mut [(i64, usize, usize, f64)],
    customers: usize,
    terminals: usize,
    days: i64,
) -> Vec<Option<&'static str>> {
    let mut fraud: Vec<Option<&'static str>> =
        swipes.iter().map(|swipe| (swipe.3 > 220.0).then_some("amount")).collect();
    let (mut at_terminal, mut of_customer) = (vec![Vec::new(); terminals], vec![Vec::new(); customers]);
    for (number, swipe) in swipes.iter().enumerate() {
        at_terminal[swipe.2].push(number);
        of_customer[swipe.1].push(number);
    }
    for day in 0..days {
        for _ in 0..2 {
            for &number in &at_terminal[rng.random_range(0..terminals)] {
                if (day..day + 28).contains(&(swipes[number].0 / DAY_MS)) {
                    fraud[number] = Some("terminal");
                }
            }
        }
        for _ in 0..3 {
            for &number in &of_customer[rng.random_range(0..customers)] {
                if (day..day + 14).contains(&(swipes[number].0 / DAY_MS)) && rng.random_bool(1.0 / 3.0) {
                    swipes[number].3 *= 5.0;
                    fraud[number] = Some("customer");
                }
            }
        }
    }
    fraud
}
