//! What a value must hold beyond its shape. A value that breaks its contract is a dead letter.

use thiserror::Error;

/// A value that is not what its topic promises; the text says which field and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Broken {
    reason: String,
}

impl Broken {
    pub(crate) fn new(reason: String) -> Self {
        Self { reason }
    }
}

pub(crate) fn id(value: &str, field: &str) -> Result<(), Broken> {
    if value.is_empty() { Err(Broken::new(format!("{field} is empty"))) } else { Ok(()) }
}

fn within(value: f64, field: &str, from: f64, to: f64) -> Result<(), Broken> {
    // Written so that NaN, which is in no range, fails.
    if (from..=to).contains(&value) {
        Ok(())
    } else {
        Err(Broken::new(format!("{field} is {value}: it must be from {from} to {to}")))
    }
}

pub(crate) fn coordinates(lat: f64, lon: f64) -> Result<(), Broken> {
    within(lat, "lat", -90.0, 90.0)?;
    within(lon, "lon", -180.0, 180.0)
}

pub(crate) fn probability(value: f64, field: &str) -> Result<(), Broken> {
    within(value, field, 0.0, 1.0)
}

pub(crate) fn not_negative(value: f64, field: &str) -> Result<(), Broken> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Broken::new(format!("{field} is {value}: it must be zero or more")))
    }
}

pub(crate) fn optional(
    value: Option<f64>,
    field: &str,
    check: fn(f64, &str) -> Result<(), Broken>,
) -> Result<(), Broken> {
    value.map_or(Ok(()), |value| check(value, field))
}
