//! The city: the streets in Braille, coloured by their speed, the vehicles on them, and one trip.
//!
//! # Simplifications
//! - On a small map one vehicle in so many cells is drawn, and of those only the ones with a trip:
//!   the speed of the streets is the message.

use ratatui::layout::Rect;

use crate::format::{duration, plural};
use crate::snapshot::{City, CityMap, Incident, Snapshot, StreetClass, Vehicle, VehicleKind};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::map::{MapCache, StreetCell, Viewport, braille, place};
use crate::view::panes::border::{Border, open, say};
use crate::view::panes::trip;
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;
use text::{clean, text_width};

/// Below this share of free flow a street is slow, and below the second one a jam. In a town with
/// signals and turns one drives at two thirds of free flow on a quiet day: that is no news.
const SLOW: f64 = 0.55;
const JAM: f64 = 0.33;

/// A map of fewer rows than this has none to give to a trip below it.
const HIGH: u16 = 9;

/// On a map so small that arrows would hide the streets, one car in so many cells is shown, as a
/// dot.
const CELLS_A_CAR: usize = 24;

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
        Some(Item::Entry(at)) => city.trips.get(at),
        _ => None,
    };
    let has_room = inside.height >= HIGH || (inside.height >= trip::TRIP && inside.width >= trip::WIDTH * 2);
    if let Some(selected) = selected.filter(|_| has_room) {
        let (map, trip) = share(state.map.as_deref(), city, inside);
        inside = map;
        trip::draw(pen, city, selected, trip);
    }
    let Some(map) = &state.map else {
        say(pen, inside, "waiting for the streets");
        return;
    };
    // Enter follows the trip closely; `+` and `-` say how closely.
    let zoom = state.map_zoom + if state.of(Pane::City).detail { 2 } else { 0 };
    let follow = selected.and_then(|trip| trip.at);
    let Some(viewport) = Viewport::new(map, inside.width, inside.height, zoom, follow) else {
        say(pen, inside, "the map has no extent");
        return;
    };
    streets(pen, cache, map, &viewport, city, inside);
    if let Some(trip) = selected {
        add_dots(pen, &viewport, inside, &trip.route, Role::Stream);
    }
    let others = city.vehicles.iter().filter(|vehicle| {
        selected
            .is_none_or(|trip| vehicle.trip_id.is_none() || vehicle.trip_id.as_ref() != Some(&trip.trip_id))
    });
    // The speed of the streets is the message; the vehicles must not hide it.
    if city.vehicles.len() * CELLS_A_CAR <= inside.area() as usize {
        for vehicle in others {
            mark(pen, &viewport, inside, vehicle.at, glyph(vehicle), shade(vehicle));
        }
    } else {
        let carrying = others.filter(|vehicle| vehicle.trip_id.is_some());
        for vehicle in carrying.take(inside.area() as usize / CELLS_A_CAR / 2) {
            add_dots(pen, &viewport, inside, &[vehicle.at, vehicle.at], Role::Truth);
        }
    }
    label_all(pen, &viewport, &city.incidents, inside);
    if let Some(trip) = selected {
        if let Some(at) = trip.destination {
            mark(pen, &viewport, inside, at, '◎', Role::Truth);
        }
        if let Some(at) = trip.at {
            mark(pen, &viewport, inside, at, '◆', Role::Stream);
        }
    }
}

/// The trip is beside the map or below it, whichever leaves the larger map.
fn share(map: Option<&CityMap>, city: &City, inside: Rect) -> (Rect, Rect) {
    let height = trip::height(city, inside.height);
    let below = (
        Rect { height: inside.height.saturating_sub(height), ..inside },
        Rect { y: inside.bottom().saturating_sub(height), height, ..inside },
    );
    if inside.width < trip::WIDTH * 2 {
        return below;
    }
    let beside = (
        Rect { width: inside.width - trip::WIDTH, ..inside },
        Rect {
            x: inside.right() - trip::WIDTH,
            width: trip::WIDTH,
            y: inside.y + u16::from(inside.height >= HIGH),
            height: inside.height - u16::from(inside.height >= HIGH),
        },
    );
    if inside.height < HIGH {
        return beside;
    }
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

/// Only slow streets have a loud colour: a city at night has none.
fn colour(cell: &StreetCell) -> Role {
    match cell.of_free_flow() {
        Some(speed) if speed < JAM => Role::Bad,
        Some(speed) if speed < SLOW => Role::Warn,
        Some(_) => Role::Series,
        None if cell.class == StreetClass::Arterial => Role::Dim,
        None => Role::Faint,
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

/// A vehicle with a trip is bright, a free one is dim.
fn shade(vehicle: &Vehicle) -> Role {
    match (vehicle.kind, &vehicle.trip_id) {
        (VehicleKind::Lorry, _) => Role::Paused,
        (VehicleKind::Car, Some(_)) => Role::Truth,
        (VehicleKind::Car, None) => Role::Dim,
    }
}

/// Every incident as a mark, and as many of them as find a free place with words beside it.
fn label_all(pen: &mut Pen, viewport: &Viewport, incidents: &[Incident], inside: Rect) {
    let mut taken: Vec<Rect> = Vec::new();
    let places: Vec<(u16, u16)> = incidents
        .iter()
        .map(|incident| viewport.cell(incident.at))
        .map(|cell| cell.map_or((u16::MAX, u16::MAX), |(x, y)| (inside.x + x, inside.y + y)))
        .collect();
    taken.extend(places.iter().map(|(x, y)| Rect::new(*x, *y, 1, 1)));
    for (incident, (x, y)) in incidents.iter().zip(places).filter(|(_, place)| place.0 != u16::MAX) {
        pen.cell(x, y, '▲', Role::Bad);
        let words = words(incident);
        let cells = text_width(&words);
        let right = Rect::new(x + 1, y, cells, 1);
        let left = Rect { x: x.saturating_sub(cells), ..right };
        let free = |place: &Rect| {
            inside.union(*place) == inside && !taken.iter().any(|other| other.intersects(*place))
        };
        // Beside it, or a line above or below.
        let places = [right, left]
            .into_iter()
            .flat_map(|place| [place, Rect { y: y.saturating_sub(1), ..place }, Rect { y: y + 1, ..place }]);
        if let Some(place) = places.into_iter().find(free) {
            // Without what is below it: a jam that is drawn reversed would show through the words.
            pen.clear(place);
            pen.text(place.x, place.y, cells, &words, Role::Text);
            taken.push(place);
        }
    }
}

/// `crash, 11 min`: what, without where, which is on the map, and for how long yet.
fn words(incident: &Incident) -> String {
    let what = clean(&incident.what);
    let what = what.split(" on ").next().unwrap_or("");
    let what = text::fit(what, 16);
    match incident.remaining_s {
        Some(left) => format!(" {what}, {} ", duration(left * 1000.0)),
        None => format!(" {what} "),
    }
}
