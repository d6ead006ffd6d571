//! One shopper whose next items the stream's page held and the batch lane's did not: a person
//! remembers a case, not a rate.
//!
//! It is found from the topics alone, by what was on the page of each lane when an item was opened.
//! Items opened before, or before both lanes had a page, say nothing about a page.

use std::collections::HashSet;

use dashboard::FollowedCase;
use events::Timestamp;

use crate::view::CaseClock;

/// So many items must have been opened, and the stream's page must have held so many more of them.
const OPENED: u32 = 4;
const MORE: u32 = 2;
/// A visit that is over is shown for so long, in milliseconds of wall-clock time, before the next
/// takes its place.
const SHOWN_MS: i64 = 20_000;
/// A visit is over after so long without a click, in milliseconds of event time.
const SILENT_MS: i64 = 5 * 60_000;
/// Items of a visit that are remembered.
const MOST_ITEMS: usize = 40;

/// What the pages of both lanes held of the items that one visit opened next.
#[derive(Debug, Default)]
pub(super) struct PageHits {
    known: HashSet<String>,
    opened: u32,
    stream: u32,
    batch: u32,
    /// From when the batch lane's page is that was there last.
    batch_from: Option<Timestamp>,
}

impl PageHits {
    /// An item was opened, while both lanes had a page: whether each held it, and from when that of
    /// the batch lane is.
    pub(super) fn opened(&mut self, item: &str, on_page: bool, on_batch_page: bool, batch_from: Timestamp) {
        if self.known.len() >= MOST_ITEMS || !self.known.insert(item.to_owned()) {
            return;
        }
        self.opened += 1;
        self.stream += u32::from(on_page);
        self.batch += u32::from(on_batch_page);
        self.batch_from = Some(batch_from);
    }

    /// An item was opened before there were two pages.
    pub(super) fn opened_first(&mut self, item: &str) {
        if self.known.len() < MOST_ITEMS {
            self.known.insert(item.to_owned());
        }
    }

    /// Of a hundred items, how many more the stream's page held, when it is worth telling. Who has
    /// opened as many as can be remembered is a program.
    fn lead(&self) -> Option<u32> {
        let more = self.stream.checked_sub(self.batch)?;
        let is_worth_telling = self.opened >= OPENED && more >= MORE && self.known.len() < MOST_ITEMS;
        is_worth_telling.then(|| 100 * more / self.opened)
    }

    fn case(&self, session_id: &str) -> FollowedCase {
        let showed = |count: u32| match count {
            0 => "showed none".to_owned(),
            count => format!("showed {count}"),
        };
        let batch = match self.batch_from {
            Some(from) => {
                let page = format!("its page is of {}", CaseClock::hour_and_minute(from));
                vec![showed(self.batch), page]
            }
            None => vec!["has no page yet".to_owned()],
        };
        let stream = vec![format!("{} of the {} items opened next", showed(self.stream), self.opened)];
        FollowedCase { subject: session_id.to_owned(), stream, batch, ..FollowedCase::default() }
    }
}

/// Which visit is followed, and how it stood when it was last looked at.
#[derive(Debug)]
pub(super) struct FollowedShopper {
    /// The session, its last click, and in wall-clock time since when its visit is over.
    followed: Option<(String, Timestamp, Option<i64>)>,
    case: FollowedCase,
}

impl Default for FollowedShopper {
    fn default() -> Self {
        let case = FollowedCase {
            stream: vec!["no visit tells the pages apart yet".to_owned()],
            ..FollowedCase::default()
        };
        Self { followed: None, case }
    }
}

impl FollowedShopper {
    /// Looks at the visits: their sessions, last clicks and hits. `now` is event time, `wall_ms`
    /// the wall's.
    pub(super) fn choose<'a>(
        &mut self,
        visits: impl Iterator<Item = (&'a str, Timestamp, &'a PageHits)> + Clone,
        now: Timestamp,
        wall_ms: i64,
    ) {
        if let Some((id, last, over_ms)) = &mut self.followed {
            if let Some((_, at, hits)) = visits.clone().find(|(other, ..)| other == id) {
                *last = at;
                self.case = hits.case(id);
            }
            if now.since_ms(*last) > SILENT_MS {
                over_ms.get_or_insert(wall_ms);
            }
            if over_ms.is_none_or(|since_ms| wall_ms - since_ms < SHOWN_MS) {
                return;
            }
        }
        let is_open = |at: Timestamp| now.since_ms(at) <= SILENT_MS;
        let best = visits
            .filter(|(_, at, _)| is_open(*at))
            .filter_map(|(id, at, hits)| Some((hits.lead()?, id, at, hits)))
            .max_by_key(|&(lead, id, ..)| (lead, id));
        if let Some((_, id, at, hits)) = best {
            self.followed = Some((id.to_owned(), at, None));
            self.case = hits.case(id);
        }
    }

    /// The case in words.
    pub(super) fn case(&self) -> FollowedCase {
        self.case.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    /// A visit in which the stream's page held so many of these items, and the batch lane's none.
    fn visit(items: u32, held: u32) -> PageHits {
        let mut hits = PageHits::default();
        hits.opened_first("the first");
        hits.opened("the first", true, true, at(0));
        for item in 0..items {
            hits.opened(&format!("i{item}"), item < held, false, at(0));
        }
        hits
    }

    #[test]
    fn the_visit_that_tells_the_pages_apart_best_is_followed_and_no_program() {
        let visits =
            [("short", visit(3, 3)), ("good", visit(5, 4)), ("fair", visit(9, 5)), ("bot", visit(60, 60))];
        let of = |minute: i64| visits.iter().map(move |(id, hits)| (*id, at(minute), hits));
        let mut shopper = FollowedShopper::default();
        assert_eq!(shopper.case().subject, "");
        shopper.choose(of(1).filter(|(id, ..)| *id == "short"), at(1), 0);
        assert_eq!(shopper.case().subject, "", "three items tell nothing");
        shopper.choose(of(1), at(1), 0);
        let case = shopper.case();
        assert_eq!(
            (case.subject.as_str(), case.stream),
            ("good", vec!["showed 4 of the 5 items opened next".into()])
        );
        assert_eq!(case.batch, ["showed none", "its page is of 11:00"]);

        let better = visit(6, 6);
        let others = of(2).chain([("better", at(2), &better)]);
        shopper.choose(others.clone(), at(2), 1_000);
        assert_eq!(shopper.case().subject, "good", "the visit goes on");
        let gone = |minute| [("better", at(minute), &better)].into_iter();
        shopper.choose(gone(8), at(8), 7_000);
        shopper.choose(gone(9), at(9), 7_000 + SHOWN_MS - 1);
        assert_eq!(shopper.case().subject, "good", "how it went can be read");
        shopper.choose(gone(9), at(9), 7_000 + SHOWN_MS);
        assert_eq!(shopper.case().subject, "better");
    }
}
