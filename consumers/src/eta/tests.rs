//! Timestamps in, answers out.
