//! The store's verbs against a model that fits on two pages, in random order, on both engines.
//!
//! A failing case is shrunk and printed with its seed; `PROPTEST_CASES` asks for more of them.

#[path = "../support/mod.rs"]
mod support;

mod against;
mod reference;

use proptest::test_runner::Config;
use proptest_state_machine::prop_state_machine;

use against::{OnRedis, OnSqlite};

/// Cases of up to 60 transitions each.
fn config() -> Config {
    Config { cases: 60, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn sqlite_does_what_the_model_does(sequential 1..60 => OnSqlite);

    #[test]
    fn redis_does_what_the_model_does(sequential 1..60 => OnRedis);
}
