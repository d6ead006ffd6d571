//! The second line of every screen: how far the streams are behind, how far the batch, and what its
//! delay has cost.
//!
//! The cost has a slot for each line of the bill that has a headline. Which slots there are, in
//! which words, follows from the width of the screen and the show's bill alone, and never from the
//! figures: so a slot never moves, and none vanishes while a class looks at it. What is left of the
//! width is for the two lanes, which say less where there is less of it.
//!
//! # Simplifications
//! - Each figure is given room for what it usually needs. A million in every slot at once pushes
//!   the last one out of a narrow screen.

use crate::format::{
    UNKNOWN, age, amount, count, duration, minute_of_day, number, plural, short, with_currency,
};
use crate::snapshot::{BillItem, Freshness, Headline, LaneVerdict, Lanes, PastBill, Snapshot, Source, Unit};
use crate::view::pen::{Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, text_width};

/// The second line, in at most `room` cells where that is possible.
pub(crate) fn lesson(shown: Option<&Snapshot>, room: u16) -> Pieces {
    let Some(snapshot) = shown else {
        return vec![("waiting for the first snapshot of the cluster".into(), Role::Dim)];
    };
    if snapshot.lanes.source == Source::Absent {
        return of_a_foreign_cluster(snapshot);
    }
    if snapshot.title.supervised && snapshot.title.clock_ms.is_none() {
        return getting_ready(snapshot, room);
    }
    let lanes = &snapshot.lanes.data;
    let cost = cost(snapshot, room);
    let stale = stale_ms(&snapshot.lanes.source);
    let said = stale.map(|for_ms| format!("{}: ", stale_for(for_ms)));
    let taken = pieces_width(&cost) + said.as_deref().map_or(0, text_width);
    let left = room.saturating_sub(taken);
    let mut pieces = both_lanes(lanes, left, stale.is_none());
    if stale.is_some() && pieces_width(&pieces) > left {
        // What the streams are behind says nothing where nothing is heard.
        pieces = batch(lanes, Brevity::NoName);
        pieces.push(("  ".into(), Role::Dim));
    }
    pieces.extend(cost);
    match said {
        // What was known before the source went silent is grey.
        Some(said) => {
            let known = pieces.into_iter().map(|(text, _)| (text, Role::Dim));
            std::iter::once((said, Role::Bad)).chain(known).collect()
        }
        None => pieces,
    }
}

/// How long a source has been silent, in milliseconds of wall-clock time, if it is.
pub(crate) fn stale_ms(source: &Source) -> Option<u64> {
    match source {
        Source::Stale { for_ms, .. } => Some(*for_ms),
        Source::Live | Source::Waiting | Source::Absent => None,
    }
}

/// That a source has been silent for so long; sources count in whole seconds.
pub(crate) fn stale_for(ms: u64) -> String {
    if ms < 1_000 { "stale".into() } else { format!("stale {}", duration(ms as f64)) }
}

/// Before the first event the consumers load and join; nothing is wrong.
fn getting_ready(snapshot: &Snapshot, room: u16) -> Pieces {
    let here = |group: &str| {
        snapshot.groups.data.iter().any(|known| known.id == group && !known.partitions.is_empty())
    };
    let mut missing: Vec<&str> = Vec::new();
    for group in snapshot.workers.data.iter().filter_map(|worker| worker.group.as_deref()) {
        if !here(group) && !missing.contains(&group) {
            missing.push(group);
        }
    }
    let long = match missing.as_slice() {
        [one] => format!(": {} is loading its history and joining its group", clean(one)),
        [] => ": the consumers are loading their history and joining their groups".to_owned(),
        some => {
            let names = some.join(", ");
            format!(": {} are loading their history and joining their groups", clean(&names))
        }
    };
    let ways = [long, ": the consumers load and join".to_owned(), String::new()];
    let ways = ways.map(|rest| vec![("starting".to_owned(), Role::Title), (rest, Role::Dim)]);
    let mut cost = Pieces::new();
    let lanes = &snapshot.lanes.data;
    if lanes.shown_past().is_some() {
        let beside = |way: &Pieces| cost_alone(snapshot, room.saturating_sub(pieces_width(way) + 4));
        // No slot goes for words about the start: it would be back a moment later.
        let (brief, least) = (beside(&ways[1]), beside(&ways[2]));
        cost.push(("    ".into(), Role::Dim));
        cost.extend(if brief.len() < least.len() { least } else { brief });
    }
    let taken = pieces_width(&cost);
    let fitting = ways.iter().position(|pieces| pieces_width(pieces) + taken <= room);
    let [long, brief, least] = ways;
    let mut said = match fitting {
        Some(0) => long,
        Some(1) => brief,
        Some(_) | None => least,
    };
    said.extend(cost);
    said
}

/// From this delay on, in milliseconds, the consumer that is furthest behind is named.
pub(crate) const NAMED_MS: f64 = 2_000.0;
/// The least that is reserved for when the next run is, so that the line does not change its
/// wording with the seconds: `, next run in 59 s`.
const NEXT_RUN_CELLS: u16 = 18;

/// How briefly the lanes are spoken of. Each leaves out what the one before it does, and more.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Brevity {
    Everything,
    /// When the batch runs next.
    NoNext,
    /// The word after a delay.
    NoBehind,
    /// How the consumers do that are not the worst: that they are well tells a class that they do
    /// not wait for each other, so words go before it does.
    NoOthers,
    /// Which consumer is behind.
    NoName,
    /// The *yet* of what is not there yet.
    Least,
}

/// Both lanes, and the gap after them: the longest way to say it that fits, or the shortest.
fn both_lanes(lanes: &Lanes, room: u16, runs: bool) -> Pieces {
    use Brevity::{Everything, Least, NoBehind, NoName, NoNext, NoOthers};
    let ways = [
        (Everything, 4),
        (Everything, 2),
        (NoNext, 4),
        (NoNext, 2),
        (NoBehind, 2),
        (NoOthers, 2),
        (NoName, 2),
        (Least, 2),
    ];
    let mut said = Pieces::new();
    // Of a source that is stale it is not known when the next run is.
    for (brevity, gap) in ways.into_iter().filter(|(brevity, _)| runs || *brevity >= NoNext) {
        let gap = || ("    "[..gap].to_owned(), Role::Dim);
        said = stream(lanes, brevity);
        said.push(gap());
        said.extend(batch(lanes, brevity));
        let last = said.last().map_or(0, |(words, _)| text_width(words));
        let reserved = if brevity < NoNext { NEXT_RUN_CELLS.saturating_sub(last) } else { 0 };
        said.push(gap());
        if pieces_width(&said) + reserved <= room {
            break;
        }
    }
    said
}

/// How far the streams are behind: the worst of them, by name if it can be told apart from the
/// others, and when there is room how the others do.
pub(crate) fn stream(lanes: &Lanes, brevity: Brevity) -> Pieces {
    let mut pieces = vec![("stream ".into(), Role::Stream)];
    let Some(worst) = worst(lanes) else {
        match lanes.stream_delay_ms {
            Some(delay) => pieces.push((duration(delay), Role::Truth)),
            None => pieces.push((yet("no answer", brevity), Role::Dim)),
        }
        if lanes.stream_delay_ms.is_some() && brevity < Brevity::NoBehind {
            pieces.push((" behind".into(), Role::Dim));
        }
        return pieces;
    };
    let behind = age(worst.delay_ms, worst.delay_is_minimum);
    if brevity < Brevity::NoName {
        pieces.push((format!("{} ", clean(&worst.business)), Role::Bad));
    }
    pieces.push((behind, Role::Bad));
    if brevity < Brevity::NoBehind {
        pieces.push((" behind".into(), Role::Dim));
    }
    let others = lanes.freshness.iter().filter(|of| of.business != worst.business).map(delay);
    let others = others.filter(|_| brevity < Brevity::NoOthers).reduce(f64::max);
    if let Some(others) = others.filter(|&others| others > 0.0) {
        pieces.push((format!(", others {}", duration(others)), Role::Dim));
    }
    pieces
}

/// The consumer that is furthest behind, if it is behind.
pub(crate) fn worst(lanes: &Lanes) -> Option<&Freshness> {
    let worst = lanes.freshness.iter().max_by(|a, b| delay(a).total_cmp(&delay(b)));
    worst.filter(|worst| delay(worst) >= NAMED_MS)
}

/// How far a consumer is behind, as far as is known.
fn delay(of: &Freshness) -> f64 {
    of.delay_ms.unwrap_or(0.0)
}

/// What the batch knows.
pub(crate) fn batch(lanes: &Lanes, brevity: Brevity) -> Pieces {
    let mut pieces = vec![("batch ".into(), Role::Batch)];
    match lanes.batch_age_ms {
        Some(age) => {
            pieces.push((duration(age), Role::Truth));
            if brevity < Brevity::NoBehind {
                pieces.push((" behind".into(), Role::Dim));
            }
        }
        None => pieces.push((yet("no run", brevity), Role::Dim)),
    }
    if brevity < Brevity::NoNext {
        let until = lanes.next_run_in_ms.map(|until| format!(", next run in {}", duration(until)));
        let running = lanes.running.then(|| ", running now".to_owned());
        let say = without_run(lanes).map(|words| format!(", {words}")).or(running).or(until);
        pieces.extend(say.map(|say| (say, Role::Dim)));
    }
    pieces
}

/// The batch lane's age is that of the jobs that have run: which have not.
pub(crate) fn without_run(lanes: &Lanes) -> Option<String> {
    let unknown = lanes.readers.iter().filter(|readers| readers.batch_age_ms.is_none());
    let unknown: Vec<_> = unknown.map(|readers| clean(&readers.business)).collect();
    let is_known = lanes.batch_age_ms.is_some() && !unknown.is_empty();
    is_known.then(|| format!("{} no run yet", unknown.join(" and ")))
}

/// What is not there yet.
fn yet(what: &str, brevity: Brevity) -> String {
    if brevity < Brevity::Least { format!("{what} yet") } else { what.to_owned() }
}

/// How the slots are written.
struct Style {
    /// What stands before them, and what where they are of the hours before the show: that before
    /// these hours, or alone where there is no room for them.
    head: &'static str,
    before: &'static str,
    /// Whether the words are the long ones.
    wide: bool,
    figures: Figures,
    /// At most so many slots, the first ones.
    most: usize,
    /// The cells that the lanes need in front of it.
    lanes: u16,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Figures {
    /// With its cents: `$1,204.50`.
    Full,
    /// Without, from a hundred on: `$1,204`.
    Whole,
    /// In at most five cells: `$1.2k`.
    Short,
}

impl Figures {
    /// The cells that a figure usually needs, with what says that it is uncertain.
    fn cells(self, unit: Unit) -> u16 {
        match (self, unit) {
            (Figures::Full, Unit::Cents) => 10,
            (Figures::Whole, Unit::Cents) => 8,
            (Figures::Full | Figures::Whole, Unit::Count) => 7,
            (Figures::Short, Unit::Cents) => 5,
            (Figures::Short, Unit::Count) => 4,
        }
    }

    /// A figure of the bill, money with its currency.
    fn write(self, unit: Unit, value: f64) -> String {
        let figure = match (self, unit) {
            (Figures::Full | Figures::Whole, Unit::Count) => number(Some(value)),
            (Figures::Short, Unit::Count) if value.abs() < 1_000.0 => number(Some(value)),
            (Figures::Short, Unit::Count) => short(value),
            (Figures::Short, Unit::Cents) if value.abs() >= 100_000.0 => short(value / 100.0),
            (Figures::Whole | Figures::Short, Unit::Cents) if value.abs() >= 10_000.0 => {
                number(Some((value / 100.0).round()))
            }
            (Figures::Full | Figures::Whole | Figures::Short, Unit::Cents) => amount(unit, Some(value)),
        };
        match unit {
            Unit::Count => figure,
            Unit::Cents => with_currency(&figure),
        }
    }
}

/// `stream 18 ms behind  batch 41 min behind  `, and the same without *behind*.
const LANES_CELLS: [u16; 2] = [44, 30];

/// From the widest to the narrowest.
const STYLES: [Style; 6] = [
    style(
        ("cost of batch delay so far: ", "cost of batch delay, "),
        true,
        Figures::Full,
        usize::MAX,
        LANES_CELLS[0],
    ),
    style(("cost of delay: ", "cost "), false, Figures::Whole, usize::MAX, LANES_CELLS[0]),
    style(("cost ", BEFORE), false, Figures::Short, usize::MAX, LANES_CELLS[1]),
    style(("cost ", BEFORE), false, Figures::Short, 3, LANES_CELLS[1]),
    style(("cost ", BEFORE), false, Figures::Short, 2, LANES_CELLS[1]),
    style(("cost ", BEFORE), false, Figures::Short, 1, 0),
];

/// What stands before the cost of the hours before the show where there is no room to name them.
const BEFORE: &str = "before ";

const fn style(
    (head, before): (&'static str, &'static str),
    wide: bool,
    figures: Figures,
    most: usize,
    lanes: u16,
) -> Style {
    Style { head, before, wide, figures, most, lanes }
}

impl Style {
    /// What stands before the slots, where `past` are the hours before the show that they are of.
    fn head_of(&self, past: Option<&str>) -> String {
        match past {
            None => self.head.to_owned(),
            Some(_) if self.before == BEFORE => BEFORE.to_owned(),
            Some(hours) => format!("{}{hours}: ", self.before),
        }
    }

    /// What stands between two slots.
    fn gap(&self) -> &'static str {
        if matches!(self.figures, Figures::Short) { "  " } else { " · " }
    }

    fn words<'a>(&self, headline: &'a Headline) -> &'a str {
        if self.wide { &headline.words } else { &headline.short }
    }

    /// The cells that these slots usually need.
    fn cells(&self, slots: &[(&BillItem, &Headline)], past: Option<&str>) -> u16 {
        let slot = |(item, headline): &(&BillItem, &Headline)| {
            let words = self.words(headline);
            self.figures.cells(item.unit) + text_width(words) + u16::from(!words.is_empty())
        };
        let slots = &slots[..slots.len().min(self.most)];
        let between = text_width(self.gap()) * slots.len().saturating_sub(1) as u16;
        let around = text_width(&self.head_of(past)) + between;
        slots.iter().map(slot).fold(around, u16::saturating_add)
    }
}

/// What the delay has cost, a slot for each headline of the bill, on a line of `room` cells which
/// begins with both lanes.
fn cost(snapshot: &Snapshot, room: u16) -> Pieces {
    written(snapshot, |style| style.lanes, room)
}

/// The same on a line of its own.
pub(crate) fn cost_alone(snapshot: &Snapshot, room: u16) -> Pieces {
    written(snapshot, |_| 0, room)
}

/// That there is no bill yet, and one of the hours before the show is on its way.
pub(crate) fn awaits_past(lanes: &Lanes) -> Option<&'static str> {
    (lanes.past_is_due && !lanes.bill.is_known()).then_some("cost of delay before the show: being computed")
}

/// The hours before the show that the past is of: `12:00–14:00`.
pub(crate) fn hours_of(past: &PastBill, utc_offset_min: i32) -> String {
    let minute = |ms| minute_of_day(ms, utc_offset_min);
    format!("{}–{}", minute(past.from_ms), minute(past.until_ms))
}

/// The cost on `room` cells, of which those before it take what `before` says of a style.
fn written(snapshot: &Snapshot, before: fn(&Style) -> u16, room: u16) -> Pieces {
    let lanes = &snapshot.lanes.data;
    if let Some(words) = awaits_past(lanes) {
        return vec![(words.into(), Role::Dim)];
    }
    let slots = lanes.shown_bill().headlines();
    let past = lanes.shown_past().map(|past| hours_of(past, snapshot.title.utc_offset_min));
    let past = past.as_deref();
    let fits = |style: &&Style| before(style) + style.cells(&slots, past) <= room;
    let style = STYLES.iter().find(fits).unwrap_or(&STYLES[STYLES.len() - 1]);
    let mut pieces: Pieces = vec![(style.head_of(past), Role::Dim)];
    if slots.is_empty() {
        pieces.push(("no case yet".into(), Role::Dim));
    }
    let mut awaits_run = lanes.batch_age_ms.is_none() && lanes.runs.is_empty();
    for (at, (item, headline)) in slots.iter().take(style.most).enumerate() {
        if at > 0 {
            pieces.push((style.gap().into(), Role::Dim));
        }
        let words = style.words(headline);
        let Some(cost) = item.delay_cost() else {
            let what = if words.is_empty() { "$" } else { words };
            // The first one says what all wait for, where there is room for it.
            let waits = awaits_run && !matches!(style.figures, Figures::Short);
            let said = match (waits, item.unit) {
                (true, _) => format!("{what} after 1 run"),
                (false, Unit::Cents) => format!("{what} {UNKNOWN}"),
                (false, Unit::Count) => format!("{UNKNOWN} {what}"),
            };
            awaits_run = false;
            pieces.push((said, Role::Dim));
            continue;
        };
        pieces.push(judged(item, cost, style.figures));
        if !words.is_empty() {
            pieces.push((format!(" {words}"), Role::Dim));
        }
    }
    let waits = slots.iter().take(style.most).any(|(item, _)| item.delay_cost().is_none());
    if waits && !lanes.runs.is_empty() && !matches!(style.figures, Figures::Short) {
        pieces.push((format!("  {UNKNOWN} after a later run"), Role::Dim));
    }
    pieces
}

/// What a line of the bill says that the delay has cost, from the longest way to write it to the
/// shortest.
pub(crate) fn ways_to_write(item: &BillItem, cost: f64) -> [(String, Role); 3] {
    [Figures::Full, Figures::Whole, Figures::Short].map(|figures| judged(item, cost, figures))
}

/// A cost with its verdict; `?` marks one that rests on too few cases.
fn judged(item: &BillItem, cost: f64, figures: Figures) -> (String, Role) {
    match &item.verdict {
        Some(LaneVerdict::StreamWins | LaneVerdict::BatchWins) => {
            (figures.write(item.unit, cost), Role::Truth)
        }
        // Within the margin of nothing.
        Some(LaneVerdict::AsGood { .. }) => {
            (if item.unit == Unit::Cents { "≈$0" } else { "≈0" }.into(), Role::Dim)
        }
        // Too few cases to tell: the sum is no cost yet, which its colour and its mark say.
        Some(LaneVerdict::TooFew { .. }) | None => {
            (format!("{}?", figures.write(item.unit, cost)), Role::Dim)
        }
    }
}

/// A foreign cluster has no lanes to compare: the line shows what any consumer group can show.
fn of_a_foreign_cluster(snapshot: &Snapshot) -> Pieces {
    let groups = &snapshot.groups.data;
    let mut pieces = vec![
        (plural(snapshot.topics.data.len() as u64, "topic"), Role::Text),
        ("  ".into(), Role::Dim),
        (plural(groups.len() as u64, "group"), Role::Text),
    ];
    let worst =
        groups.iter().filter(|group| group.lag_records.is_some()).max_by_key(|group| group.lag_records);
    if let Some(group) = worst {
        pieces.push(("  farthest behind ".into(), Role::Dim));
        pieces.push((clean(&group.id).into_owned(), Role::Truth));
        let records = count(group.lag_records.unwrap_or(0));
        let age = age(group.lag_ms, group.lag_is_minimum);
        pieces.push((format!(" by {records} records, {age}"), Role::Dim));
    }
    pieces
}
