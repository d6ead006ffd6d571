//! A little town written as a PBF file by hand (<https://wiki.openstreetmap.org/wiki/PBF_Format>),
//! and read again.

use std::io::Write;

use super::*;
use crate::{LinkId, Map};

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// A protobuf field that holds bytes.
fn bytes(to: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(to, field << 3 | 2);
    varint(to, value.len() as u64);
    to.extend_from_slice(value);
}

/// A protobuf field that holds a number.
fn number(to: &mut Vec<u8>, field: u64, value: u64) {
    varint(to, field << 3);
    varint(to, value);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn blob(kind: &str, block: &[u8]) -> Vec<u8> {
    let (mut blob, mut header) = (Vec::new(), Vec::new());
    bytes(&mut blob, 1, block);
    bytes(&mut header, 1, kind.as_bytes());
    number(&mut header, 3, blob.len() as u64);
    [&(header.len() as u32).to_be_bytes()[..], &header, &blob].concat()
}

/// A way's id, nodes and tags.
type Way<'a> = (i64, &'a [i64], &'a [(&'a str, &'a str)]);

/// A file with these nodes (id, lat, lon in degrees) and ways (id, nodes, tags).
fn pbf(nodes: &[(i64, f64, f64)], ways: &[Way]) -> tempfile::NamedTempFile {
    let mut header = Vec::new();
    bytes(&mut header, 4, b"OsmSchema-V0.6");
    let mut strings: Vec<&str> = vec![""];
    let mut group = Vec::new();
    for (id, lat, lon) in nodes {
        let mut node = Vec::new();
        number(&mut node, 1, zigzag(*id));
        number(&mut node, 8, zigzag((lat * 1e7).round() as i64));
        number(&mut node, 9, zigzag((lon * 1e7).round() as i64));
        bytes(&mut group, 1, &node);
    }
    for (id, refs, tags) in ways {
        let (mut keys, mut values, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in *tags {
            for (text, to) in [(key, &mut keys), (value, &mut values)] {
                strings.push(text);
                varint(to, strings.len() as u64 - 1);
            }
        }
        let mut before = 0;
        for node in *refs {
            varint(&mut steps, zigzag(node - before));
            before = *node;
        }
        let mut way = Vec::new();
        number(&mut way, 1, *id as u64);
        bytes(&mut way, 2, &keys);
        bytes(&mut way, 3, &values);
        bytes(&mut way, 8, &steps);
        bytes(&mut group, 3, &way);
    }
    let (mut table, mut block) = (Vec::new(), Vec::new());
    for text in strings {
        bytes(&mut table, 1, text.as_bytes());
    }
    bytes(&mut block, 1, &table);
    bytes(&mut block, 2, &group);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&blob("OSMHeader", &header)).unwrap();
    file.write_all(&blob("OSMData", &block)).unwrap();
    file
}

/// Nodes 1 to 9 in a row, 111 m apart from south to north.
fn row_of_nodes() -> Vec<(i64, f64, f64)> {
    (1..=9).map(|id| (id, -29.9 + id as f64 * 0.001, -71.25)).collect()
}

/// Each link as `key from->to class limit name way`, with nodes by their latitude.
fn told(map: &Map) -> Vec<String> {
    let node = |id| ((map.node(id).0 + 29.9) * 1000.0).round() as i64;
    map.link_ids()
        .map(|id| {
            let link = map.link(id);
            let kmh = link.max_speed_mps.map_or(0.0, |mps| (mps * 36.0).round() / 10.0);
            let (from, to) = (node(link.from), node(link.to));
            let (key, class, name) = (map.link_key(id), link.class.name(), map.name(id).unwrap_or("-"));
            format!("{key} {from}->{to} {class} {kmh} {name} {}", map.osm_way_id(id))
        })
        .collect()
}

#[test]
fn roads_are_split_where_they_meet() {
    let file = pbf(
        &row_of_nodes(),
        &[
            (10, &[1, 2, 3, 4], &[("highway", "secondary"), ("name", "Long"), ("maxspeed", "30 mph")]),
            (11, &[3, 5, 1], &[("highway", "residential")]),
            (12, &[1, 9], &[("highway", "footway")]),
            (13, &[1, 8], &[("highway", "residential"), ("access", "private")]),
            (14, &[4, 7], &[("highway", "service"), ("access", "private"), ("motor_vehicle", "yes")]),
        ],
    );
    let map = Map::from_osm_pbf(file.path()).unwrap();
    assert_eq!(
        told(&map),
        [
            "0f 1->3 secondary 48.3 Long 10",
            "0r 3->1 secondary 48.3 Long 10",
            "1f 3->4 secondary 48.3 Long 10",
            "1r 4->3 secondary 48.3 Long 10",
            "2f 3->1 residential 0 - 11",
            "2r 1->3 residential 0 - 11",
            "3f 4->7 service 0 - 14",
            "3r 7->4 service 0 - 14",
        ]
    );
    // The point in the middle of the first piece is kept in its line, and its length is measured
    // along it.
    assert_eq!(map.shape(LinkId(0)).len(), 3);
    assert!((map.link(LinkId(0)).length_m - 222.4).abs() < 0.11, "{}", map.link(LinkId(0)).length_m);
}

#[test]
fn one_way_streets_run_one_way_and_traps_are_left_out() {
    let file = pbf(
        &row_of_nodes(),
        &[
            (20, &[1, 2, 3, 1], &[("highway", "tertiary"), ("junction", "roundabout")]),
            (21, &[2, 4], &[("highway", "primary"), ("oneway", "-1")]),
            (22, &[2, 4], &[("highway", "primary_link"), ("oneway", "yes")]),
            (23, &[4, 5], &[("highway", "motorway")]),
            (24, &[6, 7], &[("highway", "residential")]),
            (25, &[3, 99], &[("highway", "residential")]),
        ],
    );
    let map = Map::from_osm_pbf(file.path()).unwrap();
    // The motorway leads out and never back; 6 and 7 are an island; 99 is not in the extract.
    assert_eq!(
        told(&map),
        [
            "0f 1->2 tertiary 0 - 20",
            "1f 2->3 tertiary 0 - 20",
            "2f 3->1 tertiary 0 - 20",
            "3r 4->2 primary 0 - 21",
            "4f 2->4 primary 0 - 22",
        ]
    );
    let again = Map::read(&map.write()).unwrap();
    assert_eq!(told(&again), told(&map));
}

#[test]
fn what_is_no_extract_is_an_error_with_its_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"<osm version=\"0.6\"></osm> and some more").unwrap();
    let error = Map::from_osm_pbf(file.path()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains(".osm.pbf"), "{error}");
    let empty = pbf(&row_of_nodes(), &[(1, &[1, 2], &[("highway", "path")])]);
    assert!(matches!(Map::from_osm_pbf(empty.path()), Err(OsmError::NoRoads { .. })));
    assert!(matches!(Map::from_osm_pbf(Path::new("no/such.osm.pbf")), Err(OsmError::Read { .. })));
}

#[test]
fn speed_limits_are_read_in_their_units() {
    let cases = [
        ("50", 500),
        ("30 mph", 483),
        ("30mph", 483),
        ("5 knots", 93),
        ("walk", 70),
        ("none", 0),
        ("RO:urban", 0),
    ];
    for (text, tenths) in
        cases.into_iter().chain([("50;60", 0), ("", 0), ("0", 0), ("99999999", 0), ("1.2.3", 0)])
    {
        assert_eq!(speed_limit(text), tenths, "{text}");
    }
}
