//! What finished trips teach about trips under way: a correction of the driving time, the time at
//! the kerb, and the usual error of the whole.

mod band;
mod correction;
mod kerb;

pub(crate) use band::Bands;
pub(crate) use correction::Correction;
pub(crate) use kerb::Kerb;
