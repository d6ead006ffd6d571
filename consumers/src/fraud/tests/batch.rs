//! The job of the batch lane beside the stream.

use super::*;

#[test]
fn the_hourly_run_gives_the_same_probabilities_when_the_hour_is_over() {
    let events = town(12);
    let stream = run(&mut FraudProcessor::new(FraudConfig::default()), &events);
    let batch = run(&mut FraudBatch::new(FraudConfig::default(), HOUR_MS), &events);
    assert_eq!(stream.len(), batch.len(), "one answer a swipe");
    for (stream, batch) in stream.iter().zip(&batch) {
        let (Event::FraudDecisions(stream), Event::FraudBatch(Batched { answer, batch_id, valid_from })) =
            (stream, batch)
        else {
            panic!("{stream:?} and {batch:?} are not the two lanes' answers")
        };
        assert_eq!(stream, answer);
        assert_eq!(*valid_from, stream.ts.floor(HOUR_MS).plus_ms(HOUR_MS));
        assert_eq!(batch_id, "", "a processor knows no runs: the lane that publishes names them");
    }
}

#[test]
fn a_late_swipe_goes_into_the_run_that_is_next() {
    let mut lane = FraudBatch::new(FraudConfig::default(), HOUR_MS);
    let events = [("a", 10), ("b", 70), ("late", 50), ("c", 130), ("d", 131)]
        .map(|(id, minute)| Event::from(swipe(id, at(0, 0, minute), "card", "shop", 1_000)));
    let told: Vec<String> = run(&mut lane, &events)
        .into_iter()
        .map(|answer| match answer {
            Event::FraudBatch(batched) => {
                format!("{} {}", batched.answer.swipe_id, &batched.valid_from.to_string()[11..16])
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["a 10:00", "b 11:00", "late 11:00", "c 12:00", "d 12:00"]);
}
