//! Placeholder.

pub mod records;
