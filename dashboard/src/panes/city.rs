//! Pane 4: the streets in Braille, coloured by how fast they are now, the vehicles on them, and one trip.

use ratatui::layout::Rect;

use crate::draw::{Pen, Pieces};
use crate::format::{clean, duration, plural, text_width};
use crate::map::{MapCache, StreetCell, Viewport, braille, place};
use crate::panes::{open, say, trip};
use crate::rows::Item;
use crate::snapshot::{City, CityMap, Incident, Snapshot, StreetClass, Trip, Vehicle, VehicleKind};
use crate::state::{Pane, State};
use crate::theme::Role;

/// Below this share of free flow a street is slow, and below the second one a jam.
const SLOW: f64 = 0.7;
const JAM: f64 = 0.4;

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, cache: &mut MapCache, area: Rect) {
    let city = &snapshot.city.data;
    let cars = city.vehicles.iter().filter(|vehicle| vehicle.kind == VehicleKind::Car).count() as u64;
    let lorries = city.vehicles.len() as u64 - cars;
    let mut note = plural(cars, "car");
    if lorries > 0 {
        note.push_str(&format!(
            " · {}",
            if lorries == 1 { "1 lorry".into() } else { format!("{lorries} lorries") }
        ));
    }
    if !city.incidents.is_empty() {
        note.push_str(&format!(" · {}", plural(city.incidents.len() as u64, "incident")));
    }
    let attribution = state.map.as_ref().map_or(String::new(), |map| clean(&map.attribution).into_owned());
    let foot = if attribution.is_empty() { Pieces::new() } else { vec![(attribution, Role::Dim)] };
    let Some(mut inside) = open(pen, state, Pane::City, area, &snapshot.city.source, &note, foot) else {
        return;
    };
    let selected = match state.selected(Pane::City).map(|row| row.item) {
        Some(Item::Trip(at)) => city.trips.get(at),
        _ => None,
    };
    if let Some(selected) = selected.filter(|_| inside.height >= 9) {
        let below = Rect { y: inside.bottom() - trip::HEIGHT, height: trip::HEIGHT, ..inside };
        inside.height -= trip::HEIGHT;
        trip::draw(pen, city, selected, below);
    }
    let Some(map) = &state.map else {
        say(pen, inside, "waiting for the streets");
        return;
    };
    // Enter follows the trip closely; `+` and `-` say how closely.
    let zoom = state.map_zoom + if state.detail[Pane::City.index()] { 2 } else { 0 };
    let follow = selected.and_then(|trip| trip.at);
    let Some(viewport) = Viewport::new(map, inside.width, inside.height, zoom, follow) else {
        say(pen, inside, "the map has no extent");
        return;
    };
    streets(pen, cache, map, &viewport, city, inside);
    if let Some(trip) = selected {
        route(pen, &viewport, trip, inside);
    }
    for vehicle in &city.vehicles {
        if selected.is_none_or(|trip| vehicle.trip_id.as_ref() != Some(&trip.trip_id)) {
            mark(pen, &viewport, inside, vehicle.at, glyph(vehicle), shade(vehicle));
        }
    }
    for incident in &city.incidents {
        label(pen, &viewport, incident, inside);
    }
    if let Some(trip) = selected {
        if let Some(at) = trip.destination {
            mark(pen, &viewport, inside, at, '◎', Role::Truth);
        }
        if let Some(at) = trip.at {
            mark(pen, &viewport, inside, at, '◆', Role::Stream);
        }
    }
    legend(pen, inside);
}

fn streets(
    pen: &mut Pen,
    cache: &mut MapCache,
    map: &CityMap,
    viewport: &Viewport,
    city: &City,
    inside: Rect,
) {
    for (at, cell) in cache.cells(map, viewport, &city.speeds).iter().enumerate() {
        if cell.dots != 0 {
            let (x, y) = place(inside, at);
            pen.cell(x, y, braille(cell.dots), colour(cell));
        }
    }
}

/// Only what is not free is loud: a city at night has no colours.
fn colour(cell: &StreetCell) -> Role {
    if cell.slowest < JAM {
        Role::Bad
    } else if cell.slowest < SLOW {
        Role::Warn
    } else if cell.slowest.is_finite() {
        Role::Series
    } else if cell.class == StreetClass::Arterial {
        Role::Dim
    } else {
        Role::Faint
    }
}

fn route(pen: &mut Pen, viewport: &Viewport, trip: &Trip, inside: Rect) {
    viewport.trace(&trip.route, |at, dots| {
        let (x, y) = place(inside, at);
        let there = pen.buf.cell((x, y)).and_then(|cell| cell.symbol().chars().next()).map_or(0, u32::from);
        let there = if (0x2800..=0x28ff).contains(&there) { (there & 0xff) as u8 } else { 0 };
        pen.cell(x, y, braille(there | dots), Role::Stream);
    });
}

fn mark(pen: &mut Pen, viewport: &Viewport, inside: Rect, at: (f64, f64), glyph: char, role: Role) {
    if let Some((x, y)) = viewport.cell(at) {
        pen.cell(inside.x + x, inside.y + y, glyph, role);
    }
}

/// An arrow where it drives to; a lorry is a box.
fn glyph(vehicle: &Vehicle) -> char {
    match (vehicle.kind, vehicle.heading_deg) {
        (VehicleKind::Lorry, _) => '▪',
        (VehicleKind::Car, Some(heading)) if heading.is_finite() => {
            ['▴', '▸', '▾', '◂'][((heading.rem_euclid(360.0) + 45.0) / 90.0) as usize % 4]
        }
        (VehicleKind::Car, _) => '·',
    }
}

/// Who carries somebody is bright, who waits is not.
fn shade(vehicle: &Vehicle) -> Role {
    match (vehicle.kind, &vehicle.trip_id) {
        (VehicleKind::Lorry, _) => Role::Paused,
        (VehicleKind::Car, Some(_)) => Role::Truth,
        (VehicleKind::Car, None) => Role::Dim,
    }
}

fn label(pen: &mut Pen, viewport: &Viewport, incident: &Incident, inside: Rect) {
    let Some((x, y)) = viewport.cell(incident.at) else { return };
    let (x, y) = (inside.x + x, inside.y + y);
    let what = clean(&incident.what);
    let words = match incident.remaining_s {
        Some(left) => format!(" {what}, {} ", duration(left * 1000.0)),
        None => format!(" {what} "),
    };
    pen.cell(x, y, '▲', Role::Bad);
    let cells = text_width(&words).min(24);
    if x + 1 + cells <= inside.right() {
        pen.text(x + 1, y, cells, &words, Role::Bad);
    } else if x >= inside.x + cells {
        pen.text(x - cells, y, cells, &words, Role::Bad);
    }
}

fn legend(pen: &mut Pen, inside: Rect) {
    if inside.width < 40 || inside.height < 8 {
        return;
    }
    let pieces: Pieces =
        vec![("━ free ".into(), Role::Series), ("━ slow ".into(), Role::Warn), ("━ jam".into(), Role::Bad)];
    pen.pieces(inside.x + 1, inside.y, 20, &pieces);
}
