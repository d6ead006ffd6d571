//! The kinds of fraud that the town has, and how frequent each is.
//!
//! | pattern | what happens | sign |
//! |---|---|---|
//! | `card_testing` | 5 to 20 tiny payments in minutes, then large ones | a burst of an hour |
//! | `takeover` | someone else uses the card for days | new shops, odd hours, larger amounts |
//! | `cloned` | a copy is used in another city | the holder can't be in both |
//! | `compromised_terminal` | a terminal bills many cards for weeks | its chargebacks |
//! | `drift` | someone close to the holder takes a little more each time | only the trend |
//!
//! # Simplifications
//! - The shares of the patterns are chosen for a demo, not measured: no public log names them.

/// A kind of fraud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    CardTesting,
    Takeover,
    Cloned,
    CompromisedTerminal,
    Drift,
}

/// How many frauds a day a compromised terminal bills, and for how many days.
pub(super) const SKIMMED_A_DAY: f64 = 12.0;
pub(super) const SKIMMED_DAYS: (f64, f64) = (10.0, 28.0);

impl Pattern {
    pub(super) const ALL: [Pattern; 5] =
        [Self::CardTesting, Self::Takeover, Self::Cloned, Self::CompromisedTerminal, Self::Drift];

    /// Its name in `simulation_truth`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CardTesting => "card_testing",
            Self::Takeover => "takeover",
            Self::Cloned => "cloned",
            Self::CompromisedTerminal => "compromised_terminal",
            Self::Drift => "drift",
        }
    }

    /// Share of the fraudulent swipes that are of this pattern.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::CardTesting => 0.55,
            Self::Takeover | Self::CompromisedTerminal => 0.15,
            Self::Cloned => 0.10,
            Self::Drift => 0.05,
        }
    }

    /// Swipes in one episode, on average.
    pub(super) fn swipes(self) -> f64 {
        match self {
            Self::CardTesting => 15.5,
            Self::Takeover => 7.5,
            Self::Cloned => 4.0,
            Self::CompromisedTerminal => SKIMMED_A_DAY * f64::midpoint(SKIMMED_DAYS.0, SKIMMED_DAYS.1),
            Self::Drift => 12.0,
        }
    }
}
