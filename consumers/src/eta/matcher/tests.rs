//! Ways through a small map.
