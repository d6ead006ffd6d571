//! The records view: which records are asked for, key by key.

use std::sync::Arc;

use dashboard::{
    Action, Cmd, Command, Key, Msg, OffsetSpec, PageStart, RecordAt, RecordPage, RecordQuery, Snapshot,
    Source, State, Target, update,
};
use dashboard_testing::{Sample, keys, records, state, text};
use proptest::prelude::*;

const SIZE: (u16, u16) = (100, 30);

/// A dashboard, and the program that answers it.
struct Desk {
    state: State,
    /// The last thing that was asked to be read, `None` when nothing is.
    asked: Option<RecordQuery>,
    commands: Vec<(Action, Target)>,
}

impl Desk {
    fn new(sample: Sample) -> Self {
        Desk { state: state(sample, SIZE), asked: None, commands: Vec::new() }
    }

    /// With the records of the first topic open.
    fn reading() -> Self {
        let mut desk = Desk::new(Sample::Normal);
        desk.press("1⏎");
        desk
    }

    fn press(&mut self, text: &str) {
        for key in keys(text) {
            for cmd in update(&mut self.state, Msg::Key(key), 10) {
                if let Cmd::Send(Command { action, target, .. }) = cmd {
                    self.commands.push((action, target));
                } else if let Cmd::Read(query) = cmd {
                    self.asked = query;
                }
            }
            self.answer();
        }
    }

    fn answer(&mut self) {
        let records = self.asked.as_ref().map(|query| Arc::new(records(query)));
        let snapshot = Snapshot { records, ..Sample::Normal.snapshot() };
        update(&mut self.state, Msg::Snapshot(Arc::new(snapshot)), 20);
    }

    fn query(&self) -> &RecordQuery {
        self.asked.as_ref().expect("records are asked for")
    }

    fn shown(&self) -> String {
        text(&self.state, SIZE)
    }
}

#[test]
fn enter_on_a_topic_reads_it_and_esc_stops_reading() {
    let mut desk = Desk::reading();
    assert_eq!(*desk.query(), RecordQuery::newest("driver_locations"));
    assert!(desk.shown().contains("records of driver_locations"), "{}", desk.shown());
    desk.press("⎋");
    assert_eq!(desk.asked, None, "the pane is closed, so no records are read");
    assert!(!desk.shown().contains("records of"), "{}", desk.shown());
    desk.press("⏎2");
    assert_eq!(desk.asked, None, "a digit leads to its pane");
}

/// What a table is, in the words of its setting; of a topic that is none nothing is said.
#[test]
fn the_records_of_a_table_say_that_the_newest_of_each_key_stays() {
    let words = "cleanup.policy compact: the newest record of each key stays";
    let mut desk = Desk::reading();
    assert!(!desk.shown().contains("cleanup.policy"), "{}", desk.shown());
    for policy in ["compact", "compact,delete", "delete, compact"] {
        let page = RecordPage { cleanup_policy: Some(policy.into()), ..records(desk.query()) };
        let snapshot = Snapshot { records: Some(Arc::new(page)), ..Sample::Normal.snapshot() };
        update(&mut desk.state, Msg::Snapshot(Arc::new(snapshot)), 20);
        assert!(desk.shown().contains(&words.replace("compact", policy)), "{}", desk.shown());
    }
}

/// Also of a cluster that is not ours: to look takes nothing.
#[test]
fn the_records_of_any_cluster_can_be_read() {
    let mut desk = Desk::new(Sample::Foreign);
    desk.press("1j⏎");
    assert!(desk.query().topic.len() > 1);
}

#[test]
fn space_pauses_and_goes_on() {
    let mut desk = Desk::reading();
    desk.press(" ");
    assert!(desk.query().paused && desk.shown().contains("newest, paused"), "{}", desk.shown());
    desk.press(" ");
    assert!(!desk.query().paused && desk.shown().contains("newest, live"), "{}", desk.shown());
    assert_eq!(desk.commands, [], "no consumer is paused by it");
}

#[test]
fn keys_and_partitions_narrow_and_esc_widens() {
    let mut desk = Desk::reading();
    desk.press("/card-2⏎");
    assert_eq!(desk.query().key, "card-2");
    assert!(desk.shown().contains("key contains card-2"), "{}", desk.shown());
    desk.press("ppp");
    assert_eq!(desk.query().partition, Some(2));
    desk.press("pp");
    assert_eq!(desk.query().partition, None, "after the last all");
    desk.press("p⎋");
    assert_eq!((desk.query().partition, &*desk.query().key), (None, ""));
    desk.press("/never⎋");
    assert_eq!(desk.query().key, "", "Esc takes nothing of what was typed");
}

/// A filter that is in force is on the screen, however long it is.
#[test]
fn a_key_of_many_characters_stays_in_the_title() {
    let mut desk = Desk::reading();
    desk.press(&format!("/{}⏎", "z".repeat(300)));
    assert_eq!(desk.query().key.len(), 300);
    assert!(desk.shown().contains("key contains zzz"), "{}", desk.shown());
}

/// An empty page says why: the place is past the end, or the cluster is silent.
#[test]
fn an_empty_page_says_why() {
    let mut desk = Desk::reading();
    desk.press("o999999⏎");
    let page = |source: Source, query: &RecordQuery| {
        let page = RecordPage { source, rows: Vec::new(), ..records(query) };
        Snapshot { records: Some(Arc::new(page)), ..Sample::Normal.snapshot() }
    };
    let past_end = page(Source::Live, desk.query());
    update(&mut desk.state, Msg::Snapshot(Arc::new(past_end)), 30);
    assert!(desk.shown().contains("no record at offset 999999 or after it"), "{}", desk.shown());

    let stale = || Source::Stale { for_ms: 9_000, reason: "timed out".into() };
    let silent = page(stale(), desk.query());
    update(&mut desk.state, Msg::Snapshot(Arc::new(silent)), 40);
    assert!(desk.shown().contains("the cluster does not answer: timed out"), "{}", desk.shown());

    let mut dead = Snapshot { records: None, ..Sample::Normal.snapshot() };
    dead.cluster.source = stale();
    update(&mut desk.state, Msg::Snapshot(Arc::new(dead)), 50);
    assert!(desk.shown().contains("the cluster does not answer: timed out"), "{}", desk.shown());
}

#[test]
fn a_place_is_typed_and_what_is_none_says_how_to_write_one() {
    let mut desk = Desk::reading();
    desk.press("o1200⏎");
    assert_eq!(desk.query().start, PageStart::From(OffsetSpec::Offset(1200)));
    assert!(desk.shown().contains("from offset 1200"), "{}", desk.shown());
    desk.press("obeginnin⏎");
    assert!(desk.shown().contains("write beginning, end, an offset"), "{}", desk.shown());
    assert_eq!(desk.query().start, PageStart::From(OffsetSpec::Offset(1200)), "it goes nowhere");
    desk.press("g⏎");
    assert_eq!(desk.query().start, PageStart::From(OffsetSpec::Beginning));
    desk.press("o15m⏎");
    let PageStart::From(OffsetSpec::At(ms)) = desk.query().start else { panic!("{:?}", desk.query()) };
    assert_eq!(ms, Sample::Normal.snapshot().taken_at_ms - 900_000);
    desk.press("G");
    assert_eq!(desk.query().start, PageStart::Newest);
}

/// Past the first row of a page is the page before, and past the last the one behind.
#[test]
fn pages_are_turned_at_their_ends() {
    let mut desk = Desk::reading();
    let bounds = |offset: i64| (0..4).map(|partition| (partition, offset)).collect::<Vec<_>>();
    desk.press("k");
    assert_eq!(desk.query().start, PageStart::Newest, "there are rows above the last");
    for _ in 0..39 {
        desk.press("k");
    }
    assert_eq!(desk.query().start, PageStart::Before(bounds(1200)));
    desk.press("j");
    assert_eq!(desk.query().start, PageStart::After(bounds(1210)), "the page before began at its end");
}

#[test]
fn a_record_is_shown_whole_with_its_headers() {
    let mut desk = Desk::reading();
    desk.press("k⏎");
    assert_eq!(desk.query().whole, Some(RecordAt { partition: 2, offset: 1209 }));
    let shown = desk.shown();
    for words in ["source = card_swipes/3/1209", "\"amount\": 12.5", "empty = –", "driver_locations/2@1209"]
    {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    desk.press("⎋");
    assert_eq!(desk.query().whole, None);
    assert!(desk.shown().contains("sent, UTC"), "back among the rows:\n{}", desk.shown());
}

/// A letter says who could not read what, and why; its record is sent again after a question, and
/// so are those of all.
#[test]
fn dead_letters_are_redriven_after_a_question() {
    let mut desk = Desk::new(Sample::Normal);
    desk.press("1G⏎G⏎");
    assert_eq!(desk.query().topic, "dead_letters");
    assert!(desk.shown().contains("fraud: card_swipes/3@129  not JSON"), "{}", desk.shown());
    desk.press("R⏎");
    assert_eq!(desk.commands, [], "Cancel is the default");
    let letters = Target::Topic("dead_letters".into());
    desk.press("R⇥⏎");
    let only = Some(RecordAt { partition: 3, offset: 1209 });
    assert_eq!(desk.commands, [(Action::Redrive { only }, letters.clone())]);
    desk.press("A⇥⏎");
    assert_eq!(desk.commands[1..], [(Action::Redrive { only: None }, letters)]);
    desk.press("O");
    assert_eq!(
        (&*desk.query().topic, desk.query().partition, &desk.query().start),
        ("card_swipes", Some(3), &PageStart::From(OffsetSpec::Offset(129)))
    );
    desk.press("R⇥⏎");
    assert_eq!(desk.commands.len(), 2, "a swipe is no dead letter");
}

/// While another page is on its way no key acts on a row that is about to go.
#[test]
fn rows_of_another_query_cannot_be_chosen() {
    let mut desk = Desk::new(Sample::Normal);
    desk.press("1G⏎G⏎");
    // Asked for, and not answered.
    update(&mut desk.state, Msg::Key(Key::Char('p')), 30);
    let cmds = update(&mut desk.state, Msg::Key(Key::Char('R')), 30);
    assert_eq!(cmds, [], "it is not known which letter is meant");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is read follows from the state: whatever is pressed, the reader is told of each change
    /// and of no other, and nothing panics.
    #[test]
    fn any_keys(keys in "[1jkgGp o/AROx⏎⎋⇥]{0,60}", answered in proptest::collection::vec(any::<bool>(), 60)) {
        let mut desk = Desk::reading();
        for (char, answered) in keys.chars().zip(answered) {
            let before = desk.asked.clone();
            let key = match char { '⏎' => Key::Enter, '⎋' => Key::Esc, '⇥' => Key::Tab, other => Key::Char(other) };
            for cmd in update(&mut desk.state, Msg::Key(key), 10) {
                if let Cmd::Read(query) = cmd {
                    prop_assert!(query != before, "{:?} again", query);
                    desk.asked = query;
                }
            }
            if answered {
                desk.answer();
            }
            prop_assert_eq!(desk.shown().contains("records of"), desk.asked.is_some());
        }
    }
}
