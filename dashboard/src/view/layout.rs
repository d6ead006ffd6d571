//! The layout, by size alone: a card, tabs with one pane, two columns, or three.
//!
//! In which column a pane is and with which share of its height is part of the pane's
//! [`Spec`]. Here the shares become rectangles: without a cell lost, and with the rows that a pane
//! has no use for given to its neighbours.

use ratatui::layout::Rect;

use crate::state::pane::{GridPlace, Pane, Spec};

/// The parts of the screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// The two lines of the lesson.
    pub(crate) header: Rect,
    /// The names of the panes, where there is room for only one.
    pub(crate) tabs: Option<Rect>,
    pub(crate) panes: Vec<(Pane, Rect)>,
    pub(crate) footer: Rect,
}

/// Less than this gets a card.
pub(crate) const SMALLEST: (u16, u16) = (60, 16);

/// The least height of a pane in a column.
const LEAST: u16 = 5;

/// The layout of a screen with `panes` in this order; `None`: too small for panes. `wants` says how
/// many rows a pane has a use for; none for one whose source does not exist here.
pub(crate) fn layout(
    screen: Rect,
    panes: &[Pane],
    focus: Pane,
    zoomed: bool,
    wants: &dyn Fn(Pane) -> Option<u16>,
) -> Option<Layout> {
    if screen.width < SMALLEST.0 || screen.height < SMALLEST.1 {
        return None;
    }
    let rows = |from: u16, height: u16| Rect { y: screen.y + from, height, ..screen };
    let header = rows(0, 2);
    let footer = rows(screen.height - 1, 1);
    let body = rows(2, screen.height - 3);
    let wide = screen.width >= 110 && screen.height >= 32;
    if zoomed || !wide {
        let tabs = rows(2, 1);
        let body = rows(3, screen.height - 4);
        return Some(Layout { header, tabs: Some(tabs), panes: vec![(focus, body)], footer });
    }
    let here: Vec<Pane> = panes.iter().copied().filter(|pane| wants(*pane).is_some()).collect();
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
    Some(Layout { header, tabs: None, panes: side_by_side(body, columns, wants), footer })
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

    #[test]
    fn every_cell_of_a_large_screen_belongs_to_exactly_one_part() {
        for (width, height) in
            [(60, 16), (80, 24), (110, 32), (120, 40), (169, 60), (170, 45), (200, 60), (333, 99)]
        {
            for zoomed in [false, true] {
                let screen = Rect::new(0, 0, width, height);
                let layout = layout(screen, &all(), Pane::Lag, zoomed, &|pane| Some(pane as u16 * 4))
                    .expect("large enough");
                let mut parts = vec![layout.header, layout.footer];
                parts.extend(layout.tabs);
                parts.extend(layout.panes.iter().map(|(_, area)| *area));
                let cells: u32 = parts.iter().map(|part| part.area()).sum();
                assert_eq!(cells, screen.area(), "{width}x{height} zoomed {zoomed}");
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
        let panes = |width, height, zoomed| {
            layout(Rect::new(0, 0, width, height), &all(), Pane::Shop, zoomed, &|_| Some(u16::MAX))
                .map(|layout| layout.panes.len())
        };
        assert_eq!(panes(59, 16, false), None);
        assert_eq!(panes(60, 15, false), None);
        assert_eq!(panes(80, 24, false), Some(1));
        assert_eq!(panes(120, 40, false), Some(8));
        assert_eq!(panes(200, 60, false), Some(8));
        assert_eq!(panes(200, 60, true), Some(1));
    }
    /// A payments show has no city, and a foreign cluster none of our businesses: there are no
    /// empty frames for them.
    #[test]
    fn panes_that_are_not_here_leave_their_room_to_the_others() {
        let of = |absent: &'static [Pane], size: (u16, u16)| {
            let wants = move |pane| (!absent.contains(&pane)).then_some(u16::MAX);
            let screen = Rect::new(0, 0, size.0, size.1);
            let panes = layout(screen, &all(), Pane::Lag, false, &wants).expect("large enough").panes;
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
