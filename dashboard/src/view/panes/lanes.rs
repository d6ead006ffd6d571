//! The lanes: stream and batch beside each other, with their bill. The same logic twice; the
//! difference is timing and nothing else.
//!
//! # Simplifications
//! - The bill has one column for each lane: a third lane would need a wider table.

use ratatui::layout::Rect;

use crate::format::{
    self, UNKNOWN, amount_within, count, duration, figure, maybe_count, maybe_duration, time_of_day,
};
use crate::snapshot::{BillItem, FinishedRun, Freshness, LaneVerdict, Lanes, LedgerSums, Snapshot};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::lesson::hours_of;
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::list;
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, text_width};

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let lanes = &snapshot.lanes.data;
    let note = lanes
        .batch_period_ms
        .map_or("stream and batch".into(), |period| format!("batch runs every {}", duration(period)));
    let hour = |ms| time_of_day(ms, snapshot.title.utc_offset_min);
    let note = match (lanes.shown_past(), lanes.counted_since_ms) {
        (Some(past), _) => {
            format!("cost of delay, {}, before the show", hours_of(past, snapshot.title.utc_offset_min))
        }
        (None, Some(since)) => format!("{note}, counted since {}", hour(since)),
        (None, None) => note,
    };
    // Where the lines of the bill leave no row for the proof, the border has it.
    let proof = proof(lanes).unwrap_or_default();
    let in_border = !proof.is_empty() && area.height <= state.least_height(Pane::Lanes);
    let (foot, legend) = if in_border {
        (Pieces::new(), whole(&proof, area.width.saturating_sub(6)))
    } else {
        let legend = cost_to_run(lanes);
        // Where both have no room, what the lanes cost to run goes before the place of the rows.
        let room = area.width.saturating_sub(pieces_width(&legend) + 8);
        let database = lanes.database.as_ref().map(|database| clean(database).into_owned());
        let foot = database.filter(|database| legend.is_empty() || text_width(database) <= room);
        (foot.map(|database| (database, Role::Dim)).into_iter().collect(), legend)
    };
    let Some(inside) =
        open(pen, state, Pane::Lanes, area, &snapshot.lanes.source, Border { note, foot, legend })
    else {
        return;
    };
    let mut y = inside.y;
    let mut inside = inside;
    let mut room = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    // The last lines are those of the proof that nothing was lost, and of what the dial changed;
    // the second only where all lines of the bill keep theirs.
    let mut last = |line: &Pieces, least: u16| {
        if !line.is_empty() && inside.height > least {
            pen.whole_pieces(room.x, inside.bottom() - 1, room.width, line);
            inside.height -= 1;
            room.height -= 1;
        }
    };
    if !in_border {
        last(&proof, 1);
    }
    let turned = since_the_turn(lanes, snapshot.title.utc_offset_min).unwrap_or_default();
    last(&turned, lanes.shown_bill().items.len() as u16 + 1);
    y += bill(pen, lanes, room);
    if y < inside.bottom() {
        next_run(pen, lanes, snapshot, Rect { y, height: 1, ..room });
        y += 1;
    }
    // Freshness when there is room for it and some runs below; runs otherwise.
    let left = inside.bottom().saturating_sub(y);
    let businesses = lanes.freshness.len() as u16;
    if businesses > 0 && left >= businesses + 2 {
        freshness(pen, &lanes.freshness, Rect { y: y + 1, height: businesses + 1, ..room });
        y += businesses + 2;
    }
    let left = inside.bottom().saturating_sub(y);
    if left > 0 {
        let rows = state.rows(Pane::Lanes);
        // The newest run says itself that it is one.
        let head = u16::from(left > 1);
        let runs = Rect { y: y + head, height: left - head, ..inside };
        pen.text(room.x, y, room.width * head, "runs", Role::Dim);
        list(pen, state, Pane::Lanes, runs, &rows, |pen, line, row| {
            if let Item::Entry(at) = row.item {
                run(pen, &lanes.runs[at], line);
            }
        });
    }
}

/// Columns of a short name of a line with the blank after it, and the least width of a figure's
/// column beside long names.
const NAME: u16 = 15;
const ROOMY: u16 = 13;

/// What the columns of a line say.
type Cells = [(String, Role); 5];

/// The columns of the bill, by where they end; those that do not fit are left out from the right.
/// Returns its height.
fn bill(pen: &mut Pen, lanes: &Lanes, area: Rect) -> u16 {
    let items = &lanes.shown_bill().items;
    let longest = items.iter().map(|item| text_width(&clean(&item.name))).max().unwrap_or(0).min(40) + 1;
    let name = if area.width >= longest.max(NAME) + 4 * ROOMY { longest.max(NAME) } else { NAME };
    let width = ((area.width.saturating_sub(name)) / 4).clamp(8, 15);
    let columns = [(1, 1), (2, 1), (3, 1), (4, 1), (6, 2)]
        .map(|(at, wide)| (area.x + name + at * width, wide * width - 1));
    let heads = [
        ("stream", Role::Stream),
        ("batch", Role::Batch),
        ("cost of delay", Role::Title),
        ("out of (n)", Role::Dim),
        ("95 % interval", Role::Dim),
    ];
    for ((end, cells), (head, role)) in columns.into_iter().zip(heads) {
        if end <= area.right() {
            let head = match head {
                "cost of delay" if width < 14 => "cost",
                "out of (n)" if width < 11 => "out of",
                head => head,
            };
            pen.right(end, area.y, cells, head, role);
        }
    }
    // A verdict of many words takes the column of the cases as well, where that one is shown, and
    // keeps apart from the figure before it.
    let both = if columns[3].0 <= area.right() { 2 * width - 2 } else { width - 1 };
    let rooms = (width - 1, both);
    let mut lines: Vec<(Vec<String>, Cells)> = Vec::new();
    for item in items {
        let amount = |value| amount_within(item.unit, value, width - 1);
        let stream = (amount(item.stream), Role::Text);
        lines.push((
            vec![item.name.clone(), item.short_name.clone()],
            [
                stream.clone(),
                (amount(item.batch), Role::Text),
                verdict(item, rooms),
                (maybe_count(item.cases), Role::Dim),
                (interval(item, amount), Role::Dim),
            ],
        ));
        // The lesson within the lesson: a model of an hour ago is nearly as good, if it knows what
        // this visitor just did.
        if item.stale_model.is_some() {
            let old = BillItem {
                batch: item.stale_model,
                interval_95: item.stale_interval_95,
                verdict: item.stale_verdict.clone(),
                ..item.clone()
            };
            let unsaid = (String::new(), Role::Dim);
            lines.push((
                stale_names(lanes),
                [
                    unsaid.clone(),
                    (amount(old.batch), Role::Text),
                    verdict(&old, rooms),
                    unsaid,
                    (interval(&old, amount), Role::Dim),
                ],
            ));
        }
    }
    for (y, (names, cells)) in (area.y + 1..area.bottom()).zip(&lines) {
        let role = if cells[0].0.is_empty() { Role::Dim } else { Role::Text };
        // A line without a figure of the stream has the room of that column for its name.
        let room = if cells[0].0.is_empty() {
            columns[1].0.min(area.right()).saturating_sub(area.x + text_width(&cells[1].0) + 1)
        } else {
            name - 1
        };
        let words = names.iter().find(|words| text_width(words) <= room).or(names.last());
        pen.text(area.x, y, room, words.map_or("", String::as_str), role);
        let is_wide = text_width(&cells[2].0) > width - 1;
        for (at, ((end, room), (text, role))) in columns.into_iter().zip(cells).enumerate() {
            match at {
                2 if is_wide => drop(pen.right(columns[3].0, y, both, text, *role)),
                3 if is_wide => {}
                _ if end <= area.right() => drop(pen.right(end, y, room, text, *role)),
                _ => {}
            }
        }
    }
    lines.len() as u16 + 1
}

/// What is called what a model as old as the batch's run makes of the live session, from the
/// longest way to say it to the shortest.
fn stale_names(lanes: &Lanes) -> Vec<String> {
    let is_hourly = lanes.batch_period_ms.is_none_or(|period| (period - 3_600_000.0).abs() < 1.0);
    let old = if is_hourly { "hour-old" } else { "batch's" };
    ["live session", "live page", ""]
        .map(|live| if live.is_empty() { format!("└ {old} model") } else { format!("└ {old} model, {live}") })
        .to_vec()
}

/// What the delay has cost, or why no lane is named: never green unless batch is equivalent. What
/// rests on too few cases for an interval is a dim amount with a `?`, as on the second line.
/// `rooms` are the cells that an amount has, and those that words about too few cases may take.
fn verdict(item: &BillItem, rooms: (u16, u16)) -> (String, Role) {
    let Some(cost) = item.delay_cost() else { return (UNKNOWN.into(), Role::Dim) };
    let cost = amount_within(item.unit, Some(cost), rooms.0);
    let words = item.verdict.as_ref().map(|verdict| format::verdict(verdict, item.unit)).unwrap_or_default();
    let fitting = |room| {
        let fits = words.iter().find(|words| text_width(words) <= room);
        fits.or(words.last()).cloned().unwrap_or_default()
    };
    match (&item.verdict, item.interval_95) {
        (None | Some(LaneVerdict::TooFew { .. }), None) => {
            let cost = amount_within(item.unit, item.delay_cost(), rooms.0.saturating_sub(1));
            (format!("{cost}?"), Role::Dim)
        }
        (Some(LaneVerdict::AsGood { .. }), _) => (fitting(rooms.0), Role::Good),
        (Some(LaneVerdict::TooFew { .. }), Some(_)) => (fitting(rooms.1), Role::Dim),
        (None | Some(LaneVerdict::StreamWins | LaneVerdict::BatchWins), _) => (cost, Role::Truth),
    }
}

/// The confidence interval in words.
fn interval(item: &BillItem, amount: impl Fn(Option<f64>) -> String) -> String {
    match item.interval_95 {
        Some((low, high)) => format!("{} to {}", amount(Some(low)), amount(Some(high))),
        None if item.delay_cost().is_some() => "too few cases".into(),
        None => "after a later run".into(),
    }
}

/// What each lane takes to run: what a shorter period costs is the other side of what waiting does.
fn cost_to_run(lanes: &Lanes) -> Pieces {
    let Some((stream, batch)) = lanes.stream_cpu_s_per_hour.zip(lanes.batch_cpu_s_per_hour) else {
        return Pieces::new();
    };
    vec![
        (" CPU-s an hour: ".into(), Role::Dim),
        (format!("stream {stream:.1}"), Role::Stream),
        (format!("  batch {batch:.1} "), Role::Batch),
    ]
}

/// What waiting costs in an hour since the dial was moved.
fn since_the_turn(lanes: &Lanes, offset: i32) -> Option<Pieces> {
    let moved = lanes.dial_moved_ms?;
    let mut pieces = vec![(format!("since {} an hour:", time_of_day(moved, offset)), Role::Dim)];
    let headlines = lanes.bill.headlines();
    let rates = headlines.iter().filter_map(|(item, headline)| Some((item, headline, item.cost_per_hour?)));
    for (item, headline, rate) in rates {
        let words = if headline.short.is_empty() { String::new() } else { format!(" {}", headline.short) };
        let gap = if pieces.len() > 1 { " ·" } else { "" };
        let rate = figure(item.unit, Some(rate));
        let tells = !matches!(item.verdict, Some(LaneVerdict::TooFew { .. }));
        let role = if tells { Role::Truth } else { Role::Dim };
        pieces.push((format!("{gap} {rate}{words}"), role));
    }
    if pieces.len() == 1 {
        pieces.push((" measuring…".into(), Role::Dim));
    }
    Some(pieces)
}

/// How much of the period has passed.
fn next_run(pen: &mut Pen, lanes: &Lanes, snapshot: &Snapshot, line: Rect) {
    let words = match (lanes.running, lanes.next_run_in_ms) {
        (true, _) => "running now".to_string(),
        (false, Some(until)) => format!("next run in {}", duration(until)),
        (false, None) => format!("next run in {UNKNOWN}"),
    };
    let x =
        pen.text(line.x, line.y, line.width, &words, if lanes.running { Role::Batch } else { Role::Dim }) + 2;
    let cells = line.right().saturating_sub(x);
    // How much of the period has passed, in wall-clock time: a full bar means a run is due.
    let (Some(until), Some(period), Some(speed)) =
        (lanes.next_run_in_ms, lanes.batch_period_ms, snapshot.title.speed)
    else {
        return;
    };
    let part = if lanes.running { 1.0 } else { 1.0 - until / (period / speed) };
    if cells < 6 || !part.is_finite() {
        return;
    }
    let full = (part.clamp(0.0, 1.0) * f64::from(cells)).round() as u16;
    for at in 0..cells {
        let (glyph, role) = if at < full { ('━', Role::Batch) } else { ('╌', Role::Faint) };
        pen.cell(x + at, line.y, glyph, role);
    }
}

/// As many pieces as fit, with a blank at either end.
fn whole(pieces: &Pieces, room: u16) -> Pieces {
    let mut fitting = vec![(" ".to_owned(), Role::Dim)];
    for piece in pieces {
        if pieces_width(&fitting) + text_width(&piece.0) > room {
            break;
        }
        fitting.push(piece.clone());
    }
    fitting.push((" ".into(), Role::Dim));
    fitting
}

/// Every question, and what became of it: nothing may be lost, and nothing answered twice.
fn proof(lanes: &Lanes) -> Option<Pieces> {
    let sum = |count: fn(&LedgerSums) -> u64| lanes.ledger.iter().map(count).fold(0, u64::saturating_add);
    let (lost, doubled) = lanes.lost_and_doubled()?;
    let role = |count| if count == 0 { Role::Good } else { Role::Bad };
    let replayed = match sum(|sums| sums.replayed) {
        0 => String::new(),
        replayed => format!("  {} replayed", count(replayed)),
    };
    Some(vec![
        ("ledger  ".into(), Role::Dim),
        (format!("{} lost", count(lost)), role(lost)),
        (format!("  {} doubled", count(doubled)), role(doubled)),
        (replayed, Role::Text),
        (format!("  of {} questions", count(sum(|sums| sums.produced))), Role::Text),
        (format!("  {} in flight", count(sum(|sums| sums.in_flight))), Role::Dim),
    ])
}

fn freshness(pen: &mut Pen, businesses: &[Freshness], area: Rect) {
    let width = ((area.width.saturating_sub(18)) / 4).clamp(7, 13);
    let ends = [1, 2, 3, 4].map(|at| area.x + 18 + at * width);
    pen.text(area.x, area.y, 17, "business", Role::Dim);
    for (end, head) in ends.into_iter().zip(["events", "answers", "p50", "p99"]) {
        if end <= area.right() {
            pen.right(end, area.y, width - 1, head, Role::Dim);
        }
    }
    for (y, business) in (area.y + 1..area.bottom()).zip(businesses) {
        pen.text(area.x, y, 17, &business.business, Role::Text);
        let cells = [
            (maybe_count(business.events), Role::Dim),
            (maybe_count(business.answers), Role::Text),
            (maybe_duration(business.p50_ms), Role::Stream),
            (maybe_duration(business.p99_ms), Role::Text),
        ];
        for (end, (text, role)) in ends.into_iter().zip(cells) {
            if end <= area.right() {
                pen.right(end, y, width - 1, &text, role);
            }
        }
    }
}

fn run(pen: &mut Pen, run: &FinishedRun, line: Rect) {
    let records = run.records.map_or(UNKNOWN.to_string(), count);
    let pieces: Pieces = vec![
        (time_of_day(run.finished_at_ms, 0), Role::Dim),
        (format!("  {}", clean(&run.job)), Role::Batch),
        (format!("  {records} records"), Role::Text),
        (format!(" → {} rows", maybe_count(run.rows)), Role::Dim),
        (format!(" in {}", maybe_duration(run.took_ms)), Role::Text),
    ];
    pen.pieces(line.x + 1, line.y, line.width.saturating_sub(2), &pieces);
}
