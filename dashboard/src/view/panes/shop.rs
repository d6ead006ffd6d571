//! The shop: one shopper's trail, beside it the page as it changes with every click, and what is
//! trending.

use ratatui::layout::Rect;

use crate::format::{maybe_count, maybe_duration, number, time_of_day};
use crate::snapshot::{Page, ShopEvent, ShopEventKind, Shopper, Snapshot, Trending};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::panes::border::{Border, open, say};
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;
use text::clean;

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let shop = &snapshot.shop.data;
    let note = format!("{} sessions open", maybe_count(shop.sessions));
    let legend = vec![
        (" on the page of ".into(), Role::Dim),
        ("● stream ".into(), Role::Stream),
        ("● batch ".into(), Role::Batch),
    ];
    let foot = vec![("+".into(), Role::Stream), (" stream only".into(), Role::Dim)];
    let Some(inside) =
        open(pen, state, Pane::Shop, area, &snapshot.shop.source, Border { note, foot, legend })
    else {
        return;
    };
    let Some(Item::Entry(at)) = state.selected(Pane::Shop).map(|row| row.item) else {
        say(pen, inside, "no shopper yet");
        return;
    };
    let shopper = &shop.shoppers[at];
    // As many columns as fit, the most telling first.
    let columns = (inside.width / 19).clamp(1, 5);
    let width = inside.width / columns;
    let column = |at: u16| Rect { x: inside.x + at * width, width: width.saturating_sub(1), ..inside };
    trail(pen, shopper, at + 1, shop.shoppers.len(), snapshot.title.utc_offset_min, column(0));
    let pages: [(&str, Role, &Page); 2] =
        [("stream", Role::Stream, &shopper.page), ("batch", Role::Batch, &shopper.batch_page)];
    for (at, (name, role, items)) in (1..columns).zip(pages) {
        page(pen, name, role, items, shopper, column(at));
    }
    if columns > 3 {
        trending(pen, &shop.trending, column(3));
    }
    if columns > 4 {
        page(pen, "batch model", Role::Batch, &shopper.stale_page, shopper, column(4));
    }
}

fn trail(pen: &mut Pen, shopper: &Shopper, at: usize, of: usize, offset: i32, area: Rect) {
    let mut head: Pieces = vec![(clean(&shopper.session_id).into_owned(), Role::Title)];
    if area.width >= 28 {
        head.push((format!("  {at} of {of}"), Role::Dim));
    }
    pen.pieces(area.x + 1, area.y, area.width.saturating_sub(1), &head);
    for (y, event) in (area.y + 1..area.bottom()).zip(shopper.trail.iter().rev()) {
        let mut x = area.x + 1;
        if area.width >= 34 {
            pen.text(x, y, 8, &time_of_day(event.at_ms, offset), Role::Dim);
            x += 9;
        }
        let (word, role) = word(event.kind);
        pen.text(x, y, 7, word, role);
        x += 7;
        let end = area.right();
        item(pen, (x, y), end.saturating_sub(x + 3), event.item.as_deref().unwrap_or(""), Role::Text);
        hit(pen, event, end, y);
    }
}

/// Writes an item's name, which is cut at its end, or its id, of which the number stays.
fn item(pen: &mut Pen, (x, y): (u16, u16), width: u16, name: &str, role: Role) -> u16 {
    if name.contains(' ') { pen.text(x, y, width, name, role) } else { pen.id(x, y, width, name, role) }
}

/// Whether each lane's page had offered what was then clicked: the whole lesson of this pane in two
/// characters.
fn hit(pen: &mut Pen, event: &ShopEvent, end: u16, y: u16) {
    for (at, on_page, role) in [(2, event.on_page, Role::Stream), (1, event.on_batch_page, Role::Batch)] {
        if let Some(on_page) = on_page {
            let role = if on_page { role } else { Role::Dim };
            pen.cell(end.saturating_sub(at), y, if on_page { '●' } else { '○' }, role);
        }
    }
}

fn word(kind: ShopEventKind) -> (&'static str, Role) {
    match kind {
        ShopEventKind::View => ("view", Role::Dim),
        ShopEventKind::Click => ("click", Role::Dim),
        ShopEventKind::Hover => ("hover", Role::Dim),
        ShopEventKind::Scroll => ("scroll", Role::Dim),
        ShopEventKind::AddToCart => ("cart", Role::Warn),
        ShopEventKind::Purchase => ("bought", Role::Good),
    }
}

fn page(pen: &mut Pen, name: &str, role: Role, page: &Page, shopper: &Shopper, area: Rect) {
    let age = page.age_ms.map_or(String::new(), |age| format!(" {} old", maybe_duration(Some(age))));
    pen.pieces(area.x, area.y, area.width, &[(name.to_string(), role), (age, Role::Dim)]);
    if page.items.is_empty() {
        pen.text(area.x, area.y + 1, area.width, if area.height > 1 { "– none yet" } else { "" }, Role::Dim);
    }
    for (y, (rank, name)) in (area.y + 1..area.bottom()).zip(page.items.iter().enumerate()) {
        pen.right(area.x + 2, y, 2, &(rank + 1).to_string(), Role::Dim);
        // What only the live page has is what waiting would have cost this shopper.
        let fresh = role == Role::Stream && !shopper.batch_page.items.contains(name);
        let words = if fresh { Role::Stream } else { Role::Text };
        pen.cell(area.x + 3, y, if fresh { '+' } else { ' ' }, Role::Stream);
        item(pen, (area.x + 5, y), area.width.saturating_sub(6), name, words);
    }
}

fn trending(pen: &mut Pen, trending: &[Trending], area: Rect) {
    pen.pieces(area.x, area.y, area.width, &[("trending".into(), Role::Title), (" /min".into(), Role::Dim)]);
    for (y, trend) in (area.y + 1..area.bottom()).zip(trending) {
        let x = item(pen, (area.x, y), area.width.saturating_sub(11), &trend.item, Role::Text);
        let end = area.right();
        let start = pen.right(end, y, 5, &number(trend.per_minute), Role::Dim);
        if let Some(lift) = trend.lift.filter(|lift| *lift >= 2.0 && x + 7 < start) {
            pen.right(end.saturating_sub(6), y, 5, &format!("×{}", number(Some(lift))), Role::Warn);
        }
    }
}
