//! Pane 4: the streets in Braille, coloured by how fast they are now, the vehicles on them, and one trip.

use ratatui::layout::Rect;

use crate::draw::{Pen, Pieces};
use crate::format::{clean, duration, plural, text_width};
use crate::map::{MapCache, StreetCell, Viewport, braille, place};
use crate::panes::{Border, open, say, trip};
use crate::rows::Item;
use crate::snapshot::{City, CityMap, Incident, Snapshot, StreetClass, Vehicle, VehicleKind};
use crate::state::{Pane, State};
use crate::theme::Role;

/// Below this share of free flow a street is slow, and below the second one a jam.
const SLOW: f64 = 0.7;
const JAM: f64 = 0.4;

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, cache: &mut MapCache, area: Rect) {
    let city = &snapshot.city.data;
    let cars = city.vehicles.iter().filter(|vehicle| vehicle.kind == VehicleKind::Car).count() as u64;
    let lorries = city.vehicles.len() as u64 - cars;
    let mut counts = vec![plural(cars, "car")];
    if lorries > 0 {
        counts.push(if lorries == 1 { "1 lorry".into() } else { format!("{lorries} lorries") });
    }
    if !city.incidents.is_empty() {
        counts.push(plural(city.incidents.len() as u64, "incident"));
    }
    let legend: Pieces = [(" ━ free", Role::Series), (" ━ slow", Role::Warn), (" ━ jam ", Role::Bad)]
        .map(|(word, role)| (word.to_string(), role))
        .to_vec();
    let attribution = state.map.as_ref().map_or(String::new(), |map| clean(&map.attribution).into_owned());
    let foot = if attribution.is_empty() { Pieces::new() } else { vec![(attribution, Role::Dim)] };
    let Some(mut inside) = open(
        pen,
        state,
        Pane::City,
        area,
        &snapshot.city.source,
        Border { note: counts.join(" · "), foot, legend },
    ) else {
        return;
    };
    let selected = match state.selected(Pane::City).map(|row| row.item) {
        Some(Item::Trip(at)) => city.trips.get(at),
        _ => None,
    };
    if let Some(selected) = selected.filter(|_| inside.height >= 9) {
        let (map, trip) = share(state.map.as_deref(), inside);
        inside = map;
        trip::draw(pen, city, selected, trip);
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
        add_dots(pen, &viewport, inside, &trip.route, Role::Stream);
    }
    // On a small map arrows would hide the streets: there those that carry somebody are bright dots, the others nothing.
    let crowded = city.vehicles.len() * 12 > inside.area() as usize;
    for vehicle in &city.vehicles {
        if selected.is_some_and(|trip| vehicle.trip_id.as_ref() == Some(&trip.trip_id)) {
            continue;
        }
        if !crowded {
            mark(pen, &viewport, inside, vehicle.at, glyph(vehicle), shade(vehicle));
        } else if vehicle.trip_id.is_some() {
            add_dots(pen, &viewport, inside, &[vehicle.at, vehicle.at], Role::Truth);
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
}

/// The trip stands beside the map or below it, whichever leaves the larger map.
fn share(map: Option<&CityMap>, inside: Rect) -> (Rect, Rect) {
    let below = (
        Rect { height: inside.height - trip::HEIGHT, ..inside },
        Rect { y: inside.bottom() - trip::HEIGHT, height: trip::HEIGHT, ..inside },
    );
    if inside.width < trip::WIDTH * 2 {
        return below;
    }
    let beside = (
        Rect { width: inside.width - trip::WIDTH, ..inside },
        Rect {
            x: inside.right() - trip::WIDTH,
            width: trip::WIDTH,
            y: inside.y + 1,
            height: inside.height - 1,
        },
    );
    let metres = |area: Rect| {
        let viewport = map.and_then(|map| Viewport::new(map, area.width, area.height, 0, None));
        viewport.map_or(f64::INFINITY, |viewport| viewport.metres_a_dot())
    };
    if metres(beside.0) < metres(below.0) { beside } else { below }
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

/// Adds a line's dots to those of the streets, in its own colour.
fn add_dots(pen: &mut Pen, viewport: &Viewport, inside: Rect, line: &[(f64, f64)], role: Role) {
    viewport.trace(line, |at, dots| {
        let (x, y) = place(inside, at);
        let there = pen.buf.cell((x, y)).and_then(|cell| cell.symbol().chars().next()).map_or(0, u32::from);
        let there = if (0x2800..=0x28ff).contains(&there) { (there & 0xff) as u8 } else { 0 };
        pen.cell(x, y, braille(there | dots), role);
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
