//! The sets of colours that `t` goes through. `view::theme` has the colours themselves.

/// A set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Few, strong colours.
    HighContrast,
    /// None: bold, dim, underlined, reversed.
    Mono,
}

impl Palette {
    /// All of them, in the order in which `t` goes through them.
    pub const ALL: [Palette; 4] = [Palette::Dark, Palette::Light, Palette::HighContrast, Palette::Mono];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Palette::Dark => "dark",
            Palette::Light => "light",
            Palette::HighContrast => "high-contrast",
            Palette::Mono => "mono",
        }
    }

    /// The palette of this name.
    pub fn named(name: &str) -> Option<Palette> {
        Palette::ALL.into_iter().find(|palette| palette.name() == name)
    }

    /// The next one, for `t`.
    #[must_use]
    pub fn next(self) -> Palette {
        let at = Palette::ALL.iter().position(|palette| *palette == self);
        let at = at.expect("every palette is in the list of all");
        Palette::ALL[(at + 1) % Palette::ALL.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_have_names_and_go_round() {
        for palette in Palette::ALL {
            assert_eq!(Palette::named(palette.name()), Some(palette));
            assert_ne!(palette.next(), palette);
        }
    }
}
