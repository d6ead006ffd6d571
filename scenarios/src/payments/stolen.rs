//! One card that looks stolen, followed in both lanes: a person remembers a case, not a sum.
//!
//! It is found from what anybody can read: a swipe of hundreds of dollars that the stream declined
//! in time, of a card that had been swiped many times in the minutes before. From then on its
//! swipes are added up until the batch lane's run has looked at them.

use std::collections::{HashMap, VecDeque};

use consumers::fraud::BlockedCards;
use dashboard::FollowedCase;
use events::{Batched, FraudDecision, HOUR_MS, Timestamp};

use crate::view::CaseClock;

/// A swipe belongs to a rush of a card within so much event time.
const RUSH_MS: i64 = 15 * 60_000;
/// A rush has so many swipes at least, and ends with an amount of so many cents.
const RUSH: usize = 5;
const LARGE_CENTS: i64 = 20_000;
/// A case that is over is shown for so long, in milliseconds of wall-clock time, before the next
/// takes its place.
const SHOWN_MS: i64 = 20_000;
/// After so much event time no run is waited for any more.
const PATIENCE_MS: i64 = 3 * HOUR_MS;
/// Cards are looked through for old swipes when there are so many, and from then on when they are
/// twice as many as were left.
const FIRST_CARDS: usize = 1_000;
const MOST_CARDS: usize = 20_000;

/// The newest swipes of every card, and the one that is followed.
#[derive(Debug, Default)]
pub(super) struct StolenCard {
    rushes: HashMap<String, VecDeque<Timestamp>>,
    /// How many cards there may be until they are looked through.
    room: usize,
    followed: Option<Followed>,
}

#[derive(Debug)]
struct Followed {
    card_id: String,
    swipe_id: String,
    /// When it was declined, in event time and in wall-clock time.
    at: Timestamp,
    seen_ms: i64,
    /// Which swipe of the rush it was, and after how long it was declined.
    number: usize,
    latency_ms: i64,
    /// How many large ones the stream has declined since, and all that it has declined, in cents.
    more: u32,
    declined_cents: i64,
    /// Every swipe since, that one included: what the batch lane lets through until it blocks.
    swipes: Vec<(Timestamp, i64)>,
    blocks: BlockedCards,
    /// When the run that looked at it was out.
    looked: Option<Timestamp>,
}

impl StolenCard {
    /// A card was swiped.
    pub(super) fn swiped(&mut self, card_id: &str, at: Timestamp, amount_cents: i64) {
        if let Some(followed) = self.followed.as_mut().filter(|followed| followed.card_id == card_id)
            && at > followed.at
        {
            followed.swipes.push((at, amount_cents));
        }
        if self.rushes.len() >= self.room.max(FIRST_CARDS) {
            self.rushes.retain(|_, rush| rush.back().is_some_and(|&last| at.since_ms(last) < RUSH_MS));
            self.room = (self.rushes.len() * 2).min(MOST_CARDS);
            if self.rushes.len() >= MOST_CARDS {
                self.rushes.clear();
            }
        }
        let rush = self.rushes.entry(card_id.to_owned()).or_default();
        while rush.front().is_some_and(|&first| at.since_ms(first) > RUSH_MS) || rush.len() >= 100 {
            rush.pop_front();
        }
        rush.push_back(at);
    }

    /// The stream declined a swipe after `latency_ms` of wall-clock time, in time.
    pub(super) fn declined(
        &mut self,
        answer: &FraudDecision,
        amount_cents: i64,
        (latency_ms, wall_ms): (i64, i64),
    ) {
        let at = answer.ts;
        if let Some(followed) = &mut self.followed {
            if followed.card_id == answer.card_id && at > followed.at && followed.looked.is_none() {
                followed.more += 1;
                followed.declined_cents += amount_cents;
            }
            let is_over = followed.looked.is_some() && wall_ms - followed.seen_ms > SHOWN_MS;
            if !is_over && at.since_ms(followed.at) < PATIENCE_MS {
                return;
            }
        }
        let number = self.rushes.get(&answer.card_id).map_or(0, |rush| {
            rush.iter().filter(|&&swipe| swipe <= at && at.since_ms(swipe) <= RUSH_MS).count()
        });
        if number < RUSH || amount_cents < LARGE_CENTS {
            return;
        }
        self.followed = Some(Followed {
            card_id: answer.card_id.clone(),
            swipe_id: answer.swipe_id.clone(),
            at,
            seen_ms: wall_ms,
            number,
            latency_ms,
            more: 0,
            declined_cents: amount_cents,
            swipes: vec![(at, amount_cents)],
            blocks: BlockedCards::default(),
            looked: None,
        });
    }

    /// The batch lane's answer to a swipe, which was read at `wall_ms`.
    pub(super) fn looked_at(&mut self, batched: &Batched<FraudDecision>, wall_ms: i64) {
        let of_card = |followed: &&mut Followed| followed.card_id == batched.answer.card_id;
        let Some(followed) = self.followed.as_mut().filter(of_card) else { return };
        followed.blocks.observe_run(batched);
        if batched.answer.swipe_id == followed.swipe_id && followed.looked.is_none() {
            followed.looked = Some(batched.valid_from);
            followed.seen_ms = wall_ms;
        }
    }

    /// The case in words, when event time is that of `clock`.
    pub(super) fn case(&self, clock: &CaseClock) -> FollowedCase {
        let Some(followed) = &self.followed else {
            let stream = vec!["no card looks stolen yet".to_owned()];
            return FollowedCase { stream, ..FollowedCase::default() };
        };
        let first =
            format!("declined its {} swipe after {} ms", ordinal(followed.number), followed.latency_ms);
        // Where there is no room, the sum stays longer than the number.
        let mut stream = vec![first, format!("{} kept", dollars(followed.declined_cents))];
        if followed.more > 0 {
            stream.push(format!("with {} more", followed.more));
        }
        let until = |end: Timestamp| -> i64 {
            followed.swipes.iter().filter(|(at, _)| *at <= end).map(|(_, cents)| cents).sum()
        };
        let batch = match followed.looked {
            None => {
                let approved = if followed.more > 0 { "approved all" } else { "approved it" };
                let gone = format!("{} gone", dollars(until(clock.now)));
                vec![approved.to_owned(), format!("finds out {}", clock.when_it_looks(followed.at)), gone]
            }
            Some(looked) if followed.blocks.is_blocked(&followed.card_id, looked) => {
                let minutes = looked.since_ms(followed.at) / 60_000;
                vec![format!("blocked it {minutes} min later"), format!("{} gone", dollars(until(looked)))]
            }
            Some(looked) => {
                vec![
                    "saw nothing wrong".to_owned(),
                    format!("looked at {}", CaseClock::hour_and_minute(looked)),
                ]
            }
        };
        FollowedCase { subject: followed.card_id.clone(), stream, batch, ..FollowedCase::default() }
    }
}

/// Whole dollars: `$850`.
fn dollars(cents: i64) -> String {
    let whole = text::money(cents / 100 * 100);
    whole.strip_suffix(".00").unwrap_or(&whole).to_owned()
}

/// `9th`
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use events::Decision;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    fn answer(swipe_id: &str, minute: i64, decision: Decision) -> FraudDecision {
        FraudDecision {
            ts: at(minute),
            swipe_id: swipe_id.to_owned(),
            card_id: "card-7".to_owned(),
            decision,
            probability: if decision == Decision::Decline { 0.97 } else { 0.01 },
            reasons: Vec::new(),
            scored_in_us: None,
        }
    }

    /// Eight small swipes in eight minutes, and a large one that the stream declines.
    fn theft() -> StolenCard {
        let mut card = StolenCard::default();
        for minute in 1..9 {
            card.swiped("card-7", at(minute), 150);
            card.declined(&answer("small", minute, Decision::Decline), 150, (5, 0));
        }
        assert_eq!(card.case(&clock(9)).subject, "", "small amounts are no theft yet");
        card.swiped("card-7", at(9), 85_000);
        card.declined(&answer("large", 9, Decision::Decline), 85_000, (7, 0));
        card
    }

    #[test]
    fn a_card_that_was_not_swiped_lately_is_forgotten() {
        let mut cards = StolenCard::default();
        for minute in 0..10_000 {
            for card in 0..10 {
                cards.swiped(&format!("{minute}-{card}"), at(minute), 150);
            }
            assert!(cards.rushes.len() <= FIRST_CARDS, "{} in minute {minute}", cards.rushes.len());
        }
    }

    fn clock(minute: i64) -> CaseClock {
        let is_running = (60..62).contains(&minute);
        CaseClock { start: at(0), now: at(minute), period_ms: Some(HOUR_MS), is_running }
    }

    fn run(swipe_id: &str, decision: Decision) -> Batched<FraudDecision> {
        Batched::as_of(answer(swipe_id, 9, decision), at(61))
    }

    #[test]
    fn a_stolen_card_is_followed_until_the_batch_lane_has_looked() {
        let mut card = theft();
        card.swiped("card-7", at(20), 40_000);
        card.declined(&answer("second", 20, Decision::Decline), 40_000, (6, 0));
        card.swiped("another", at(20), 99_000);
        assert_eq!(theft().case(&clock(9)).batch, ["approved it", "finds out in 51 min", "$850 gone"]);
        assert_eq!(theft().case(&clock(9)).stream, ["declined its 9th swipe after 7 ms", "$850 kept"]);
        let case = card.case(&clock(21));
        assert_eq!(case.subject, "card-7");
        assert_eq!(case.stream, ["declined its 9th swipe after 7 ms", "$1,250 kept", "with 1 more"]);
        assert_eq!(case.batch, ["approved all", "finds out in 39 min", "$1,250 gone"]);

        assert_eq!(card.case(&clock(60)).batch[1], "finds out now");
        card.looked_at(&run("of another swipe", Decision::Approve), 40_000);
        card.looked_at(&run("large", Decision::Decline), 40_000);
        assert_eq!(card.case(&clock(62)).batch, ["blocked it 52 min later", "$1,250 gone"]);
    }

    /// A run that is under way looks at the period that is over, not at what came after.
    #[test]
    fn a_theft_after_the_hour_waits_for_the_next_run() {
        let finds_out = |now| theft().case(&CaseClock { start: at(-60), ..now }).batch[1].clone();
        let during = CaseClock { now: at(10), is_running: true, ..clock(10) };
        assert_eq!(finds_out(during), "finds out in 50 min");
        assert_eq!(finds_out(CaseClock { is_running: false, ..during }), "finds out in 50 min");
        assert_eq!(finds_out(clock(59)), "finds out in 1 min");
        assert_eq!(finds_out(CaseClock { now: at(60).plus_ms(-10_500), ..clock(59) }), "finds out in 11 s");
        assert_eq!(finds_out(clock(61)), "finds out now");
    }

    #[test]
    fn a_run_that_saw_nothing_is_said_to_have_seen_nothing() {
        let mut card = theft();
        let dead = CaseClock { period_ms: None, ..clock(59) };
        assert_eq!(card.case(&dead).batch, ["approved it", "finds out when its job runs again", "$850 gone"]);
        card.looked_at(&run("large", Decision::Approve), 40_000);
        assert_eq!(card.case(&clock(62)).batch, ["saw nothing wrong", "looked at 12:01"]);
    }

    #[test]
    fn a_case_that_is_over_makes_room_for_the_next_and_no_case_is_left_before() {
        let mut card = theft();
        let next = |card: &mut StolenCard, wall_ms| {
            let other = |swipe_id: &str| FraudDecision {
                card_id: "card-8".to_owned(),
                ..answer(swipe_id, 63, Decision::Decline)
            };
            for _ in 0..RUSH {
                card.swiped("card-8", at(63), 30_000);
            }
            card.declined(&other("theirs"), 30_000, (9, wall_ms));
            card.case(&clock(63)).subject
        };
        assert_eq!(next(&mut card, 70_000), "card-7", "its run has not looked yet");
        card.looked_at(&run("large", Decision::Decline), 70_000);
        assert_eq!(next(&mut card, 70_000 + SHOWN_MS), "card-7", "how it ended can be read");
        assert_eq!(next(&mut card, 70_001 + SHOWN_MS), "card-8");
    }

    #[test]
    fn numbers_have_their_endings() {
        let said: Vec<String> = [1, 2, 3, 9, 11, 12, 13, 21, 112].into_iter().map(ordinal).collect();
        assert_eq!(said, ["1st", "2nd", "3rd", "9th", "11th", "12th", "13th", "21st", "112th"]);
    }
}
