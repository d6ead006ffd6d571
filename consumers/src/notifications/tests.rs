//! Events in, texts out.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Reads one event a line, `topic {json}`, and shows the texts that follow.
fn check(script: &str, expect: &Expect) {
    let mut processor = NotificationsProcessor::new();
    let mut shown = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (topic, value) = line.split_once(' ').unwrap();
        let event = Event::parse(Topic::named(topic).unwrap(), value.as_bytes()).unwrap();
        let mut answers = Vec::new();
        processor.process(&event, &mut answers);
        for answer in answers {
            let Event::Notifications(text) = answer else { panic!("{answer:?} is no text") };
            shown += &format!(
                "{} {} {:?}: {}\n",
                &text.ts.to_string()[11..19],
                text.recipient,
                text.kind,
                text.text
            );
        }
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_rider_gets_one_text_before_the_end_and_one_after_it() {
    let place = r#""origin":{"lat":0,"lon":0},"destination":{"lat":0,"lon":0.1}"#;
    let trip = |ts: &str, kind: &str| {
        format!(
            r#"trips {{"ts":"2026-03-03T{ts}Z","trip_id":"t1","driver_id":"d1","rider_id":"r1","kind":"{kind}",{place}}}"#
        )
    };
    let update = |ts: &str, eta: &str, metres: u32| {
        format!(
            r#"eta_updates {{"ts":"2026-03-03T{ts}Z","trip_id":"t1","driver_id":"d1","eta":"2026-03-03T{eta}Z","p10":"2026-03-03T{eta}Z","p90":"2026-03-03T{eta}Z","remaining_m":{metres}}}"#
        )
    };
    let script = [
        update("11:00:00", "11:02:00", 800),
        trip("11:00:01", "requested"),
        update("11:00:02", "11:14:00", 6900),
        trip("11:03:00", "picked_up"),
        update("11:03:01", "11:15:00", 6100),
        update("11:10:30", "11:15:20", 1900),
        update("11:10:31", "11:15:20", 1890),
        trip("11:14:48", "dropped_off"),
        trip("11:14:48", "dropped_off"),
        update("11:14:47", "11:14:48", 0),
    ];
    check(
        &script.join("\n"),
        &expect![[r#"
            11:10:30 r1 FiveMinutesAway: You arrive in about 5 minutes, at 11:15 UTC.
            11:14:48 r1 TripReceipt: Thank you for riding with us: 6.1 km in 12 min.
        "#]],
    );
}

#[test]
fn a_swipe_gets_one_text_whichever_side_of_the_join_comes_first() {
    check(
        r#"
        card_swipes {"ts":"2026-03-03T11:00:00Z","swipe_id":"s1","card_id":"c1","terminal_id":"t","amount_cents":1250,"currency":"EUR"}
        fraud_decisions {"ts":"2026-03-03T11:00:00Z","swipe_id":"s1","card_id":"c1","decision":"approve","probability":0.01,"reasons":[]}
        fraud_decisions {"ts":"2026-03-03T11:00:00Z","swipe_id":"s1","card_id":"c1","decision":"approve","probability":0.01,"reasons":[]}
        card_swipes {"ts":"2026-03-03T11:00:00Z","swipe_id":"s1","card_id":"c1","terminal_id":"t","amount_cents":1250,"currency":"EUR"}
        fraud_decisions {"ts":"2026-03-03T11:00:05Z","swipe_id":"s2","card_id":"c2","decision":"decline","probability":0.9,"reasons":["6 swipes in a minute"]}
        card_swipes {"ts":"2026-03-03T11:00:05Z","swipe_id":"s2","card_id":"c2","terminal_id":"t","amount_cents":0}
        card_swipes {"ts":"2026-03-03T11:00:06Z","swipe_id":"s3","card_id":"c2","terminal_id":"t","amount_cents":-300}
        fraud_decisions {"ts":"2026-03-03T11:00:06Z","swipe_id":"s3","card_id":"c2","decision":"approve","probability":0.1,"reasons":[]}
        "#,
        &expect![[r#"
            11:00:00 c1 SwipeReceipt: Your card was used: 12.50 EUR.
            11:00:05 c2 SwipeDeclined: We declined a card check because of: 6 swipes in a minute. Was it you? Please call us.
            11:00:06 c2 SwipeReceipt: Your card was used: a refund of 3.00.
        "#]],
    );
}

proptest! {
    #[test]
    fn no_swipe_gets_two_texts(steps in prop::collection::vec((0_u8..4, any::<bool>()), 0..60)) {
        let mut processor = NotificationsProcessor::new();
        let mut answers = Vec::new();
        for (id, is_swipe) in steps {
            let json = if is_swipe {
                format!(r#"{{"ts":"2026-03-03T11:00:00Z","swipe_id":"{id}","card_id":"c","terminal_id":"t","amount_cents":1}}"#)
            } else {
                format!(r#"{{"ts":"2026-03-03T11:00:00Z","swipe_id":"{id}","card_id":"c{id}","decision":"approve","probability":0,"reasons":[]}}"#)
            };
            let topic = if is_swipe { Topic::CardSwipes } else { Topic::FraudDecisions };
            processor.process(&Event::parse(topic, json.as_bytes()).unwrap(), &mut answers);
        }
        let mut recipients: Vec<&str> = answers.iter().map(Event::key).collect();
        let all = recipients.len();
        recipients.sort_unstable();
        recipients.dedup();
        prop_assert_eq!(recipients.len(), all);
    }
}
