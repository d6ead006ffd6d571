//! One trip: when it will end, as the stream lane, the batch lane and the truth have it, on one axis.

use ratatui::layout::Rect;

use crate::draw::{Pen, Pieces, pieces_width};
use crate::format::{UNKNOWN, clean, countdown, duration};
use crate::snapshot::{City, Trip};
use crate::theme::Role;

/// Rows that it takes below the map.
pub(crate) const HEIGHT: u16 = 4;
/// Columns that it takes beside it.
pub(crate) const WIDTH: u16 = 29;

pub(crate) fn draw(pen: &mut Pen, city: &City, trip: &Trip, area: Rect) {
    let place = city.trips.iter().position(|other| other.trip_id == trip.trip_id).map_or(0, |at| at + 1);
    let mut head: Pieces = vec![
        ("◆ ".into(), Role::Stream),
        (clean(&trip.trip_id).into_owned(), Role::Title),
        (format!("  {}", clean(&trip.driver_id)), Role::Dim),
    ];
    if area.width > 36 {
        let all = city.trips_under_way.unwrap_or(city.trips.len() as u64);
        head.push((format!("  {place} of {all} under way"), Role::Faint));
    }
    pen.pieces(area.x + 1, area.y, area.width.saturating_sub(2), &head);
    let stream = trip.stream.map(|eta| {
        let band = (eta.p90_s - eta.p10_s) / 2.0;
        (eta.remaining_s, format!("± {}", countdown(band.max(0.0))))
    });
    let batch = trip.batch.map(|eta| (eta.remaining_s, format!("{} old", duration(eta.age_s * 1000.0))));
    let rows = [
        ("stream", Role::Stream, stream),
        ("batch", Role::Batch, batch),
        ("truth", Role::Truth, trip.truth_s.map(|truth| (truth, String::new()))),
    ];
    let mut words_end = area.x;
    for (y, (lane, role, answer)) in (area.y + 1..area.bottom()).zip(&rows) {
        let mut pieces: Pieces = vec![(format!("{lane:<7}"), *role)];
        match answer {
            Some((remaining, more)) => {
                // A late lane's answer is often an instant that has passed.
                let passed = *remaining <= -0.5;
                let when = if passed {
                    format!("{:>5} ago", countdown(-remaining))
                } else {
                    format!("{:>7}", countdown(*remaining))
                };
                pieces.push((when, Role::Truth));
                pieces.push((format!(" {more}"), Role::Dim));
            }
            None => pieces.push((format!("{UNKNOWN:>7}"), Role::Dim)),
        }
        words_end = words_end.max(area.x + 1 + pieces_width(&pieces));
        pen.pieces(area.x + 1, y, area.width.saturating_sub(2), &pieces);
    }
    let from = words_end.max(area.x + 27) + 1;
    let cells = area.right().saturating_sub(from + 2).min(60);
    if cells >= 14 {
        axis(pen, trip, Rect::new(from, area.y + 1, cells, 3));
    } else if area.height >= 8 {
        axis(pen, trip, Rect::new(area.x + 1, area.y + 5, area.width.saturating_sub(3), 3));
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
