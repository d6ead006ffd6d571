//! The layout, by size alone: a card, tabs with one pane, three panes, two columns, or three.
//!
//! In which column a pane is and with which share of its height is part of the pane's
//! [`Spec`]. Here the shares become rectangles: without a cell lost, and with the rows that a pane
//! has no use for given to its neighbours.
//!
//! Above the panes is the one picture, wherever there is more than one pane.
//!
//! Three panes are for a terminal as it opens, of 80x24 to 120x30: the bill and the lag, which
//! carry the lesson, and the pane that a person has chosen. With [`BESIDE`] columns it stands
//! beside the two, with less below them. Where the lag has no room it has a line.

use ratatui::layout::Rect;

use crate::state::pane::{GridPlace, Pane, Spec};
use crate::state::{ALL_PANES, ALWAYS};

/// The parts of the screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// The two lines of the lesson.
    pub(crate) header: Rect,
    /// The one picture: below the lesson, at every size with room for more than one pane.
    pub(crate) picture: Option<Rect>,
    /// The names of the panes, where there is room for only one.
    pub(crate) tabs: Option<Rect>,
    /// The lag on a line, where there is no room for its pane.
    pub(crate) lag: Option<Rect>,
    pub(crate) panes: Vec<(Pane, Rect)>,
    pub(crate) footer: Rect,
}

/// Less than this gets a card.
pub(crate) const SMALLEST: (u16, u16) = (60, 16);

/// Less than this gets tabs and one pane.
const THREE_PANES: (u16, u16) = (80, 24);
/// From this width on the chosen one of three panes is beside the others.
const BESIDE: u16 = 100;

/// The least height of a pane in a column.
const LEAST: u16 = 5;
/// The least height of the chosen pane, where it is below the others.
const LEAST_CHOSEN: u16 = 7;
/// The most rows of the one picture: four businesses and its frame.
const MOST_PICTURE: u16 = 6;
/// From these sizes on the picture has a line for a case of each business, and the panes their
/// rows: where they are one below the other they need more.
const CASES: [(u16, u16); 2] = [(100, 30), (80, 34)];

/// What there is to lay out.
pub(crate) struct Show<'a> {
    /// The panes, in their order.
    pub(crate) panes: &'a [Pane],
    pub(crate) focus: Pane,
    /// The one beside those that are always there, where there is room for three.
    pub(crate) chosen: Pane,
    pub(crate) zoomed: bool,
    /// The rows of the one picture; 0: there is none here.
    pub(crate) picture: u16,
    /// How many rows more it has with a case of each business.
    pub(crate) cases: u16,
    /// How many rows a pane has a use for; none for one whose source does not exist here.
    pub(crate) wants: &'a dyn Fn(Pane) -> Option<u16>,
    /// How many it needs for what it is there for.
    pub(crate) needs: &'a dyn Fn(Pane) -> u16,
}

/// The layout of a screen; `None`: too small for panes.
pub(crate) fn layout(screen: Rect, show: &Show) -> Option<Layout> {
    if screen.width < SMALLEST.0 || screen.height < SMALLEST.1 {
        return None;
    }
    let rows = |from: u16, height: u16| Rect { y: screen.y + from, height, ..screen };
    let header = rows(0, 2);
    let footer = rows(screen.height - 1, 1);
    let &Show { focus, zoomed, wants, .. } = show;
    let fits = |(width, height): (u16, u16)| screen.width >= width && screen.height >= height;
    let is_one = zoomed || !fits(THREE_PANES);
    let cases = if CASES.into_iter().any(fits) { show.cases.min(MOST_PICTURE - 2) } else { 0 };
    let picture = (show.picture > 0 && !is_one).then(|| rows(2, show.picture.min(MOST_PICTURE) + cases));
    let top = 2 + picture.map_or(0, |picture| picture.height);
    let body = rows(top, screen.height - top - 1);
    if is_one || !fits(ALL_PANES) {
        let tabs = Some(rows(top, 1));
        let mut body = rows(top + 1, screen.height - top - 2);
        if is_one {
            return Some(Layout { header, picture, tabs, lag: None, panes: vec![(focus, body)], footer });
        }
        let mut panes = three_panes(body, show);
        let is_missing = show.panes.contains(&Pane::Lag)
            && wants(Pane::Lag).is_some()
            && panes.iter().all(|(pane, _)| *pane != Pane::Lag);
        let lag = is_missing.then(|| rows(top + 1, 1));
        if lag.is_some() {
            body = rows(top + 2, screen.height - top - 3);
            panes = three_panes(body, show);
        }
        return Some(Layout { header, picture, tabs, lag, panes, footer });
    }
    let here: Vec<Pane> = show.panes.iter().copied().filter(|pane| wants(*pane).is_some()).collect();
    let grid = if here.iter().all(|pane| Grid::LagMonitor.place(pane.spec()).is_some()) {
        Grid::LagMonitor
    } else if screen.width >= 170 && screen.height >= 45 {
        Grid::ThreeColumns
    } else {
        Grid::TwoColumns
    };
    let mut columns: Vec<Column> =
        grid.shares().iter().map(|share| Column { share: *share, panes: Vec::new() }).collect();
    for pane in here {
        if let Some((column, weight)) = grid.place(pane.spec()) {
            columns[column].panes.push((pane, weight));
        }
    }
    let panes = side_by_side(body, columns, wants);
    Some(Layout { header, picture, tabs: None, lag: None, panes, footer })
}

/// The panes that are always there, and the chosen one beside or below them.
fn three_panes(body: Rect, show: &Show) -> Vec<(Pane, Rect)> {
    let is_here = |pane: &Pane| *pane != show.chosen && (show.wants)(*pane).is_some();
    let always = ALWAYS.into_iter().filter(|pane| show.panes.contains(pane) && is_here(pane));
    if body.width >= BESIDE {
        let share = |pane: Pane| (pane, pane.spec().two_columns.1);
        let always = Column { share: 50, panes: always.map(share).collect() };
        let chosen = Column { share: 50, panes: vec![(show.chosen, 1)] };
        return side_by_side(body, vec![always, chosen], show.wants);
    }
    // The bill gets half of the rows at most, and the lag a quarter: where that is too little, the
    // lag has a line, and its pane can be chosen.
    let mut left = body;
    let mut all = Vec::new();
    for pane in always {
        let most = if pane == Pane::Lanes { body.height / 2 } else { body.height / 4 };
        let height = (show.needs)(pane).clamp(LEAST, most.max(LEAST));
        if height + LEAST_CHOSEN > left.height {
            continue;
        }
        all.push((pane, Rect { height, ..left }));
        left = Rect { y: left.y + height, height: left.height - height, ..left };
    }
    let is_drawn = |pane: Pane| all.iter().any(|(drawn, _)| *drawn == pane);
    let last = if is_drawn(show.focus) { show.chosen } else { show.focus };
    all.push((last, left));
    all
}

/// How the panes share a large screen.
#[derive(Clone, Copy)]
enum Grid {
    TwoColumns,
    ThreeColumns,
    /// Without a business: a foreign cluster is all about lag.
    LagMonitor,
}

impl Grid {
    /// The shares of the width that its columns have.
    fn shares(self) -> &'static [u16] {
        match self {
            Grid::TwoColumns | Grid::LagMonitor => &[50, 50],
            Grid::ThreeColumns => &[35, 35, 30],
        }
    }

    fn place(self, pane: &Spec) -> Option<GridPlace> {
        match self {
            Grid::TwoColumns => Some(pane.two_columns),
            Grid::ThreeColumns => Some(pane.three_columns),
            Grid::LagMonitor => pane.lag_monitor,
        }
    }
}

/// A column, its share of the width, and its panes with their shares of the height.
struct Column {
    share: u16,
    panes: Vec<(Pane, u16)>,
}

/// Columns by their share of the width; one without panes leaves its room to the others.
fn side_by_side(
    body: Rect,
    mut columns: Vec<Column>,
    wants: &dyn Fn(Pane) -> Option<u16>,
) -> Vec<(Pane, Rect)> {
    columns.retain(|column| !column.panes.is_empty());
    let shares: u16 = columns.iter().map(|column| column.share).sum();
    let count = columns.len();
    let mut left = 0;
    let mut all = Vec::new();
    for (at, Column { share, panes }) in columns.into_iter().enumerate() {
        let part = (u32::from(body.width) * u32::from(share) / u32::from(shares)) as u16;
        let width = if at + 1 == count { body.width - left } else { part };
        all.extend(column(body, left, width, &panes, wants));
        left += width;
    }
    assert!(count == 0 || left == body.width, "the columns fill the screen: {left} of {}", body.width);
    all
}

/// Shares a column's height out by weight, without a row lost. What a pane has no use for goes to
/// its neighbours that do.
fn column(
    body: Rect,
    x: u16,
    width: u16,
    panes: &[(Pane, u16)],
    wants: &dyn Fn(Pane) -> Option<u16>,
) -> Vec<(Pane, Rect)> {
    let total: u32 = panes.iter().map(|(_, weight)| u32::from(*weight)).sum();
    let edge = |weight: u32| (u32::from(body.height) * weight).div_ceil(total) as u16;
    let mut before = 0;
    let mut heights: Vec<u16> = panes
        .iter()
        .map(|(_, weight)| {
            let top = edge(before);
            before += u32::from(*weight);
            edge(before) - top
        })
        .collect();
    let wanted: Vec<u16> = panes.iter().map(|(pane, _)| wants(*pane).unwrap_or(0).max(LEAST)).collect();
    let mut spare = 0;
    for (height, wanted) in heights.iter_mut().zip(&wanted) {
        let over = height.saturating_sub(*wanted);
        *height -= over;
        spare += over;
    }
    for (height, wanted) in heights.iter_mut().zip(&wanted) {
        let more = wanted.saturating_sub(*height).min(spare);
        *height += more;
        spare -= more;
    }
    if let Some(last) = heights.last_mut() {
        *last += spare;
    }
    assert_eq!(heights.iter().sum::<u16>(), body.height, "a column's panes fill it without a row lost");
    let mut y = body.y;
    panes
        .iter()
        .zip(heights)
        .map(|((pane, _), height)| {
            let area = Rect::new(body.x + x, y, width, height);
            y += height;
            (*pane, area)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Pane> {
        Pane::of_show([Pane::City, Pane::Payments, Pane::Shop])
    }

    /// The panes of a show without those that are `absent`.
    fn laid_out((width, height): (u16, u16), chosen: Pane, zoomed: bool, absent: &[Pane]) -> Option<Layout> {
        let wants = |pane: Pane| (!absent.contains(&pane)).then_some(pane as u16 * 4);
        let (panes, needs) = (all(), |pane: Pane| pane as u16 * 3);
        let (picture, cases) = if absent.is_empty() { (5, 3) } else { (0, 0) };
        let (panes, wants, needs) = (&panes, &wants, &needs);
        let show = Show { panes, focus: chosen, chosen, zoomed, picture, cases, wants, needs };
        layout(Rect::new(0, 0, width, height), &show)
    }

    #[test]
    fn every_cell_of_a_screen_belongs_to_exactly_one_part() {
        let sizes = [(60, 16), (79, 24), (80, 23), (80, 24), (99, 31), (100, 24), (100, 30), (120, 30)];
        let large = [(80, 60), (110, 36), (120, 40), (169, 60), (170, 45), (200, 60), (333, 99)];
        for (width, height) in sizes.into_iter().chain(large) {
            for (at, chosen) in all().into_iter().enumerate() {
                let absent: &[Pane] = if at % 2 == 0 { &[] } else { &[Pane::Lanes, Pane::City] };
                let zoomed = at % 3 == 2;
                let layout = laid_out((width, height), chosen, zoomed, absent).expect("large enough");
                let mut parts = vec![layout.header, layout.footer];
                parts.extend(layout.tabs);
                parts.extend(layout.picture);
                parts.extend(layout.lag);
                parts.extend(layout.panes.iter().map(|(_, area)| *area));
                let cells: u32 = parts.iter().map(|part| part.area()).sum();
                let screen = Rect::new(0, 0, width, height);
                assert_eq!(cells, screen.area(), "{width}x{height} zoomed {zoomed} {chosen:?}");
                for (at, part) in parts.iter().enumerate() {
                    assert!(
                        parts[..at].iter().all(|other| !other.intersects(*part)),
                        "{width}x{height}: {parts:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn all_panes_are_there_unless_one_is_zoomed() {
        let panes = |size, zoomed| laid_out(size, Pane::Shop, zoomed, &[]).map(|layout| layout.panes.len());
        assert_eq!(panes((59, 16), false), None);
        assert_eq!(panes((60, 15), false), None);
        assert_eq!(panes((60, 16), false), Some(1));
        assert_eq!(panes((79, 40), false), Some(1));
        assert_eq!(panes((120, 40), false), Some(8));
        assert_eq!(panes((200, 60), false), Some(8));
        for size in [(60, 16), (80, 24), (200, 60)] {
            assert_eq!(panes(size, true), Some(1));
        }
    }

    /// A terminal as it opens shows the bill, the lag, and the chosen pane, which has most room.
    #[test]
    fn a_terminal_as_it_opens_shows_the_bill_the_lag_and_the_chosen_pane() {
        for size in [(80, 24), (100, 30), (120, 30), (200, 31), (99, 60)] {
            let layout =
                |chosen, absent: &[Pane]| laid_out(size, chosen, false, absent).expect("large enough");
            let panes = |chosen, absent: &[Pane]| layout(chosen, absent).panes;
            let names = |panes: &[(Pane, Rect)]| panes.iter().map(|(pane, _)| *pane).collect::<Vec<_>>();
            let three = panes(Pane::Shop, &[]);
            // In the smallest the lag has a line, unless its pane is chosen.
            let has_lag = size != (80, 24);
            assert_eq!(layout(Pane::Shop, &[]).lag.map_or(0, |line| line.height), u16::from(!has_lag));
            assert_eq!(layout(Pane::Lag, &[]).lag, None);
            assert_eq!(layout(Pane::Shop, &[Pane::Lag]).lag, None);
            let always = if has_lag { &ALWAYS[..] } else { &ALWAYS[..1] };
            assert_eq!(names(&three), [always, &[Pane::Shop]].concat(), "{size:?}");
            let area = |at: usize| three[at].1.area();
            assert!((0..three.len() - 1).all(|at| area(three.len() - 1) >= area(at)), "{size:?}: {three:?}");
            assert!(three.iter().all(|(_, area)| area.height >= LEAST), "{size:?}: {three:?}");
            assert_eq!(names(&panes(Pane::Throughput, &[Pane::Lanes])), [Pane::Lag, Pane::Throughput]);
            assert_eq!(names(&panes(Pane::Lag, &[])), [Pane::Lanes, Pane::Lag], "{size:?}");
        }
    }

    /// The one picture is the first pane, wherever there is more than one.
    #[test]
    fn the_one_picture_is_the_first_pane_at_every_size() {
        let picture = |size, zoomed, absent: &[Pane]| {
            laid_out(size, Pane::Shop, zoomed, absent).expect("large enough").picture
        };
        for size in [(80, 24), (100, 30), (120, 30), (120, 40), (200, 60)] {
            // With a case of each business where there is room for it.
            let height = if size == (80, 24) { 5 } else { 8 };
            assert_eq!(picture(size, false, &[]), Some(Rect::new(0, 2, size.0, height)), "{size:?}");
            assert_eq!(picture(size, true, &[]), None);
            assert_eq!(picture(size, false, &[Pane::Lanes]), None, "a cluster without our businesses");
        }
        assert_eq!(picture((60, 16), false, &[]), None);
    }

    /// A payments show has no city, and a foreign cluster none of our businesses: there are no
    /// empty frames for them.
    #[test]
    fn panes_that_are_not_here_leave_their_room_to_the_others() {
        let of = |absent: &[Pane], size: (u16, u16)| {
            let panes = laid_out(size, Pane::Lag, false, absent).expect("large enough").panes;
            let cells: u32 = panes.iter().map(|(_, area)| area.area()).sum();
            assert_eq!(cells, u32::from(size.0) * (u32::from(size.1) - 3), "{absent:?} at {size:?}");
            panes.len()
        };
        for size in [(120, 40), (200, 60)] {
            assert_eq!(of(&[Pane::City, Pane::Shop], size), 6);
            assert_eq!(of(&[Pane::City, Pane::Payments, Pane::Shop, Pane::Lanes], size), 4);
        }
    }
}
