//! Redis engine.
