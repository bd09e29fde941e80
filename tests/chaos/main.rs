//! The program itself, really killed, on both engines. `docs/RELIABILITY.md` lists what is tried and how often.

#[path = "../support/place.rs"]
mod place;
#[path = "../protocol/support/mod.rs"]
mod protocol;
#[path = "../support/tables.rs"]
mod tables;

/// Runs each of the named functions of this module on every engine.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $test() {
                super::$test(&crate::stage::Stage::sqlite());
            })+
        }

        mod redis {
            $(#[test]
            fn $test() {
                super::$test(&crate::stage::Stage::redis());
            })+
        }
    };
}

mod answering_ways;
mod archive;
mod container;
mod damaged_keys;
mod deadlines;
mod draining;
mod failover;
mod harm;
mod invariants;
mod killable;
mod load;
mod pausable;
mod paused;
mod processes;
mod races;
mod random;
mod redis_killed;
mod refusing;
mod reliability;
mod sentinel;
mod server_killed;
mod soak;
mod sqlite_shared;
mod stage;
mod storage;
mod usage;
mod worker_killed;
