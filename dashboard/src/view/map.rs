//! Streets as Braille dots: projected and rasterised once, then only coloured.
//!
//! A cell of the terminal holds 2×4 Braille dots, which are about square. For one place, zoom and
//! size the links are projected, clipped and rasterised into a mask that remembers which cells each
//! link touches. A frame then costs one walk over the links whose speed is known, however many
//! streets there are.
//!
//! # Simplifications
//! - The projection is equirectangular with one cosine for the whole city: exact enough for 50 km,
//!   wrong for a country.
//! - A cell has one colour: the time to drive everything in it now, against empty roads. So a jam
//!   shows in proportion to how much of the cell it fills, and one slow side street does not paint
//!   a district red.

use ratatui::layout::Rect;

use crate::snapshot::{CityMap, LinkSpeed, StreetClass};

/// Which part of the world is shown, and how many dots there are to show it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Viewport {
    /// The middle, as (longitude, latitude).
    middle: (f64, f64),
    /// Degrees of latitude a dot.
    scale: f64,
    /// Degrees of longitude for one of latitude, here.
    squeeze: f64,
    /// In cells.
    width: u16,
    height: u16,
}

/// A place in dots, from the top left.
pub(crate) type Dot = (f64, f64);

impl Viewport {
    /// The whole map in `width`×`height` cells; each step of `zoom` shows half of it, around
    /// `follow`.
    pub(crate) fn new(
        map: &CityMap,
        width: u16,
        height: u16,
        zoom: u8,
        follow: Option<(f64, f64)>,
    ) -> Option<Self> {
        let [south_west, north_east] = map.bounds;
        let (west_east, south_north) = (north_east.0 - south_west.0, north_east.1 - south_west.1);
        let mut middle = (south_west.0 + west_east / 2.0, south_west.1 + south_north / 2.0);
        let squeeze = middle.1.to_radians().cos().max(0.01);
        let dots = (f64::from(width) * 2.0, f64::from(height) * 4.0);
        let whole = f64::max(west_east * squeeze / dots.0, south_north / dots.1);
        let scale = whole / f64::from(1 << zoom.min(8));
        if !(scale.is_finite() && scale > 0.0 && middle.0.is_finite()) || width == 0 || height == 0 {
            return None;
        }
        if let Some(follow) = follow.filter(|at| zoom > 0 && at.0.is_finite() && at.1.is_finite()) {
            // The window moves in steps of a quarter of itself, so that a driving car does not
            // redraw the streets each frame.
            let step = (dots.0 * scale / squeeze / 4.0, dots.1 * scale / 4.0);
            middle = ((follow.0 / step.0).round() * step.0, (follow.1 / step.1).round() * step.1);
        }
        Some(Viewport { middle, scale, squeeze, width, height })
    }

    /// Where a place is on the screen, which may be outside it; `None` for what is no place.
    pub(crate) fn project(&self, (lon, lat): (f64, f64)) -> Option<Dot> {
        let x = (lon - self.middle.0) * self.squeeze / self.scale + f64::from(self.width);
        let y = (self.middle.1 - lat) / self.scale + f64::from(self.height) * 2.0;
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    /// The cell of a place, if it is on the screen.
    pub(crate) fn cell(&self, at: (f64, f64)) -> Option<(u16, u16)> {
        let (x, y) = self.project(at)?;
        let inside = (0.0..f64::from(self.width) * 2.0).contains(&x)
            && (0.0..f64::from(self.height) * 4.0).contains(&y);
        inside.then_some((x as u16 / 2, y as u16 / 4))
    }

    /// How many metres a dot is.
    pub(crate) fn metres_a_dot(&self) -> f64 {
        self.scale * 111_320.0
    }

    /// Calls `touch(cell, dots)` along a line, with the index of a cell and the Braille dots to set
    /// in it.
    pub(crate) fn trace(&self, line: &[(f64, f64)], mut touch: impl FnMut(usize, u8)) {
        let most = (f64::from(self.width) * 2.0 - 1.0, f64::from(self.height) * 4.0 - 1.0);
        for pair in line.windows(2) {
            let (Some(from), Some(to)) = (self.project(pair[0]), self.project(pair[1])) else { continue };
            let Some((from, to)) = clip(from, to, most) else { continue };
            let steps = f64::max((to.0 - from.0).abs(), (to.1 - from.1).abs()).ceil().max(1.0) as u32;
            for step in 0..=steps {
                let part = f64::from(step) / f64::from(steps);
                let x = (from.0 + (to.0 - from.0) * part).round().clamp(0.0, most.0) as usize;
                let y = (from.1 + (to.1 - from.1) * part).round().clamp(0.0, most.1) as usize;
                touch(y / 4 * usize::from(self.width) + x / 2, DOTS[y % 4][x % 2]);
            }
        }
    }
}

/// The bit of each dot of a Braille cell, by row and column.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The character of a set of dots.
pub(crate) fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).expect("every set of eight dots is a character")
}

/// Cuts a line to the rectangle from the origin to `most` (Liang and Barsky 1984); `None` when
/// nothing is inside.
fn clip(from: Dot, to: Dot, most: Dot) -> Option<(Dot, Dot)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (direction, distance) in [(-dx, from.0), (dx, most.0 - from.0), (-dy, from.1), (dy, most.1 - from.1)]
    {
        if direction == 0.0 {
            if distance < 0.0 {
                return None;
            }
            continue;
        }
        let at = distance / direction;
        if direction < 0.0 {
            enter = enter.max(at);
        } else {
            leave = leave.min(at);
        }
    }
    let at = |part: f64| (from.0 + dx * part, from.1 + dy * part);
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// One cell of the street map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StreetCell {
    pub(crate) dots: u8,
    /// The most important street in it.
    pub(crate) class: StreetClass,
    /// Dots of the links whose speed is known, and the same dots each over its speed: lengths and
    /// times of driving.
    known: f64,
    driven: f64,
}

impl StreetCell {
    /// Speed over free flow of driving all that is known in it; `None` when nothing is.
    pub(crate) fn of_free_flow(&self) -> Option<f64> {
        (self.known > 0.0).then(|| self.known / self.driven)
    }
}

const EMPTY: StreetCell = StreetCell { dots: 0, class: StreetClass::Local, known: 0.0, driven: 0.0 };

/// The least share of free flow that counts: a road at standstill would outweigh all others.
const SLOWEST: f64 = 0.05;

/// The rasterised streets of one viewport.
#[derive(Debug, Default)]
pub(crate) struct MapCache {
    /// What the mask was made for: the map, by its address and length, and the viewport.
    key: Option<(usize, usize, Viewport)>,
    cells: Vec<StreetCell>,
    /// For each link, where its cells begin in `touched`; one more than there are links.
    starts: Vec<u32>,
    /// The cells, each with how many dots the link has in it.
    touched: Vec<(u32, u32)>,
    /// How often the streets were rasterised, for the tests.
    pub(crate) rasterised: u64,
}

impl MapCache {
    /// The cells of a viewport with these speeds in them, row by row.
    pub(crate) fn cells(
        &mut self,
        map: &CityMap,
        viewport: &Viewport,
        speeds: &[LinkSpeed],
    ) -> &[StreetCell] {
        let key = (std::ptr::from_ref(map) as usize, map.streets.len(), *viewport);
        if self.key != Some(key) {
            self.rasterise(map, viewport);
            self.key = Some(key);
            self.rasterised += 1;
        }
        for cell in &mut self.cells {
            (cell.known, cell.driven) = (0.0, 0.0);
        }
        for speed in speeds.iter().filter(|speed| speed.of_free_flow.is_finite()) {
            let link = speed.link as usize;
            let (Some(from), Some(to)) = (self.starts.get(link), self.starts.get(link + 1)) else { continue };
            for (at, dots) in &self.touched[*from as usize..*to as usize] {
                let (cell, dots) = (&mut self.cells[*at as usize], f64::from(*dots));
                cell.known += dots;
                cell.driven += dots / speed.of_free_flow.max(SLOWEST);
            }
        }
        &self.cells
    }

    fn rasterise(&mut self, map: &CityMap, viewport: &Viewport) {
        self.cells.clear();
        self.cells.resize(usize::from(viewport.width) * usize::from(viewport.height), EMPTY);
        self.starts.clear();
        self.touched.clear();
        let metres = viewport.metres_a_dot();
        for street in &map.streets {
            let start = self.touched.len();
            self.starts.push(start as u32);
            let drawn = match street.class {
                StreetClass::Arterial => true,
                StreetClass::Collector => metres < 110.0,
                StreetClass::Local => metres < 16.0,
            };
            if !drawn {
                continue;
            }
            viewport.trace(&street.line, |at, dots| {
                let cell = &mut self.cells[at];
                cell.dots |= dots;
                cell.class = cell.class.min(street.class);
                match self.touched[start..].last_mut() {
                    Some((cell, steps)) if *cell == at as u32 => *steps += 1,
                    _ => self.touched.push((at as u32, 1)),
                }
            });
        }
        self.starts.push(self.touched.len() as u32);
        assert_eq!(self.starts.len(), map.streets.len() + 1, "every link has a beginning and an end");
    }
}

/// The cells of a viewport laid over an area: the position of cell `at`.
pub(crate) fn place(area: Rect, at: usize) -> (u16, u16) {
    let width = usize::from(area.width.max(1));
    (area.x + (at % width) as u16, area.y + (at / width) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Street;

    fn cross() -> CityMap {
        let street = |line: &[(f64, f64)]| Street { class: StreetClass::Arterial, line: line.to_vec() };
        CityMap {
            bounds: [(0.0, 0.0), (1.0, 1.0)],
            streets: vec![street(&[(-5.0, 0.5), (5.0, 0.5)]), street(&[(0.5, -5.0), (0.5, 5.0)])],
            ..CityMap::default()
        }
    }

    #[test]
    fn streets_that_reach_beyond_the_screen_are_cut_at_its_edge() {
        let map = cross();
        let viewport = Viewport::new(&map, 8, 4, 0, None).unwrap();
        let mut cache = MapCache::default();
        let cells = cache.cells(&map, &viewport, &[]);
        let text: Vec<String> =
            cells.chunks(8).map(|row| row.iter().map(|cell| braille(cell.dots)).collect()).collect();
        assert_eq!(text, ["⠀⠀⠀⠀⡇⠀⠀⠀", "⠀⠀⠀⠀⡇⠀⠀⠀", "⠉⠉⠉⠉⡏⠉⠉⠉", "⠀⠀⠀⠀⡇⠀⠀⠀"]);
    }

    #[test]
    fn a_cell_is_as_slow_as_driving_all_in_it_and_streets_are_rasterised_once() {
        let map = cross();
        let viewport = Viewport::new(&map, 8, 4, 0, None).unwrap();
        let mut cache = MapCache::default();
        let speeds = [(0, 0.9), (1, 0.2), (7, 0.1), (0, f64::NAN)]
            .map(|(link, of_free_flow)| LinkSpeed { link, of_free_flow });
        let cells = cache.cells(&map, &viewport, &speeds);
        let seen = [16, 20, 4].map(|at: usize| format!("{:.2?}", cells[at].of_free_flow()));
        // Where both cross, two dots of the one and four of the other: 6 / (2 / 0.9 + 4 / 0.2).
        assert_eq!(seen, ["Some(0.90)", "Some(0.27)", "Some(0.20)"]);
        cache.cells(&map, &viewport, &[]);
        assert!(cache.rasterised == 1 && cache.cells[20].of_free_flow().is_none());
    }

    #[test]
    fn a_following_window_moves_in_steps() {
        let map = cross();
        let at = |lon| Viewport::new(&map, 8, 4, 2, Some((lon, 0.5))).unwrap();
        assert_eq!(at(0.500), at(0.501));
        assert_ne!(at(0.5), at(0.9));
    }

    #[test]
    fn a_map_without_extent_has_no_viewport() {
        let mut map = cross();
        map.bounds = [(1.0, 1.0), (1.0, 1.0)];
        assert_eq!(Viewport::new(&map, 8, 4, 0, None), None);
        map.bounds = [(f64::NAN, 0.0), (1.0, 1.0)];
        assert_eq!(Viewport::new(&map, 8, 4, 0, None), None);
        assert_eq!(Viewport::new(&cross(), 0, 4, 0, None), None);
    }
}
