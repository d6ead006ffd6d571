//! Writes a picture of every layout in every theme, from made-up snapshots: `cargo run -p dashboard --example gallery DIR`.

use std::path::PathBuf;

use dashboard::sample::{Sample, city_map};
use dashboard::{Depth, Glyphs, Palette, Theme, render_svg};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("gallery"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let map = city_map();
    let sizes = [(50, 12), (60, 16), (80, 24), (120, 40), (200, 60)];
    let mut pictures = Vec::new();
    for size in sizes {
        for palette in Palette::ALL {
            pictures.push((
                Sample::Normal,
                size,
                Theme { palette, ..Theme::default() },
                palette.name().to_string(),
            ));
        }
    }
    for sample in Sample::ALL {
        pictures.push((sample, (120, 40), Theme::default(), sample.name().to_string()));
    }
    for (glyphs, name) in [(Glyphs::Block, "block"), (Glyphs::Ascii, "ascii")] {
        pictures.push((Sample::Normal, (120, 40), Theme { glyphs, ..Theme::default() }, name.into()));
    }
    for (depth, name) in
        [(Depth::Sixteen, "16-colours"), (Depth::Indexed, "256-colours"), (Depth::None, "no-colours")]
    {
        pictures.push((Sample::Normal, (120, 40), Theme { depth, ..Theme::default() }, name.into()));
    }
    for (sample, (columns, rows), theme, name) in pictures {
        let path = folder.join(format!("{columns}x{rows}-{name}.svg"));
        std::fs::write(&path, render_svg(&sample.snapshot(), Some(&map), (columns, rows), &theme))?;
        println!("{}", path.display());
    }
    Ok(())
}
