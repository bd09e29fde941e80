//! The tables of a file.

/// The tables of the present layout.
pub(super) const SCHEMA: &str = include_str!("schema.sql");
