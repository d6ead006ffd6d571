//! The batch lane beside the stream.

use super::*;

#[test]
fn the_batch_lane_answers_the_same_pings_with_what_the_last_period_knew() {
    let places = drive(100, 20_000);
    // The last trip begins after the hour.
    let events = trips_in_a_row(6, 900.0, &places);
    let config = EtaConfig::new(map());
    let stream = answers(&mut EtaReplay::new(&config), &events);
    let batch = answers(&mut BatchEta::new(&config), &events);
    let asked: Vec<_> = updates(&stream).iter().map(|update| (update.trip_id.clone(), update.ts)).collect();
    let mut seen = Vec::new();
    for answer in &batch {
        let Event::EtaBatch(batched) = answer else { panic!("{answer:?} is not of the batch lane") };
        let update = &batched.answer;
        assert!(update.eta >= update.ts && update.p10 <= update.eta && update.eta <= update.p90);
        assert!(batched.valid_from <= update.ts);
        seen.push((update.trip_id.clone(), update.ts));
    }
    assert_eq!(asked, seen);

    let quotes = |trip: &str| -> Vec<(String, Timestamp)> {
        let mut quotes: Vec<_> = batch
            .iter()
            .filter_map(|answer| match answer {
                Event::EtaBatch(one) if one.answer.trip_id == trip => {
                    Some((one.valid_from.to_string(), one.answer.eta))
                }
                _ => None,
            })
            .collect();
        quotes.dedup();
        quotes
    };
    // The empty model knows nothing of the first hour: each trip gets the same quote, to the
    // second.
    let quoted_s = |trip: usize| {
        let (valid_from, eta) = quotes(&format!("t{trip}")).swap_remove(0);
        (valid_from, eta.since_seconds(at(trip as f64 * 900.0)))
    };
    let (valid_from, first_s) = quoted_s(0);
    assert_eq!(valid_from, "2026-03-03T11:00:00.000Z");
    assert!((quoted_s(3).1 - first_s).abs() < 0.001);
    let (valid_from, later_s) = quoted_s(4);
    assert_eq!(valid_from, "2026-03-03T12:00:00.000Z");
    let actual_s = 50.0 + places.len() as f64;
    assert!((later_s - actual_s).abs() < 0.5 * (first_s - actual_s).abs(), "{first_s} {later_s} {actual_s}");
}
