//! Placeholder.

pub mod coordinator;
pub mod log;
pub mod replica;
