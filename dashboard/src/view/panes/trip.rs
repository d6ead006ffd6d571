//! One trip: when it will end, as the stream lane, the batch lane and the truth have it, on one
//! axis; and below it how right both lanes were about those that have ended.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, countdown, deviation, duration};
use crate::snapshot::{Arrival, City, Trip};
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::clean;

/// Columns that it takes beside the map.
pub(crate) const WIDTH: u16 = 29;
/// Rows of the trip alone: its name and three answers.
pub(crate) const TRIP: u16 = 4;
/// Rows above the trips that have ended: an empty one and two of headings.
const HEADINGS: u16 = 3;

/// Rows that it takes below a map that has so many to share.
pub(crate) fn height(city: &City, available: u16) -> u16 {
    let arrivals = (city.arrivals.len() as u16).min(5);
    if available >= 36 && arrivals > 0 { TRIP + HEADINGS + arrivals } else { TRIP }
}

pub(crate) fn draw(pen: &mut Pen, city: &City, trip: &Trip, area: Rect) {
    let room = area.width.saturating_sub(2);
    pen.pieces(area.x + 1, area.y, room, &head(city, trip, area.width));
    let mut words_end = area.x;
    for (y, pieces) in (area.y + 1..area.bottom()).zip(answers(trip)) {
        words_end = words_end.max(area.x + 1 + pieces_width(&pieces));
        pen.pieces(area.x + 1, y, room, &pieces);
    }
    let from = words_end.max(area.x + 27) + 1;
    let cells = area.right().saturating_sub(from + 2).min(60);
    let mut y = area.y + TRIP;
    if cells >= 14 {
        axis(pen, trip, Rect::new(from, area.y + 1, cells, 3));
    } else if area.height >= 8 {
        axis(pen, trip, Rect::new(area.x + 1, y + 1, area.width.saturating_sub(3), 3));
        y += 4;
    }
    let left = area.bottom().saturating_sub(y);
    if left > HEADINGS && !city.arrivals.is_empty() {
        arrivals(pen, &city.arrivals, Rect { y: y + 1, height: left - 1, ..area });
    }
}

fn head(city: &City, trip: &Trip, width: u16) -> Pieces {
    let mut head: Pieces =
        vec![("◆ ".into(), Role::Stream), (clean(&trip.trip_id).into_owned(), Role::Title)];
    if trip.arrived {
        head.push(("  ✓ arrived".into(), Role::Good));
        return head;
    }
    head.push((format!("  {}", clean(&trip.driver_id)), Role::Dim));
    if let Some(all) = city.trips_under_way.filter(|_| width > 36) {
        head.push((format!("  one of {all} under way"), Role::Dim));
    }
    head
}

/// The three answers, one a line.
fn answers(trip: &Trip) -> [Pieces; 3] {
    let stream = trip.stream.map(|eta| {
        let band = (eta.p90_s - eta.p10_s) / 2.0;
        (eta.remaining_s, format!("± {}", countdown(band.max(0.0))))
    });
    let batch = trip.batch.map(|eta| (eta.remaining_s, format!("{} old", duration(eta.age_s * 1000.0))));
    let off = |answer: Option<(f64, String)>| {
        let truth = trip.truth_s.filter(|_| trip.arrived)?;
        answer.as_ref().map(|(said, _)| (*said, deviation(said - truth)))
    };
    // After the arrival the answers are compared with the truth.
    let (stream, batch) = (off(stream.clone()).or(stream), off(batch.clone()).or(batch));
    let truth = trip.truth_s.map(|truth| (truth, "half-way on".to_string()));
    let pending = if trip.arrived {
        ["no answer", "no run by then", ""]
    } else {
        ["no answer yet", "unknown until a run", "known on arrival"]
    };
    let lanes =
        [("stream", Role::Stream, stream), ("batch", Role::Batch, batch), ("actual", Role::Truth, truth)];
    let mut pending = pending.into_iter();
    lanes.map(|(lane, role, answer)| {
        let pending = pending.next().unwrap_or("");
        let mut pieces: Pieces = vec![(format!("{lane:<7}"), role)];
        match answer {
            Some((remaining, more)) => {
                // A late lane's answer is often an instant that has passed.
                let passed = remaining <= -0.5;
                let when = if passed {
                    format!("{:>5} ago", countdown(-remaining))
                } else {
                    format!("{:>7}", countdown(remaining))
                };
                pieces.push((when, Role::Truth));
                pieces.push((format!(" {more}"), Role::Dim));
            }
            None => pieces.push((pending.to_owned(), Role::Dim)),
        }
        pieces
    })
}

/// The trips that have ended: how long they really took from half-way on, and how far off each lane
/// was then.
fn arrivals(pen: &mut Pen, arrivals: &[Arrival], area: Rect) {
    let room = area.width.saturating_sub(2);
    let titles = [("arrived trips", ": error of the half-way ETA"), ("arrived", ": half-way ETA error")];
    let title = |(who, what): (&str, &str)| vec![(who.to_owned(), Role::Title), (what.to_owned(), Role::Dim)];
    let [long, short] = titles.map(title);
    pen.pieces(area.x + 1, area.y, room, if pieces_width(&long) <= room { &long } else { &short });
    let more = (room.saturating_sub(28) / 3).min(4);
    let columns = [6, 7, 7].map(|column| column + more);
    let id = room.saturating_sub(columns.iter().sum()).min(16);
    let mut end = area.x + 1 + id;
    let ends = columns.map(|column| {
        end += column;
        end
    });
    let heads = [("actual", Role::Truth), ("stream", Role::Stream), ("batch", Role::Batch)];
    for ((end, column), (head, role)) in ends.into_iter().zip(columns).zip(heads) {
        pen.right(end, area.y + 1, column, head, role);
    }
    for (y, arrival) in (area.y + 2..area.bottom()).zip(arrivals) {
        pen.id(area.x + 1, y, id, &arrival.trip_id, Role::Dim);
        let off = |said: Option<f64>| said.map_or(UNKNOWN.into(), |said| deviation(said - arrival.truth_s));
        let cells = [countdown(arrival.truth_s), off(arrival.stream_s), off(arrival.batch_s)];
        for ((end, column), cell) in ends.into_iter().zip(columns).zip(cells) {
            pen.right(end, y, column, &cell, Role::Text);
        }
    }
}

/// The answers as points in time, with the truth as a line through them.
fn axis(pen: &mut Pen, trip: &Trip, area: Rect) {
    let times = [
        trip.stream.map(|eta| eta.remaining_s),
        trip.stream.map(|eta| eta.p90_s),
        trip.batch.map(|eta| eta.remaining_s),
        trip.truth_s,
    ];
    let latest = times.into_iter().flatten().filter(|time| time.is_finite()).fold(0.0, f64::max);
    if latest <= 0.0 {
        return;
    }
    let column = |time: f64| {
        let part = (time / latest).clamp(0.0, 1.0);
        area.x + (part * f64::from(area.width - 1)).round() as u16
    };
    for x in area.left()..area.right() {
        pen.cell(x, area.y, '·', Role::Faint);
        pen.cell(x, area.y + 1, '·', Role::Faint);
        pen.cell(x, area.y + 2, '·', Role::Faint);
    }
    let stream = trip.stream.filter(|eta| eta.remaining_s.is_finite());
    if let Some(eta) = stream.filter(|eta| eta.p10_s.is_finite() && eta.p90_s.is_finite()) {
        for x in column(eta.p10_s)..=column(eta.p90_s) {
            pen.cell(x, area.y, '━', Role::Stream);
        }
    }
    if let Some(truth) = trip.truth_s.filter(|time| time.is_finite()) {
        for y in area.top()..area.bottom() {
            pen.cell(column(truth), y, '┃', Role::Truth);
        }
    }
    if let Some(eta) = stream {
        pen.cell(column(eta.remaining_s), area.y, '◆', Role::Stream);
    }
    if let Some(eta) = trip.batch.filter(|eta| eta.remaining_s.is_finite()) {
        pen.cell(column(eta.remaining_s), area.y + 1, '◆', Role::Batch);
    }
}
