//! Maps from an OpenStreetMap extract in the PBF form, such as anyone can
//! download for their own town.

use std::collections::HashMap;
use std::path::Path;

use osmpbf::{Element, ElementReader};
use thiserror::Error;

use crate::RoadClass;
use crate::builder::{Directions, Parts, RawStreet, tenth_kmh};
use crate::geometry::Point;

/// Why an extract is not a map.
///
/// Read are the ways on which a car may drive: by their `highway`, unless `access`, `vehicle`,
/// `motor_vehicle` or `motorcar` (the last that is there counts) says `no` or `private`, and
/// without parking aisles, driveways and areas. They are split wherever two of them meet. One-way
/// streets are those that say so, roundabouts and motorways; `oneway=-1` runs against
/// the way's points. Kept is the largest part in which one can drive from everywhere to everywhere,
/// so that no car is ever caught in a corner that the extract cut off.
/// <https://wiki.openstreetmap.org/wiki/Key:highway>
#[derive(Debug, Error)]
pub enum OsmError {
    /// The file cannot be read, or is not in the PBF form.
    #[error("cannot read {file} as an .osm.pbf extract: {source}")]
    Read {
        /// Which file.
        file: String,
        /// What the reader said.
        source: osmpbf::Error,
    },
    /// The file holds no road for cars, or not the points of any.
    #[error("{file} has no road for cars: take an extract that covers a town, with its nodes and ways")]
    NoRoads {
        /// Which file.
        file: String,
    },
    /// More streets than 32 bits can number in both directions.
    #[error("{file} has {streets} streets, more than a map can number: take an extract of a smaller region")]
    TooLarge {
        /// Which file.
        file: String,
        /// How many were found.
        streets: usize,
    },
}

pub(crate) fn read(path: &Path) -> Result<Parts, OsmError> {
    let file = path.display().to_string();
    let elements =
        || ElementReader::from_path(path).map_err(|source| OsmError::Read { file: file.clone(), source });
    // Nodes stand before the ways that use them, and most are used by no road: the ways are read
    // first, then their nodes.
    let mut ways = Vec::new();
    let read = elements()?.for_each(|element| {
        if let Element::Way(way) = element
            && let Some(road) = Road::of(way.id(), way.tags(), way.refs())
        {
            ways.push(road);
        }
    });
    read.map_err(|source| OsmError::Read { file: file.clone(), source })?;
    let mut points: HashMap<i64, Option<Point>> =
        ways.iter().flat_map(|way| &way.refs).map(|id| (*id, None)).collect();
    let read = elements()?.for_each(|element| {
        let (id, lat, lon) = match &element {
            Element::Node(node) => (node.id(), node.lat(), node.lon()),
            Element::DenseNode(node) => (node.id(), node.lat(), node.lon()),
            _ => return,
        };
        if let Some(point) = points.get_mut(&id) {
            *point = Point::new(lat, lon);
        }
    });
    read.map_err(|source| OsmError::Read { file: file.clone(), source })?;

    let parts = largest_part(split(&ways, &points));
    if parts.streets.is_empty() {
        return Err(OsmError::NoRoads { file });
    }
    if parts.streets.len() > (u32::MAX / 2) as usize {
        return Err(OsmError::TooLarge { file, streets: parts.streets.len() });
    }
    Ok(parts)
}

/// A way on which a car may drive.
struct Road {
    id: i64,
    refs: Vec<i64>,
    class: RoadClass,
    ways: Directions,
    limit_tenth_kmh: u16,
    name: Option<String>,
}

impl Road {
    fn of<'a>(
        id: i64,
        tags: impl Iterator<Item = (&'a str, &'a str)>,
        refs: impl Iterator<Item = i64>,
    ) -> Option<Road> {
        let (mut class, mut access, mut oneway, mut name, mut limit) = (None, [""; 4], "", None, 0);
        let (mut round, mut motorway) = (false, false);
        for (key, value) in tags {
            match key {
                "highway" => {
                    class = class_for_cars(value);
                    motorway = value == "motorway";
                }
                "service"
                    if matches!(
                        value,
                        "parking_aisle" | "driveway" | "drive-through" | "emergency_access"
                    ) =>
                {
                    return None;
                }
                "area" if value == "yes" => return None,
                // From the general to the special: the last that is said counts.
                "access" => access[0] = value,
                "vehicle" => access[1] = value,
                "motor_vehicle" => access[2] = value,
                "motorcar" => access[3] = value,
                "oneway" => oneway = value,
                "junction" => round = matches!(value, "roundabout" | "circular"),
                "maxspeed" => limit = speed_limit(value),
                "name" => name = Some(value.to_owned()),
                _ => {}
            }
        }
        let barred = access.iter().rev().find(|value| !value.is_empty());
        if barred.is_some_and(|value| matches!(*value, "no" | "private")) {
            return None;
        }
        let ways = match oneway {
            "yes" | "true" | "1" => Directions::Forward,
            "-1" | "reverse" => Directions::Backward,
            "no" | "false" | "0" => Directions::Both,
            _ if round || motorway => Directions::Forward,
            _ => Directions::Both,
        };
        Some(Road { id, refs: refs.collect(), class: class?, ways, limit_tenth_kmh: limit, name })
    }
}

/// The class of a way that cars may use; none for paths, tracks, building sites and the like.
fn class_for_cars(highway: &str) -> Option<RoadClass> {
    match RoadClass::of_highway(highway) {
        // OpenStreetMap's own word for a road whose class is unknown.
        RoadClass::Unknown => (highway == "road").then_some(RoadClass::Unknown),
        class => Some(class),
    }
}

/// A `maxspeed` in tenths of km/h: a number in km/h, or with its unit; 0 for what names none
/// (`none`, `signals`, `RO:urban`) or more than one.
/// <https://wiki.openstreetmap.org/wiki/Key:maxspeed>
fn speed_limit(text: &str) -> u16 {
    if text == "walk" {
        return 70;
    }
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let kmh_per_unit = match unit.trim() {
        "" | "km/h" | "kmh" | "kph" => 1.0,
        "mph" => 1.609_344,
        "knots" => 1.852,
        _ => return 0,
    };
    number.parse::<f64>().ok().and_then(|number| tenth_kmh(number * kmh_per_unit)).unwrap_or(0)
}

/// Cuts the roads at every junction. Points that the extract does not hold end a piece, too.
fn split(roads: &[Road], points: &HashMap<i64, Option<Point>>) -> Parts {
    // How often a node is used; the ends of a road are junctions whatever meets them.
    let mut uses: HashMap<i64, u32> = HashMap::with_capacity(points.len());
    for road in roads {
        for (at, id) in road.refs.iter().enumerate() {
            let is_end = at == 0 || at + 1 == road.refs.len();
            *uses.entry(*id).or_default() += if is_end { 2 } else { 1 };
        }
    }
    let mut parts = Parts::default();
    let mut row_of_node = HashMap::new();
    let mut row_of_name = HashMap::new();
    for road in roads {
        let name = road.name.as_ref().filter(|name| !name.is_empty()).map(|name| {
            *row_of_name.entry(name.as_str()).or_insert_with(|| {
                parts.names.push(name.clone());
                parts.names.len() as u32 - 1
            })
        });
        for run in road.refs.split(|id| points[id].is_none()) {
            let mut node = |parts: &mut Parts, id: i64| {
                *row_of_node.entry(id).or_insert_with(|| {
                    parts.nodes.push(points[&id].expect("a run has only points that are there"));
                    parts.nodes.len() as u32 - 1
                })
            };
            let mut begin = 0;
            for end in 1..run.len() {
                if uses[&run[end]] < 2 && end + 1 < run.len() {
                    continue;
                }
                // A node written twice in a row is no street.
                if end > begin + 1 || run[begin] != run[end] {
                    let (from, to) = (node(&mut parts, run[begin]), node(&mut parts, run[end]));
                    parts.streets.push(RawStreet {
                        from,
                        to,
                        ways: road.ways,
                        class: road.class,
                        limit_tenth_kmh: road.limit_tenth_kmh,
                        name,
                        osm_way_id: road.id,
                        length_dm: 0,
                        between: run[begin + 1..end].iter().filter_map(|id| points[id]).collect(),
                    });
                }
                begin = end;
            }
        }
    }
    parts
}

/// Keeps the largest strongly connected component by junctions (the first found of equally large
/// ones), and what belongs to it.
fn largest_part(parts: Parts) -> Parts {
    let component = components(&parts);
    let mut sizes = vec![0_u32; parts.nodes.len()];
    for &of in &component {
        sizes[of as usize] += 1;
    }
    let Some(largest) = (0..sizes.len()).max_by_key(|&at| (sizes[at], std::cmp::Reverse(at))) else {
        return parts;
    };
    let mut kept = Parts::default();
    let mut new_node = HashMap::new();
    let mut new_name = HashMap::new();
    for mut street in parts.streets {
        if [street.from, street.to].iter().any(|node| component[*node as usize] as usize != largest) {
            continue;
        }
        for node in [&mut street.from, &mut street.to] {
            *node = *new_node.entry(*node).or_insert_with(|| {
                kept.nodes.push(parts.nodes[*node as usize]);
                kept.nodes.len() as u32 - 1
            });
        }
        street.name = street.name.map(|name| {
            *new_name.entry(name).or_insert_with(|| {
                kept.names.push(parts.names[name as usize].clone());
                kept.names.len() as u32 - 1
            })
        });
        kept.streets.push(street);
    }
    kept
}

/// The strongly connected component of each node, named by one of its nodes: Kosaraju's algorithm
/// (two depth-first searches, the second against the arrows in the order in which the first was
/// done), without recursion.
fn components(parts: &Parts) -> Vec<u32> {
    let count = parts.nodes.len();
    let (mut out, mut back) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for street in &parts.streets {
        if street.ways != Directions::Backward {
            out[street.from as usize].push(street.to);
            back[street.to as usize].push(street.from);
        }
        if street.ways != Directions::Forward {
            out[street.to as usize].push(street.from);
            back[street.from as usize].push(street.to);
        }
    }
    let mut done = Vec::with_capacity(count);
    let mut seen = vec![false; count];
    for root in 0..count {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.pop() {
            if let Some(&to) = out[node].get(next) {
                stack.push((node, next + 1));
                if !std::mem::replace(&mut seen[to as usize], true) {
                    stack.push((to as usize, 0));
                }
            } else {
                done.push(node);
            }
        }
    }
    let mut component = vec![u32::MAX; count];
    for &root in done.iter().rev() {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if component[node] == u32::MAX {
                component[node] = root as u32;
                stack.extend(back[node].iter().map(|&to| to as usize));
            }
        }
    }
    component
}

#[cfg(test)]
mod tests;
