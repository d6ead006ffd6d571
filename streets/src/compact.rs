//! The compact form: a whole map in one file, small enough to be part of the program.

use std::collections::HashSet;

use thiserror::Error;

use crate::RoadClass;
use crate::builder::{Directions, MAX_LENGTH_DM, Parts, RawStreet};
use crate::geometry::Point;

const MAGIC: [u8; 8] = *b"STREETS\n";
const VERSION: u8 = 1;
/// Magic, version and checksum.
const HEADER: usize = 8 + 1 + 4;

/// Why some bytes are not a map in the compact form, version 1:
///
/// ```text
/// header     8 bytes   "STREETS\n"
///            1 byte    version: 1
///            4 bytes   CRC-32C of everything that follows, little endian
/// names      varint    how many
///            each      varint: bytes; then the name in UTF-8
/// nodes      varint    how many
///            each      signed: latitude in millionths of a degree, less the node's before it
///                      signed: longitude likewise
/// streets    varint    how many
///            each      1 byte   class in bits 0-3; directions in bits 4-5
///                               (0 both, 1 forward, 2 backward); 0 above
///                      signed   from node, less the street's before it
///                      signed   to node, less its from node
///                      varint   limit in tenths of km/h, 0 when unknown
///                      varint   0 without a name, else the name's row + 1
///                      signed   OpenStreetMap way, less the street's before it
///                      varint   length in decimetres, from 1
///                      varint   how many points stand between the two nodes
///                      each     signed latitude, signed longitude: less those of the
///                               point before it, the first less those of the from node
/// ```
/// A *varint* is an unsigned number of up to 64 bits in groups of seven, the least first, the top
/// bit of each byte saying that another follows (LEB128). A *signed* is a varint of the number
/// folded so that small negative ones are small: 0, −1, 1, −2 … (zigzag).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CompactError {
    /// It is some other file.
    #[error(
        "this is not a map: make one with `freshet map build LINKS.csv NODES.csv OUT` or `freshet map build FILE.osm.pbf OUT`"
    )]
    NotAMap,
    /// It was made by another version of this program.
    #[error(
        "the map has version {found} and this program reads version {VERSION}: build the map again with `freshet map build`"
    )]
    Version {
        /// The version that the file states.
        found: u8,
    },
    /// Bytes were lost or changed.
    #[error(
        "the map is damaged: its checksum is {found:08x} and should be {stated:08x}; copy or build it again"
    )]
    Checksum {
        /// What the file says.
        stated: u32,
        /// What its bytes give.
        found: u32,
    },
    /// The checksum is right and the content is not: somebody wrote a wrong map.
    #[error("the map is wrong at byte {at}: {what}; build it again with `freshet map build`")]
    Content {
        /// Where in the file.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

pub(crate) fn write(parts: &Parts) -> Vec<u8> {
    let mut body = Vec::with_capacity(parts.streets.len() * 24 + parts.nodes.len() * 4);
    put(&mut body, parts.names.len() as u64);
    for name in &parts.names {
        put(&mut body, name.len() as u64);
        body.extend_from_slice(name.as_bytes());
    }
    put(&mut body, parts.nodes.len() as u64);
    put_points(&mut body, Point { lat_e6: 0, lon_e6: 0 }, &parts.nodes);
    put(&mut body, parts.streets.len() as u64);
    let (mut from, mut way) = (0, 0);
    for street in &parts.streets {
        body.push(street.class as u8 | (street.ways as u8) << 4);
        put_signed(&mut body, i64::from(street.from) - from);
        put_signed(&mut body, i64::from(street.to) - i64::from(street.from));
        put(&mut body, u64::from(street.limit_tenth_kmh));
        put(&mut body, street.name.map_or(0, |name| u64::from(name) + 1));
        // Wrapping, as the reader does: any two ids have a difference in 64 bits.
        put_signed(&mut body, street.osm_way_id.wrapping_sub(way));
        put(&mut body, u64::from(street.length_dm));
        put(&mut body, street.between.len() as u64);
        put_points(&mut body, parts.nodes[street.from as usize], &street.between);
        (from, way) = (i64::from(street.from), street.osm_way_id);
    }
    let mut file = Vec::with_capacity(HEADER + body.len());
    file.extend_from_slice(&MAGIC);
    file.push(VERSION);
    file.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    file.extend_from_slice(&body);
    file
}

pub(crate) fn read(bytes: &[u8]) -> Result<Parts, CompactError> {
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(CompactError::NotAMap);
    };
    if header[..8] != MAGIC {
        return Err(CompactError::NotAMap);
    }
    if header[8] != VERSION {
        return Err(CompactError::Version { found: header[8] });
    }
    let stated = u32::from_le_bytes(header[9..].try_into().expect("the header has four more bytes"));
    let found = crc32c::crc32c(body);
    if stated != found {
        return Err(CompactError::Checksum { stated, found });
    }
    let mut reader = Reader { bytes, at: HEADER };
    let parts = Parts { names: reader.names()?, nodes: reader.nodes()?, streets: Vec::new() };
    reader.streets(parts)
}

fn put(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn put_signed(to: &mut Vec<u8>, value: i64) {
    put(to, ((value << 1) ^ (value >> 63)) as u64);
}

fn put_points(to: &mut Vec<u8>, mut before: Point, points: &[Point]) {
    for point in points {
        put_signed(to, i64::from(point.lat_e6) - i64::from(before.lat_e6));
        put_signed(to, i64::from(point.lon_e6) - i64::from(before.lon_e6));
        before = *point;
    }
}

/// Reads from the front, and never makes room for more things than the
/// bytes that are left can hold.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self, what: &'static str) -> Result<T, CompactError> {
        Err(CompactError::Content { at: self.at, what })
    }

    fn byte(&mut self) -> Result<u8, CompactError> {
        let Some(&byte) = self.bytes.get(self.at) else {
            return self.wrong("it ends too early");
        };
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, CompactError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        self.wrong("a number has more than 64 bits")
    }

    fn signed(&mut self) -> Result<i64, CompactError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A count of things of which each takes at least so many bytes.
    fn count(&mut self, least_bytes: usize) -> Result<usize, CompactError> {
        let count = self.varint()?;
        let room = (self.bytes.len() - self.at) / least_bytes;
        if count > room as u64 || count > u64::from(u32::MAX / 2) {
            return self.wrong("it announces more than it can hold");
        }
        Ok(count as usize)
    }

    fn names(&mut self) -> Result<Vec<String>, CompactError> {
        let count = self.count(1)?;
        let mut names = Vec::with_capacity(count);
        let mut seen = HashSet::with_capacity(count);
        for _ in 0..count {
            let length = self.count(1)?;
            let Ok(name) = std::str::from_utf8(&self.bytes[self.at..self.at + length]) else {
                return self.wrong("a name is not UTF-8");
            };
            if !seen.insert(name) {
                return self.wrong("a name stands twice");
            }
            self.at += length;
            names.push(name.to_owned());
        }
        Ok(names)
    }

    fn point(&mut self, before: Point) -> Result<Point, CompactError> {
        let lat = i64::from(before.lat_e6).checked_add(self.signed()?);
        let lon = i64::from(before.lon_e6).checked_add(self.signed()?);
        match (lat, lon) {
            (Some(lat @ -90_000_000..=90_000_000), Some(lon @ -180_000_000..=180_000_000)) => {
                Ok(Point { lat_e6: lat as i32, lon_e6: lon as i32 })
            }
            _ => self.wrong("a point is not on the Earth"),
        }
    }

    fn points(&mut self, mut before: Point) -> Result<Vec<Point>, CompactError> {
        let count = self.count(2)?;
        let mut points = Vec::with_capacity(count);
        for _ in 0..count {
            before = self.point(before)?;
            points.push(before);
        }
        Ok(points)
    }

    fn nodes(&mut self) -> Result<Vec<Point>, CompactError> {
        self.points(Point { lat_e6: 0, lon_e6: 0 })
    }

    fn row(&self, row: Option<i64>, rows: usize, what: &'static str) -> Result<u32, CompactError> {
        match row {
            Some(row) if row >= 0 && (row as u64) < rows as u64 => Ok(row as u32),
            _ => self.wrong(what),
        }
    }

    fn streets(&mut self, mut parts: Parts) -> Result<Parts, CompactError> {
        let count = self.count(8)?;
        parts.streets.reserve(count);
        let (mut from, mut way) = (0_i64, 0_i64);
        for _ in 0..count {
            let flags = self.byte()?;
            let Some(class) = RoadClass::of_number(flags & 0x0f) else {
                return self.wrong("a class is unknown");
            };
            let ways = match flags >> 4 {
                0 => Directions::Both,
                1 => Directions::Forward,
                2 => Directions::Backward,
                _ => return self.wrong("a street has unknown ways"),
            };
            let first = from.checked_add(self.signed()?);
            let first = self.row(first, parts.nodes.len(), "a street begins at an unknown node")?;
            from = i64::from(first);
            let last = from.checked_add(self.signed()?);
            let last = self.row(last, parts.nodes.len(), "a street ends at an unknown node")?;
            let Ok(limit_tenth_kmh) = u16::try_from(self.varint()?) else {
                return self.wrong("a limit is out of range");
            };
            let name = match self.varint()? {
                0 => None,
                row if row <= parts.names.len() as u64 => Some(row as u32 - 1),
                _ => return self.wrong("a street has an unknown name"),
            };
            way = way.wrapping_add(self.signed()?);
            let length = self.varint()?;
            if !(1..=u64::from(MAX_LENGTH_DM)).contains(&length) {
                return self.wrong("a length is out of range");
            }
            let between = self.points(parts.nodes[first as usize])?;
            parts.streets.push(RawStreet {
                from: first,
                to: last,
                ways,
                class,
                limit_tenth_kmh,
                name,
                osm_way_id: way,
                length_dm: length as u32,
                between,
            });
        }
        if self.at != self.bytes.len() {
            return self.wrong("something follows the last street");
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Map;

    fn parts() -> impl Strategy<Value = Parts> {
        let point = (-90_000_000..=90_000_000, -180_000_000..=180_000_000)
            .prop_map(|(lat_e6, lon_e6)| Point { lat_e6, lon_e6 });
        let street = (
            (0_u32..5, 0_u32..5, 0_u8..3, 0_u8..10),
            any::<u16>(),
            prop::option::of(0_u32..3),
            any::<i64>(),
            1..=MAX_LENGTH_DM,
            prop::collection::vec(point.clone(), 0..4),
        );
        let streets = prop::collection::vec(street, 0..8);
        (prop::collection::vec(point, 5), streets).prop_map(|(nodes, streets)| Parts {
            nodes,
            names: ["Calle Larga", "", "Ñuñoa"].map(str::to_owned).to_vec(),
            streets: streets
                .into_iter()
                .map(|((from, to, ways, class), limit_tenth_kmh, name, osm_way_id, length_dm, between)| {
                    RawStreet {
                        from,
                        to,
                        ways: [Directions::Both, Directions::Forward, Directions::Backward]
                            [usize::from(ways)],
                        class: RoadClass::ALL[usize::from(class)],
                        limit_tenth_kmh,
                        name,
                        osm_way_id,
                        length_dm,
                        between,
                    }
                })
                .collect(),
        })
    }

    /// The same body under a checksum that is right.
    fn sealed(mut file: Vec<u8>) -> Vec<u8> {
        let sum = crc32c::crc32c(&file[HEADER..]).to_le_bytes();
        file[9..HEADER].copy_from_slice(&sum);
        file
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(parts in parts()) {
            let again = read(&write(&parts));
            prop_assert_eq!(again.as_ref(), Ok(&parts));
            // And through the map itself, whose links hold all of it.
            prop_assert_eq!(Parts::of(&parts.clone().build()), parts);
        }

        #[test]
        fn any_changed_byte_is_noticed(parts in parts(), at: prop::sample::Index, bit in 0_u32..8) {
            let mut file = write(&parts);
            let at = at.index(file.len());
            file[at] ^= 1_u8 << bit;
            prop_assert!(read(&file).is_err());
        }

        #[test]
        fn hostile_bytes_with_a_right_checksum_are_a_map_or_an_error(
            parts in parts(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            length: prop::sample::Index,
        ) {
            let mut file = write(&parts);
            for (at, byte) in changes {
                let at = HEADER + at.index(file.len() - HEADER);
                file[at] = byte;
            }
            if let Ok(map) = Map::read(&sealed(file.clone())) {
                map.near(0.0, 0.0, 100.0, 8);
            }
            file.truncate(HEADER + length.index(file.len() - HEADER));
            // Reaching the end of this line is the point: no panic, no allocation beyond the bytes
            // that are there.
            let cut = Map::read(&sealed(file));
            prop_assert!(cut.is_err() || cut.is_ok_and(|map| map.link_count() <= 16));
        }
    }

    #[test]
    fn what_is_no_map_says_so() {
        let good = write(&Parts::default());
        assert_eq!(read(b"{\"topic\":1}").unwrap_err(), CompactError::NotAMap);
        assert_eq!(read(b"PK\x03\x04 some archive").unwrap_err(), CompactError::NotAMap);
        let mut newer = good.clone();
        newer[8] = 2;
        assert_eq!(read(&newer).unwrap_err(), CompactError::Version { found: 2 });
        let mut more = good.clone();
        more.push(0);
        assert!(matches!(read(&more).unwrap_err(), CompactError::Checksum { .. }));
        let error = read(&sealed(more)).unwrap_err();
        assert_eq!(
            error,
            CompactError::Content { at: good.len(), what: "something follows the last street" }
        );
    }

    #[test]
    fn a_count_is_not_believed_before_its_bytes_are_there() {
        // 2^40 names, and no byte of them.
        let file =
            sealed([&write(&Parts::default())[..HEADER], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x20]].concat());
        let what = "it announces more than it can hold";
        assert_eq!(read(&file).unwrap_err(), CompactError::Content { at: file.len(), what });
    }
}
