//! Draws the pictures of the documentation, from synthetic snapshots: `make pictures`, or
//! `cargo run -p dashboard --example gallery DIR [all]`. With `all`, every layout in every theme
//! and every sample.

use std::path::PathBuf;

use dashboard::{Depth, Glyphs, Palette, Theme, of_buffer, render_svg};
use dashboard_testing::{Sample, city_map, draw, panes, presenting};

/// A picture: its name, what it shows, in how many columns and rows, and how.
type Picture = (String, Sample, (u16, u16), Theme);

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("gallery"), PathBuf::from);
    let all = std::env::args().nth(2).is_some_and(|word| word == "all");
    std::fs::create_dir_all(&folder)?;
    let map = city_map();
    for (name, sample, (columns, rows), theme) in if all { everything() } else { for_the_documentation() } {
        let path = folder.join(format!("{name}-{columns}x{rows}.svg"));
        let svg = render_svg(&sample.snapshot(), Some(&map), &panes(), (columns, rows), &theme);
        std::fs::write(&path, svg)?;
        println!("{}", path.display());
    }
    let sizes: &[(u16, u16)] = if all { &[(80, 24), (120, 30), (120, 40), (200, 60)] } else { &[(120, 40)] };
    for &(columns, rows) in sizes {
        let path = folder.join(format!("presentation-{columns}x{rows}.svg"));
        let theme = Theme::default();
        std::fs::write(
            &path,
            of_buffer(&draw(&presenting((columns, rows)), (columns, rows), &theme), &theme),
        )?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Each layout once, each theme once, each set of glyphs once, and what a foreign cluster looks
/// like.
fn for_the_documentation() -> Vec<Picture> {
    let theme = Theme::default();
    let layouts = [
        ("card", (50, 12)),
        ("one-pane", (60, 16)),
        ("three-panes", (80, 24)),
        ("three-panes", (120, 30)),
        ("two-columns", (120, 40)),
        ("three-columns", (200, 60)),
    ];
    let mut pictures: Vec<Picture> =
        layouts.into_iter().map(|(name, size)| (name.into(), Sample::Normal, size, theme)).collect();
    for palette in [Palette::Light, Palette::HighContrast, Palette::Mono] {
        let theme = Theme { palette, ..theme };
        pictures.push((palette.name().into(), Sample::Normal, (120, 40), theme));
    }
    for (glyphs, name) in [(Glyphs::Block, "block"), (Glyphs::Ascii, "ascii")] {
        pictures.push((name.into(), Sample::Normal, (120, 40), Theme { glyphs, ..theme }));
    }
    for sample in [Sample::Dead, Sample::Stale, Sample::Foreign] {
        pictures.push((sample.name().into(), sample, (120, 40), theme));
    }
    pictures
}

fn everything() -> Vec<Picture> {
    let mut pictures = Vec::new();
    for size in [(50, 12), (60, 16), (80, 24), (100, 30), (120, 30), (120, 40), (200, 60)] {
        for palette in Palette::ALL {
            pictures.push((
                palette.name().into(),
                Sample::Normal,
                size,
                Theme { palette, ..Theme::default() },
            ));
        }
    }
    for sample in Sample::ALL {
        pictures.push((sample.name().into(), sample, (120, 40), Theme::default()));
    }
    for (glyphs, name) in [(Glyphs::Block, "block"), (Glyphs::Ascii, "ascii")] {
        pictures.push((name.into(), Sample::Normal, (120, 40), Theme { glyphs, ..Theme::default() }));
    }
    for (depth, name) in
        [(Depth::Sixteen, "16-colours"), (Depth::Indexed, "256-colours"), (Depth::None, "no-colours")]
    {
        pictures.push((name.into(), Sample::Normal, (120, 40), Theme { depth, ..Theme::default() }));
    }
    pictures
}
