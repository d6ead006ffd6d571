//! Colours by role, never at the place of drawing; and what the terminal can show of them.
//!
//! A view says *what* something is (`Role::Batch`), a [`Theme`] says how that looks. The background
//! stays the terminal's own. Status is always glyph, word and colour, so that the mono palette
//! loses nothing but charm. The colours of the series are those of Okabe & Ito (2008, "Color
//! Universal Design"), which readers with any kind of colour vision can tell apart; lightened or
//! darkened until each can be read on a projector: words have at least 4.5 times the luminance of
//! their background or the other way round, and what is only a glyph 3 times (WCAG 2.2, 1.4.3 and
//! 1.4.11).

use ratatui::style::{Color, Modifier, Style};

use crate::state::palette::Palette;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Plain text.
    Text,
    /// Units, labels, secondary text.
    Dim,
    /// Borders, streets, axes: glyphs, never words.
    Faint,
    /// Names of panes.
    Title,
    /// The pane that has the keys.
    Focus,
    /// Healthy.
    Good,
    /// Worth attention.
    Warn,
    /// Broken.
    Bad,
    /// Paused.
    Paused,
    /// The stream lane.
    Stream,
    /// The batch lane.
    Batch,
    /// The truth, and figures that matter.
    Truth,
    /// A measured series.
    Series,
    /// The row that the keys act on.
    Cursor,
}

/// The style of each [`Role`], by its index.
pub(crate) type Styles = [Style; Role::ALL.len()];

impl Role {
    pub(crate) const ALL: [Role; 14] = [
        Role::Text,
        Role::Dim,
        Role::Faint,
        Role::Title,
        Role::Focus,
        Role::Good,
        Role::Warn,
        Role::Bad,
        Role::Paused,
        Role::Stream,
        Role::Batch,
        Role::Truth,
        Role::Series,
        Role::Cursor,
    ];
}

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None, or none wanted (`NO_COLOR`).
    None,
    /// The sixteen that the user's own terminal theme defines.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    #[default]
    True,
}

impl Depth {
    /// What the environment says: the values of `NO_COLOR` (no-color.org: any text but the empty
    /// one), `COLORTERM`, `TERM`.
    pub fn of_environment(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Depth {
        let term = term.unwrap_or("");
        if no_color.is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Depth::None
        } else if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256") {
            Depth::Indexed
        } else {
            Depth::Sixteen
        }
    }
}

/// Which characters the terminal's font has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// All of them.
    #[default]
    Braille,
    /// Block elements, but no Braille.
    Block,
    /// Letters alone.
    Ascii,
}

impl Glyphs {
    /// What the environment says: the values of `LC_ALL`, `LC_CTYPE`, `LANG`, of which the first
    /// that has a text counts (POSIX, Base Definitions, 8.2), and of `TERM`. A locale that names no
    /// UTF-8 has letters alone; without any locale nothing is known, and a terminal of today has
    /// all.
    pub fn of_environment(locale: [Option<&str>; 3], term: Option<&str>) -> Glyphs {
        let locale = locale.into_iter().flatten().find(|value| !value.is_empty());
        let is_utf_8 = locale.is_none_or(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("utf-8") || name.contains("utf8")
        });
        if is_utf_8 && term != Some("dumb") { Glyphs::default() } else { Glyphs::Ascii }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Glyphs::Braille => "braille",
            Glyphs::Block => "block",
            Glyphs::Ascii => "ascii",
        }
    }

    /// The set of this name on the command line.
    pub fn named(name: &str) -> Option<Glyphs> {
        match name {
            "braille" => Some(Glyphs::Braille),
            "block" => Some(Glyphs::Block),
            "ascii" => Some(Glyphs::Ascii),
            _ => None,
        }
    }
}

/// How everything looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which colours.
    pub palette: Palette,
    /// How many of them.
    pub depth: Depth,
    /// Which characters.
    pub glyphs: Glyphs,
}

impl Theme {
    /// The styles of all roles at once: a frame has thousands of cells, and the nearest of 256
    /// colours is expensive to find.
    pub(crate) fn styles(self) -> Styles {
        Role::ALL.map(|role| self.style(role))
    }

    fn style(self, role: Role) -> Style {
        let palette = if self.depth == Depth::None { Palette::Mono } else { self.palette };
        let (look, modifier) = look(palette, role);
        let style = Style::new().add_modifier(modifier);
        match look {
            None if role == Role::Cursor => self.cursor(palette),
            None => style,
            Some(ink) => style.fg(self.colour(ink)),
        }
    }

    /// The one place with a background: a tint of the terminal's where there are colours enough,
    /// else reversed.
    fn cursor(self, palette: Palette) -> Style {
        match (palette, self.depth) {
            (Palette::Dark, Depth::True | Depth::Indexed) => {
                Style::new().bg(self.colour((0x24_3044, Color::Reset)))
            }
            (Palette::Light, Depth::True | Depth::Indexed) => {
                Style::new().bg(self.colour((0xe4_ebf4, Color::Reset)))
            }
            _ => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    fn colour(self, (rgb, ansi): Ink) -> Color {
        match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => ansi,
            Depth::Indexed => Color::Indexed(nearest_of_256(rgb)),
            Depth::True => Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8),
        }
    }
}

/// A colour in 24 bits, and the one of the terminal's own sixteen that replaces it.
type Ink = (u32, Color);

/// The one table of colours. `None` is the terminal's own text colour.
fn look(palette: Palette, role: Role) -> (Option<Ink>, Modifier) {
    const PLAIN: Modifier = Modifier::empty();
    const BOLD: Modifier = Modifier::BOLD;
    let dark = palette == Palette::Dark;
    match palette {
        Palette::Mono => (
            None,
            match role {
                Role::Text | Role::Good | Role::Series | Role::Cursor => PLAIN,
                Role::Dim | Role::Faint => Modifier::DIM,
                Role::Title | Role::Focus | Role::Warn | Role::Stream | Role::Truth => BOLD,
                Role::Bad => BOLD.union(Modifier::REVERSED),
                Role::Paused => Modifier::ITALIC,
                Role::Batch => Modifier::UNDERLINED,
            },
        ),
        Palette::HighContrast => match role {
            Role::Text | Role::Dim | Role::Faint | Role::Cursor => (None, PLAIN),
            Role::Title | Role::Truth => (None, BOLD),
            Role::Focus => (Some((0xff_ffff, Color::White)), BOLD),
            Role::Good => (Some((0x00_ff9c, Color::LightGreen)), BOLD),
            Role::Warn => (Some((0xff_f200, Color::LightYellow)), BOLD),
            Role::Bad => (Some((0xff_5c33, Color::LightRed)), BOLD),
            Role::Paused => (Some((0xff_9be0, Color::LightMagenta)), BOLD),
            Role::Stream | Role::Series => (Some((0x66_ccff, Color::LightCyan)), BOLD),
            Role::Batch => (Some((0xff_b000, Color::LightYellow)), BOLD),
        },
        Palette::Dark | Palette::Light => match role {
            Role::Text | Role::Cursor => (None, PLAIN),
            Role::Title | Role::Truth => (None, BOLD),
            Role::Dim => {
                (Some(if dark { (0x9a_a4b6, Color::Gray) } else { (0x53_5b68, Color::DarkGray) }), PLAIN)
            }
            Role::Faint => {
                (Some(if dark { (0x76_829c, Color::DarkGray) } else { (0x75_7f8e, Color::Gray) }), PLAIN)
            }
            Role::Focus => {
                (Some(if dark { (0xc9_d4e5, Color::White) } else { (0x30_3846, Color::Black) }), BOLD)
            }
            Role::Good => {
                (Some(if dark { (0x34_c496, Color::Green) } else { (0x00_6b4d, Color::Green) }), PLAIN)
            }
            Role::Warn => {
                (Some(if dark { (0xf0_e442, Color::Yellow) } else { (0x75_5700, Color::Yellow) }), PLAIN)
            }
            Role::Bad => (Some(if dark { (0xff_7a50, Color::Red) } else { (0xb0_2a00, Color::Red) }), BOLD),
            Role::Paused => {
                (Some(if dark { (0xd5_8fb5, Color::Magenta) } else { (0x8f_3f6a, Color::Magenta) }), PLAIN)
            }
            Role::Stream => {
                (Some(if dark { (0x56_b4e9, Color::Cyan) } else { (0x00_609a, Color::Blue) }), PLAIN)
            }
            Role::Batch => {
                (Some(if dark { (0xe6_9f00, Color::Yellow) } else { (0x8a_5200, Color::Yellow) }), PLAIN)
            }
            Role::Series => {
                (Some(if dark { (0x6f_9fd0, Color::Blue) } else { (0x2f_6796, Color::Blue) }), PLAIN)
            }
        },
    }
}

/// The nearest of xterm's 256 colours: the 6×6×6 cube at 16, the 24 greys at 232.
fn nearest_of_256(rgb: u32) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let want = [(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8].map(i32::from);
    let distance = |have: [i32; 3]| (0..3).map(|at| (want[at] - have[at]).pow(2)).sum::<i32>();
    let cube = want.map(|value| (0..6).min_by_key(|step| (STEPS[*step] - value).abs()).expect("six steps"));
    let grey = (0..24).min_by_key(|step| distance([8 + 10 * step; 3])).expect("24 greys");
    if distance([8 + 10 * grey; 3]) < distance(cube.map(|step| STEPS[step])) {
        232 + grey as u8
    } else {
        (16 + 36 * cube[0] + 6 * cube[1] + cube[2]) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_how_many_colours() {
        let depth = Depth::of_environment;
        assert_eq!(depth(Some("1"), Some("truecolor"), Some("xterm-256color")), Depth::None);
        assert_eq!(depth(Some(""), Some("truecolor"), Some("xterm-256color")), Depth::True);
        assert_eq!(depth(None, None, Some("tmux-256color")), Depth::Indexed);
        assert_eq!(depth(None, None, Some("linux")), Depth::Sixteen);
        assert_eq!(depth(None, None, Some("dumb")), Depth::None);
        assert_eq!(depth(None, None, None), Depth::Sixteen);
    }

    #[test]
    fn the_environment_decides_which_characters() {
        let glyphs = |all, ctype, lang, term| Glyphs::of_environment([all, ctype, lang], term);
        let xterm = Some("xterm-256color");
        assert_eq!(glyphs(None, None, Some("C"), xterm), Glyphs::Ascii);
        assert_eq!(glyphs(None, None, Some("C.UTF-8"), xterm), Glyphs::Braille);
        assert_eq!(glyphs(Some("de_CL.utf8"), None, Some("C"), xterm), Glyphs::Braille, "LC_ALL is first");
        assert_eq!(glyphs(Some(""), Some("POSIX"), Some("C.UTF-8"), xterm), Glyphs::Ascii, "empty is unset");
        assert_eq!(glyphs(None, None, Some("es_CL.ISO-8859-1"), xterm), Glyphs::Ascii);
        assert_eq!(glyphs(None, None, None, xterm), Glyphs::Braille, "a container has no locale");
        assert_eq!(glyphs(None, None, Some("C.UTF-8"), Some("dumb")), Glyphs::Ascii);
    }

    #[test]
    fn colours_become_the_nearest_of_256() {
        assert_eq!(nearest_of_256(0x00_0000), 16);
        assert_eq!(nearest_of_256(0xff_ffff), 231);
        assert_eq!(nearest_of_256(0x56_b4e9), 74, "Okabe and Ito's sky blue");
        assert_eq!(nearest_of_256(0x80_8080), 244, "a grey");
    }

    #[test]
    fn no_colour_at_all_without_colours() {
        let theme = Theme { depth: Depth::None, ..Theme::default() };
        for role in [Role::Good, Role::Warn, Role::Bad, Role::Stream, Role::Batch, Role::Cursor] {
            assert_eq!(theme.style(role).fg, None, "{role:?}");
        }
    }

    #[test]
    fn styles_are_found_by_the_role() {
        let theme = Theme::default();
        let styles = theme.styles();
        assert!(Role::ALL.iter().all(|role| styles[*role as usize] == theme.style(*role)));
    }
}
