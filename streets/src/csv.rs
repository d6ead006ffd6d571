//! Maps from a pair of CSV files.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use thiserror::Error;

use crate::RoadClass;
use crate::builder::{Directions, Parts, RawStreet, decimetres, tenth_kmh};
use crate::geometry::Point;

/// Why a pair of CSV files is not a map.
///
/// Both files have a header; columns are found by name, in any order, and others are ignored.
///
/// | file | column | what | when blank or missing |
/// |---|---|---|---|
/// | nodes | `node` | any text that names the junction | an error |
/// | | `lat`, `lon` | degrees, WGS 84 | an error |
/// | links | `from_node`, `to_node` | names of junctions | an error |
/// | | `oneway` | 0 both directions, 1 from → to only, -1 to → from only | both directions |
/// | | `highway` | OpenStreetMap's class | unknown |
/// | | `name` | of the street | none |
/// | | `maxspeed_kmh` | the limit in km/h | none |
/// | | `osm_way_id` | an integer | 0 |
/// | | `length_m` | metres | measured along the line |
/// | | `geometry_lon_lat` | points `lon,lat` apart by spaces, from → to | a straight line |
///
/// The key of a link ([`Map::link_key`](crate::Map::link_key)) is its row below the header, from 0,
/// and a direction.
#[derive(Debug, Error)]
pub enum CsvError {
    /// The file is not there, or may not be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Which file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not CSV: a row of another length than the header, or bytes that are not UTF-8.
    #[error("{file}: {source}: save it as CSV in UTF-8, with as many fields in every row as in the header")]
    Form {
        /// Which file.
        file: String,
        /// What is wrong with it, with the line.
        source: csv::Error,
    },
    /// A column that must be there is not.
    #[error(
        "{file} has no column {column:?} in its header ({header}): add it, or give the files in the order LINKS.csv NODES.csv"
    )]
    Column {
        /// Which file.
        file: String,
        /// The column.
        column: &'static str,
        /// The columns that are there.
        header: String,
    },
    /// There are columns and no rows below them.
    #[error("{file} has no street below its header: a map needs at least one")]
    Empty {
        /// Which file.
        file: String,
    },
    /// A field cannot be what it says.
    #[error("{file} line {line}: {column} is {value:?}: {remedy}")]
    Field {
        /// Which file.
        file: String,
        /// Its line, the header being 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What must stand there.
        remedy: &'static str,
    },
}

pub(crate) fn read(links: &Path, nodes: &Path) -> Result<Parts, CsvError> {
    let open = |path: &Path| {
        let file = path.display().to_string();
        File::open(path).map_err(|source| CsvError::Read { file, source })
    };
    let (links_file, nodes_file) = (open(links)?, open(nodes)?);
    parse((&links.display().to_string(), links_file), (&nodes.display().to_string(), nodes_file))
}

/// Reads both files, each given with the name that errors call it by.
fn parse(links: (&str, impl Read), nodes: (&str, impl Read)) -> Result<Parts, CsvError> {
    let mut parts = Parts::default();
    let mut row_of_node = HashMap::new();
    each_row(nodes, &["node", "lat", "lon"], &[], |row| {
        let name = row.text("node", "every junction needs a name")?;
        let (lat, lon) = (row.number("lat")?, row.number("lon")?);
        let off_earth = if (-90.0..=90.0).contains(&lat) { "lon" } else { "lat" };
        let point = Point::new(lat, lon).ok_or_else(|| {
            row.wrong(off_earth, "give degrees, lat from -90 to 90 and lon from -180 to 180")
        })?;
        if row_of_node.insert(name.to_owned(), parts.nodes.len() as u32).is_some() {
            return Err(
                row.wrong("node", "another line has the same name; junctions need names of their own")
            );
        }
        parts.nodes.push(point);
        Ok(())
    })?;
    let links_file = links.0;
    let mut row_of_name = HashMap::new();
    let optional =
        ["oneway", "highway", "name", "maxspeed_kmh", "osm_way_id", "length_m", "geometry_lon_lat"];
    each_row(links, &["from_node", "to_node"], &optional, |row| {
        let node = |column| {
            let known = row_of_node.get(row.text(column, "a street needs a junction at both ends")?).copied();
            known.ok_or_else(|| {
                row.wrong(column, "no line of the nodes file has this name; add the junction there")
            })
        };
        let (from, to) = (node("from_node")?, node("to_node")?);
        let name = row.optional("name").map(|name| {
            *row_of_name.entry(name.to_owned()).or_insert_with(|| {
                parts.names.push(name.to_owned());
                parts.names.len() as u32 - 1
            })
        });
        parts.streets.push(RawStreet {
            from,
            to,
            ways: ways(row)?,
            class: RoadClass::of_highway(row.optional("highway").unwrap_or_default()),
            limit_tenth_kmh: match row.optional_number("maxspeed_kmh")? {
                None => 0,
                Some(kmh) => tenth_kmh(kmh)
                    .ok_or_else(|| row.wrong("maxspeed_kmh", "give km/h above 0, or nothing"))?,
            },
            name,
            osm_way_id: match row.optional("osm_way_id") {
                None => 0,
                Some(id) => {
                    id.parse().map_err(|_| row.wrong("osm_way_id", "give a whole number, or nothing"))?
                }
            },
            length_dm: match row.optional_number("length_m")? {
                None => 0,
                Some(m) => decimetres(m).ok_or_else(|| row.wrong("length_m", "give metres, or nothing"))?,
            },
            between: between(row, parts.nodes[from as usize], parts.nodes[to as usize])?,
        });
        Ok(())
    })?;
    if parts.streets.is_empty() {
        return Err(CsvError::Empty { file: links_file.to_owned() });
    }
    Ok(parts)
}

fn ways(row: &Row) -> Result<Directions, CsvError> {
    match row.optional("oneway").map(str::to_ascii_lowercase).as_deref() {
        None | Some("0" | "no" | "false") => Ok(Directions::Both),
        Some("1" | "yes" | "true") => Ok(Directions::Forward),
        Some("-1" | "reverse") => Ok(Directions::Backward),
        Some(_) => {
            Err(row
                .wrong("oneway", "give 0 for both directions, 1 for from -> to only, -1 for to -> from only"))
        }
    }
}

/// The points of the line without those that say the two junctions again.
fn between(row: &Row, from: Point, to: Point) -> Result<Vec<Point>, CsvError> {
    let wrong =
        || row.wrong("geometry_lon_lat", "give points as lon,lat in degrees, apart by spaces, or nothing");
    let text = row.optional("geometry_lon_lat").unwrap_or_default();
    let mut points = Vec::new();
    for pair in text.split_whitespace() {
        let (lon, lat) = pair.split_once(',').ok_or_else(wrong)?;
        let (lon, lat) = (lon.parse().map_err(|_| wrong())?, lat.parse().map_err(|_| wrong())?);
        points.push(Point::new(lat, lon).ok_or_else(wrong)?);
    }
    if points.last() == Some(&to) {
        points.pop();
    }
    if points.first() == Some(&from) {
        points.remove(0);
    }
    Ok(points)
}

/// One row of a file, which knows where it stands.
struct Row<'a> {
    file: &'a str,
    line: u64,
    columns: &'a [(&'static str, Option<usize>)],
    record: &'a StringRecord,
}

impl Row<'_> {
    /// What stands in a column; none when it is blank or there is no such column.
    fn optional(&self, column: &str) -> Option<&str> {
        let (_, at) =
            self.columns.iter().find(|(name, _)| *name == column).expect("only listed columns are asked for");
        at.and_then(|at| self.record.get(at)).filter(|text| !text.is_empty())
    }

    fn text(&self, column: &'static str, remedy: &'static str) -> Result<&str, CsvError> {
        self.optional(column).ok_or_else(|| self.wrong(column, remedy))
    }

    fn optional_number(&self, column: &'static str) -> Result<Option<f64>, CsvError> {
        match self.optional(column).map(str::parse) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(self.wrong(column, "this is not a number; write it with a decimal point")),
        }
    }

    fn number(&self, column: &'static str) -> Result<f64, CsvError> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "a number must stand here"))
    }

    fn wrong(&self, column: &'static str, remedy: &'static str) -> CsvError {
        let value = self.optional(column).unwrap_or_default().to_owned();
        CsvError::Field { file: self.file.to_owned(), line: self.line, column, value, remedy }
    }
}

/// Hands every row of a file below the header to `take`.
fn each_row(
    (file, input): (&str, impl Read),
    required: &[&'static str],
    optional: &[&'static str],
    mut take: impl FnMut(&Row) -> Result<(), CsvError>,
) -> Result<(), CsvError> {
    let form = |source| CsvError::Form { file: file.to_owned(), source };
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let header = reader.headers().map_err(form)?;
    let mut columns = Vec::new();
    for &column in required.iter().chain(optional) {
        let at = header.iter().position(|name| name == column);
        if at.is_none() && required.contains(&column) {
            let header = header.iter().collect::<Vec<_>>().join(",");
            return Err(CsvError::Column { file: file.to_owned(), column, header });
        }
        columns.push((column, at));
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(form)? {
        let line = record.position().map_or(0, csv::Position::line);
        take(&Row { file, line, columns: &columns, record: &record })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{LinkId, Map};

    const NODES: &str = "node,lon,lat\n7,-71.250550,-29.882106\nb,-71.250505,-29.881975\n9,-71.25,-29.88\n";

    fn map(links: &str, nodes: &str) -> Result<Map, CsvError> {
        parse(("links.csv", links.as_bytes()), ("nodes.csv", nodes.as_bytes())).map(Parts::build)
    }

    #[test]
    fn columns_are_found_by_name_and_what_can_be_blank_may_be() {
        let links = "\u{feff}name,to_node,from_node,colour,oneway\r\n\"Calle \"\"Uno\"\", sur\",b,7,red,1\r\n,7,7,,\r\n,9,7,,-1\r\n";
        let map = map(links, NODES).unwrap();
        assert_eq!(map.link_count(), 4);
        let keys: Vec<_> = map.link_ids().map(|link| map.link_key(link)).collect();
        assert_eq!(keys, ["0f", "1f", "1r", "2r"]);
        for link in map.link_ids() {
            assert_eq!(map.link_of_key(&map.link_key(link)), Some(link));
        }
        for key in ["", "f", "0", "0r", "2f", "3f", "00f", "+0f", "-0f", "0ff", "99999999999999999999f"] {
            assert_eq!(map.link_of_key(key), None, "{key}");
        }
        assert_eq!(map.name(LinkId(0)), Some("Calle \"Uno\", sur"));
        assert_eq!(map.name(LinkId(1)), None);
        let first = map.link(LinkId(0));
        assert_eq!((first.class, first.max_speed_mps, first.twin), (RoadClass::Unknown, None, None));
        assert!((first.length_m - 15.2).abs() < 0.11, "{}", first.length_m);
        assert_eq!(map.osm_way_id(LinkId(0)), 0);
        assert!(map.free_flow_mps(LinkId(0)) > 5.0);
        // The loop is a link from its junction to itself, there and back; the third street runs
        // against its points.
        assert_eq!((map.link(LinkId(1)).twin, map.link(LinkId(2)).twin), (Some(LinkId(2)), Some(LinkId(1))));
        assert_eq!((map.link(LinkId(3)).from.0, map.link(LinkId(3)).to.0), (2, 0));
        assert_eq!(map.leaving(map.link(LinkId(3)).to), [LinkId(0), LinkId(1), LinkId(2)]);
        assert_eq!(map.arriving(map.link(LinkId(1)).to), [LinkId(1), LinkId(2), LinkId(3)]);
    }

    #[test]
    fn broken_rows_name_their_place_and_the_remedy() {
        let mut said = String::new();
        let links = |row: &str| {
            format!(
                "from_node,to_node,oneway,maxspeed_kmh,osm_way_id,length_m,geometry_lon_lat\n7,b,,,,,\n{row}\n"
            )
        };
        let cases = [
            (links("7,nowhere,0,,,,"), NODES),
            (links(",7,0,,,,"), NODES),
            (links("7,b,2,,,,"), NODES),
            (links("7,b,0,fast,,,"), NODES),
            (links("7,b,0,-3,,,"), NODES),
            (links("7,b,0,,1.5,,"), NODES),
            (links("7,b,0,,,-1,"), NODES),
            (links("7,b,0,,,NaN,"), NODES),
            (links("7,b,0,,,,\"-71 -29\""), NODES),
            (links("7,b,0,,,,\"-71,-91\""), NODES),
            (links("7,b,0"), NODES),
            (links(""), "node,lon,lat\n7,-71,-29\n7,-71,-29\n"),
            (links(""), "node,lon,lat\n7,-71,\n"),
            (links(""), "node,lon,lat\n7,-71,-95\n"),
            (links(""), "node,lon,lat\n7,-181,-29\n"),
            (NODES.to_owned(), NODES),
            (String::new(), NODES),
            ("from_node,to_node\n".to_owned(), NODES),
        ];
        for (links, nodes) in cases {
            said += &map(&links, nodes).expect_err(&links).to_string();
            said.push('\n');
        }
        expect![[r#"
            links.csv line 3: to_node is "nowhere": no line of the nodes file has this name; add the junction there
            links.csv line 3: from_node is "": a street needs a junction at both ends
            links.csv line 3: oneway is "2": give 0 for both directions, 1 for from -> to only, -1 for to -> from only
            links.csv line 3: maxspeed_kmh is "fast": this is not a number; write it with a decimal point
            links.csv line 3: maxspeed_kmh is "-3": give km/h above 0, or nothing
            links.csv line 3: osm_way_id is "1.5": give a whole number, or nothing
            links.csv line 3: length_m is "-1": give metres, or nothing
            links.csv line 3: length_m is "NaN": give metres, or nothing
            links.csv line 3: geometry_lon_lat is "-71 -29": give points as lon,lat in degrees, apart by spaces, or nothing
            links.csv line 3: geometry_lon_lat is "-71,-91": give points as lon,lat in degrees, apart by spaces, or nothing
            links.csv: CSV error: record 2 (line: 3, byte: 84): found record with 3 fields, but the previous record has 7 fields: save it as CSV in UTF-8, with as many fields in every row as in the header
            nodes.csv line 3: node is "7": another line has the same name; junctions need names of their own
            nodes.csv line 2: lat is "": a number must stand here
            nodes.csv line 2: lat is "-95": give degrees, lat from -90 to 90 and lon from -180 to 180
            nodes.csv line 2: lon is "-181": give degrees, lat from -90 to 90 and lon from -180 to 180
            links.csv has no column "from_node" in its header (node,lon,lat): add it, or give the files in the order LINKS.csv NODES.csv
            links.csv has no column "from_node" in its header (): add it, or give the files in the order LINKS.csv NODES.csv
            links.csv has no street below its header: a map needs at least one
        "#]].assert_eq(&said);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Map::from_csv(Path::new("no/links.csv"), Path::new("no/nodes.csv")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read no/links.csv: "), "{error}");
    }
}
